//! The innermost loop: tiles of outputs, summed in registers over pairs of values.

use std::mem::MaybeUninit;

use super::lanes::Lanes;
use super::rounding::Pair;
use crate::kernels::activation::Epilogue;
use crate::kernels::conv::Patches;
use crate::kernels::memory::array;
use crate::kernels::simd::{PANEL, padded};

/// Every position's patch times the weights, and the epilogue.
pub struct Dots<'a> {
    pub patches: Patches,
    pub input: &'a [Pair],
    /// `[panel][pair][16 channels]`
    pub weights: &'a [Pair],
    /// From one panel to the next.
    pub panel: usize,
    /// In whole panels.
    pub epilogue: Epilogue<'a, f32>,
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

/// Index of a position's patch in the input, and of its first output.
#[derive(Clone, Copy, Default)]
struct Place {
    input: usize,
    output: usize,
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
        assert!(self.epilogue.bias.len() >= channels);
        let last = (self.rows - 1) * self.row_step + (self.columns - 1) * self.step;
        assert!(last + self.channels <= self.output.len());
    }

    #[inline(always)]
    pub fn run<L: Lanes>(&mut self) {
        self.check();
        // Apart: a choice in the innermost loop would cost it registers.
        if self.epilogue.is_clamped() {
            self.all::<L, true>();
        } else {
            self.all::<L, false>();
        }
    }

    /// All positions and channels; `CLAMPED` if there are bounds.
    #[inline(always)]
    fn all<L: Lanes, const CLAMPED: bool>(&mut self) {
        let panels = self.channels.div_ceil(PANEL);
        for panel in (0..panels).step_by(2) {
            if panel + 1 < panels {
                self.positions::<L, 2, CLAMPED>(panel);
            } else {
                self.positions::<L, 1, CLAMPED>(panel);
            }
        }
    }

    /// `V` panels of channels for all positions: four neighbours at a time, then the rest of each row.
    #[inline(always)]
    fn positions<L: Lanes, const V: usize, const CLAMPED: bool>(&mut self, panel: usize) {
        let (rows, columns) = (self.rows, self.columns);
        let fours = columns / 4;
        let mut few = [Place::default(); 3];
        let mut count = 0;
        for row in 0..rows {
            for four in 0..fours {
                few[count] = self.place(row, 4 * four);
                count += 1;
                if count == 3 {
                    self.tile::<L, 3, 4, V, CLAMPED>(panel, few);
                    count = 0;
                }
            }
        }
        for &place in &few[..count] {
            self.tile::<L, 1, 4, V, CLAMPED>(panel, [place]);
        }
        let mut few = [Place::default(); 12];
        let mut count = 0;
        for row in 0..rows {
            for column in 4 * fours..columns {
                few[count] = self.place(row, column);
                count += 1;
                if count == 12 {
                    self.tile::<L, 12, 1, V, CLAMPED>(panel, few);
                    count = 0;
                }
            }
        }
        let (four, rest) = few[..count].as_chunks::<4>();
        for &four in four {
            self.tile::<L, 4, 1, V, CLAMPED>(panel, four);
        }
        for &one in rest {
            self.tile::<L, 1, 1, V, CLAMPED>(panel, [one]);
        }
    }

    #[inline(always)]
    fn place(&self, row: usize, column: usize) -> Place {
        Place {
            input: row * self.patches.row_step + column * self.patches.step,
            output: row * self.row_step + column * self.step,
        }
    }

    /// `G` groups of `Q` neighbouring positions times `V` panels of channels.
    #[inline(always)]
    #[allow(unsafe_code, clippy::needless_range_loop)] // Constant ranges over arrays, which become registers.
    fn tile<L: Lanes, const G: usize, const Q: usize, const V: usize, const CLAMPED: bool>(
        &mut self,
        panel: usize,
        places: [Place; G],
    ) {
        let grid = self.patches;
        // SAFETY: `check` has seen that the patches of all positions lie in the input and that weights and bias have all panels; the
        // processor has the instructions of `L`, which `dispatch` has asked for.
        unsafe {
            let mut weights: [*const Pair; V] =
                array(|v| self.weights.as_ptr().add((panel + v) * self.panel));
            let bias = self.epilogue.bias;
            let bounds = self.epilogue.least_and_largest();
            let bias: [L::Sums; V] = array(|v| L::sums(bias.as_ptr().add((panel + v) * PANEL)));
            let mut sums = [[bias; Q]; G];
            for run in 0..grid.runs {
                let at: [*const Pair; G] = array(|group| {
                    self.input
                        .as_ptr()
                        .add(places[group].input + run * grid.pitch)
                });
                for i in 0..grid.run {
                    let weight: [L::Pairs; V] = array(|v| L::pairs(weights[v].add(i * PANEL)));
                    for group in 0..G {
                        for q in 0..Q {
                            let value = L::pair(*at[group].add(q * grid.step + i));
                            for v in 0..V {
                                sums[group][q][v] = L::dot(sums[group][q][v], value, weight[v]);
                            }
                        }
                    }
                }
                weights = weights.map(|weights| weights.add(grid.run * PANEL));
            }
            for group in 0..G {
                for q in 0..Q {
                    let at = places[group].output + q * self.step;
                    for v in 0..V {
                        let mut sum = sums[group][q][v];
                        if CLAMPED {
                            sum = L::clamp(sum, bounds);
                        }
                        self.write::<L>(at, panel + v, sum);
                    }
                }
            }
        }
    }

    /// Writes the channels of a panel that exist, of the position whose first output is `at`.
    ///
    /// # Safety
    /// The processor must have the instructions of `L`.
    #[inline(always)]
    #[allow(unsafe_code)]
    unsafe fn write<L: Lanes>(&mut self, at: usize, panel: usize, sums: L::Sums) {
        let channel = panel * PANEL;
        let count = PANEL.min(self.channels - channel);
        let to = &mut self.output[at + channel..][..count];
        // SAFETY: as promised by the caller; a whole panel of room.
        unsafe {
            if count == PANEL {
                L::store(sums, to.as_mut_ptr().cast());
            } else {
                let mut all = [0.0; PANEL];
                L::store(sums, all.as_mut_ptr());
                to.write_copy_of_slice(&all[..count]);
            }
        }
    }
}
