//! The innermost loop: tiles of outputs, summed in registers over pairs of values.

use std::mem::MaybeUninit;

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
    /// From one panel to the next.
    pub panel: usize,
    /// In whole panels.
    pub bias: &'a [f32],
    pub rows: usize,
    pub columns: usize,
    pub channels: usize,
    /// From one position's output to the next.
    pub step: usize,
    /// From one row of outputs to the next.
    pub row_step: usize,
    /// Written, never read.
    pub output: &'a mut [MaybeUninit<f32>],
}

impl Dots<'_> {
    /// Fails unless everything that is read and written exists.
    #[inline(always)]
    fn check(&self) {
        if self.rows * self.columns * self.channels == 0 {
            return;
        }
        let channels = padded(self.channels);
        assert!(
            self.patches
                .lie_within(self.rows, self.columns, self.input.len())
        );
        let (panels, used) = (channels / PANEL, self.patches.depth() * PANEL);
        assert!((panels - 1) * self.panel + used <= self.weights.len());
        assert!(self.bias.len() >= channels);
        let last = (self.rows - 1) * self.row_step + (self.columns - 1) * self.step;
        assert!(last + self.channels <= self.output.len());
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

    /// Row and column of `P` positions, an index after the other.
    #[inline(always)]
    fn places<const P: usize>(&self, first: usize) -> [(usize, usize); P] {
        let (mut row, mut column) = (first / self.columns, first % self.columns);
        std::array::from_fn(|_| {
            let place = (row, column);
            column += 1;
            if column == self.columns {
                (row, column) = (row + 1, 0);
            }
            place
        })
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
            let places: [(usize, usize); P] = self.places(first);
            let at: [*const Pair; P] = std::array::from_fn(|index| {
                let (row, column) = places[index];
                let place = row * grid.row_step + column * grid.step;
                self.input.as_ptr().add(place)
            });
            let weights: [*const Pair; V] =
                std::array::from_fn(|v| self.weights.as_ptr().add((panel + v) * self.panel));
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
                    let (row, column) = places[p];
                    let place = row * self.row_step + column * self.step + channel;
                    let to = &mut self.output[place..place + count];
                    if count == PANEL {
                        L::store(sums[p][v], to.as_mut_ptr().cast());
                    } else {
                        let mut all = [0.0; PANEL];
                        L::store(sums[p][v], all.as_mut_ptr());
                        to.write_copy_of_slice(&all[..count]);
                    }
                }
            }
        }
    }
}
