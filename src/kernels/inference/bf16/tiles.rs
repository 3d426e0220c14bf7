//! The innermost loop: tiles of outputs, summed in registers over pairs of values.

use super::lanes::Lanes;
use super::rounding::Pair;
use crate::kernels::conv::Patches;
use crate::kernels::simd::{PANEL, padded};

/// Every position's patch times the weights, plus bias.
pub struct Dots<'a> {
    pub patches: Patches,
    pub input: &'a [Pair],
    /// `[panel][pair][16 channels]`
    pub weights: &'a [Pair],
    pub pairs: usize,
    /// In whole panels.
    pub bias: &'a [f32],
    pub rows: usize,
    pub columns: usize,
    pub channels: usize,
    /// From one position's output to the next.
    pub step: usize,
    pub output: &'a mut [f32],
}

impl Dots<'_> {
    /// Fails unless everything that is read and written exists.
    #[inline(always)]
    fn check(&self) {
        let positions = self.rows * self.columns;
        let channels = padded(self.channels);
        assert!(
            self.patches
                .lie_within(self.rows, self.columns, self.input.len())
        );
        assert_eq!(self.patches.depth(), self.pairs);
        assert!(self.weights.len() >= channels * self.pairs && self.bias.len() >= channels);
        assert!(positions == 0 || (positions - 1) * self.step + self.channels <= self.output.len());
    }

    #[inline(always)]
    pub fn run<L: Lanes>(&mut self) {
        /// Positions that are summed together.
        const MANY: usize = 12;
        const FEW: usize = 4;
        self.check();
        let positions = self.rows * self.columns;
        let panels = self.channels.div_ceil(PANEL);
        for panel in (0..panels).step_by(2) {
            let mut done = 0;
            while done < positions {
                let taken = match positions - done {
                    MANY.. => self.panels::<L, MANY>(panel, panels, done),
                    FEW.. => self.panels::<L, FEW>(panel, panels, done),
                    _ => self.panels::<L, 1>(panel, panels, done),
                };
                done += taken;
            }
        }
    }

    /// `P` positions times one or two panels of channels; returns `P`.
    #[inline(always)]
    fn panels<L: Lanes, const P: usize>(
        &mut self,
        panel: usize,
        panels: usize,
        first: usize,
    ) -> usize {
        if panel + 1 < panels {
            self.tile::<L, P, 2>(panel, first);
        } else {
            self.tile::<L, P, 1>(panel, first);
        }
        P
    }

    #[inline(always)]
    #[allow(unsafe_code, clippy::needless_range_loop)] // Constant ranges over arrays, which become registers.
    fn tile<L: Lanes, const P: usize, const V: usize>(&mut self, panel: usize, first: usize) {
        let grid = self.patches;
        // SAFETY: `check` has seen that the patches of all positions lie in the input and that weights and bias have all panels; the
        // processor has the instructions of `L`, which `dispatch` has asked for.
        unsafe {
            let at: [*const Pair; P] = std::array::from_fn(|index| {
                let (row, column) = (
                    (first + index) / self.columns,
                    (first + index) % self.columns,
                );
                let place = row * grid.row_step + column * grid.step;
                self.input.as_ptr().add(place)
            });
            let weights: [*const Pair; V] = std::array::from_fn(|v| {
                self.weights.as_ptr().add((panel + v) * self.pairs * PANEL)
            });
            let bias: [L::Sums; V] =
                std::array::from_fn(|v| L::sums(self.bias.as_ptr().add((panel + v) * PANEL)));
            let mut sums = [bias; P];
            let mut pair = 0;
            for run in 0..grid.runs {
                for i in run * grid.pitch..run * grid.pitch + grid.run {
                    let weight: [L::Pairs; V] =
                        std::array::from_fn(|v| L::pairs(weights[v].add(pair * PANEL)));
                    for p in 0..P {
                        let value = L::pair(*at[p].add(i));
                        for v in 0..V {
                            sums[p][v] = L::dot(sums[p][v], value, weight[v]);
                        }
                    }
                    pair += 1;
                }
            }
            for p in 0..P {
                for v in 0..V {
                    let channel = (panel + v) * PANEL;
                    let count = PANEL.min(self.channels - channel);
                    let place = (first + p) * self.step + channel;
                    let to = &mut self.output[place..place + count];
                    if count == PANEL {
                        L::store(sums[p][v], to.as_mut_ptr());
                    } else {
                        let mut all = [0.0; PANEL];
                        L::store(sums[p][v], all.as_mut_ptr());
                        to.copy_from_slice(&all[..count]);
                    }
                }
            }
        }
    }
}
