//! The innermost loops: tiles of outputs, or of weight gradients, summed in registers.

#![allow(clippy::needless_range_loop)] // Constant ranges over arrays, which become registers.

use std::mem::MaybeUninit;

use pulp::{Simd, WithSimd};

use super::grid::Patches;
use super::weights::Matrix;
use crate::kernels::activation::Epilogue;
use crate::kernels::memory::array;
use crate::kernels::simd::{PANEL, Real, clamp, lanes, load, many_registers, padded, store};

/// Every position's patch times the weights, and the epilogue. `PACKED` weights have a row of [`PANEL`] values, which the compiler
/// exploits.
pub(super) struct Convolution<'a, T, const PACKED: bool> {
    pub patches: Patches,
    pub input: &'a [T],
    pub weights: Matrix<'a, T>,
    /// In whole panels.
    pub epilogue: Epilogue<'a, T>,
    pub rows: usize,
    pub columns: usize,
    pub channels: usize,
    /// From one position's output to the next.
    pub step: usize,
    /// From one row of outputs to the next.
    pub row_step: usize,
    /// Written, never read.
    pub output: &'a mut [MaybeUninit<T>],
}

impl<T: Real, const PACKED: bool> WithSimd for Convolution<'_, T, PACKED> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let channels = padded(self.channels);
        assert!(
            self.patches
                .lie_within(self.rows, self.columns, self.input.len())
        );
        assert!(!PACKED || self.weights.row == PANEL);
        assert!(self.weights.holds(self.patches.depth(), channels));
        assert_eq!(self.epilogue.bias.len(), channels);
        if self.rows * self.columns * channels == 0 {
            return;
        }
        let last = (self.rows - 1) * self.row_step + (self.columns - 1) * self.step;
        assert!(last + self.channels <= self.output.len());
        // Apart: a choice in the innermost loop would cost it registers.
        if self.epilogue.is_clamped() {
            self.all::<S, true>(simd, channels);
        } else {
            self.all::<S, false>(simd, channels);
        }
    }
}

/// The index of a patch in the input, and of its first output.
type Place = (usize, usize);

impl<T: Real, const PACKED: bool> Convolution<'_, T, PACKED> {
    /// All positions and `channels`; `CLAMPED` if there are bounds.
    #[inline(always)]
    fn all<S: Simd, const CLAMPED: bool>(mut self, simd: S, channels: usize) {
        let lanes = lanes::<S, T>();
        let mut channel = 0;
        while channel + 2 * lanes <= channels {
            self.positions::<S, 2, CLAMPED>(simd, channel);
            channel += 2 * lanes;
        }
        if channel < channels {
            self.positions::<S, 1, CLAMPED>(simd, channel);
        }
        self.last_positions::<S, CLAMPED>(simd, channels);
    }

    /// `V` registers of channels for all positions, but for the [last few](Self::last_positions) if they don't fill a tile: four neighbours at
    /// a time, then the rest of each row.
    #[inline(always)]
    fn positions<S: Simd, const V: usize, const CLAMPED: bool>(&mut self, simd: S, channel: usize) {
        let (rows, columns) = (self.rows, self.columns);
        let (grid, step, row_step) = (self.patches, self.step, self.row_step);
        let place = move |row: usize, column: usize| -> Place {
            (
                row * grid.row_step + column * grid.step,
                row * row_step + column * step,
            )
        };
        let fours = columns / 4;
        let mut few = [(0, 0); 3];
        let mut count = 0;
        for row in 0..rows {
            for four in 0..fours {
                let place = place(row, 4 * four);
                if const { many_registers::<S>() } {
                    few[count] = place;
                    count += 1;
                    if count == 3 {
                        self.tile::<S, 3, 4, V, CLAMPED>(simd, few, channel);
                        count = 0;
                    }
                } else {
                    self.tile::<S, 1, 4, V, CLAMPED>(simd, [place], channel);
                }
            }
        }
        for &place in &few[..count] {
            self.tile::<S, 1, 4, V, CLAMPED>(simd, [place], channel);
        }
        let mut few = [(0, 0); 12];
        let most = if many_registers::<S>() { 12 } else { 4 };
        let mut count = 0;
        for row in 0..rows {
            for column in 4 * fours..columns {
                few[count] = place(row, column);
                count += 1;
                if count == most {
                    if const { many_registers::<S>() } {
                        self.tile::<S, 12, 1, V, CLAMPED>(simd, few, channel);
                    } else {
                        self.tile::<S, 4, 1, V, CLAMPED>(
                            simd,
                            [few[0], few[1], few[2], few[3]],
                            channel,
                        );
                    }
                    count = 0;
                }
            }
        }
        self.apart::<S, V, CLAMPED>(simd, channel, &few[..count]);
    }

    /// Positions that are no neighbours, four at a time, and those that are left, if they [fill a tile](Self::fill_a_tile).
    #[inline(always)]
    fn apart<S: Simd, const V: usize, const CLAMPED: bool>(
        &mut self,
        simd: S,
        channel: usize,
        few: &[Place],
    ) {
        let (fours, left) = few.as_chunks::<4>();
        for &four in fours {
            self.tile::<S, 4, 1, V, CLAMPED>(simd, four, channel);
        }
        if let Some(&last) = left.last()
            && self.fill_a_tile()
        {
            let mut four = [last; 4];
            four[..left.len()].copy_from_slice(left);
            self.tile::<S, 4, 1, V, CLAMPED>(simd, four, channel);
        }
    }

    /// Whether the last positions, fewer than four, are computed as four, one of them several times, while the weights are in the first-level
    /// cache. A single one of few positions has more from many registers of channels; so has every one where code is downloaded, which has one
    /// kernel less.
    #[inline(always)]
    fn fill_a_tile(&self) -> bool {
        let left = self.rows * (self.columns % 4) % 4;
        !cfg!(target_family = "wasm") && (left > 1 || self.rows * self.columns >= 16)
    }

    /// The last positions, fewer than four, if they don't [fill a tile](Self::fill_a_tile): one at a time, with as many registers of channels
    /// as keep the processor busy.
    #[inline(always)]
    fn last_positions<S: Simd, const CLAMPED: bool>(&mut self, simd: S, channels: usize) {
        if self.fill_a_tile() {
            return;
        }
        let lanes = lanes::<S, T>();
        let beside = self.columns % 4;
        let all = self.rows * beside;
        for index in all - all % 4..all {
            let (row, column) = (index / beside, self.columns - beside + index % beside);
            let place = (
                row * self.patches.row_step + column * self.patches.step,
                row * self.row_step + column * self.step,
            );
            let mut channel = 0;
            if const { many_registers::<S>() } {
                while channel + 8 * lanes <= channels {
                    self.tile::<S, 1, 1, 8, CLAMPED>(simd, [place], channel);
                    channel += 8 * lanes;
                }
            }
            while channel + 4 * lanes <= channels {
                self.tile::<S, 1, 1, 4, CLAMPED>(simd, [place], channel);
                channel += 4 * lanes;
            }
            while channel < channels {
                self.tile::<S, 1, 1, 1, CLAMPED>(simd, [place], channel);
                channel += lanes;
            }
        }
    }

    /// `G` groups of `Q` neighbouring positions times `V` registers of channels, summed over the patch in order.
    #[inline(always)]
    #[allow(unsafe_code)]
    fn tile<S: Simd, const G: usize, const Q: usize, const V: usize, const CLAMPED: bool>(
        &mut self,
        simd: S,
        places: [Place; G],
        channel: usize,
    ) {
        let lanes = lanes::<S, T>();
        let grid = self.patches;
        // SAFETY: `with_simd` asserted that every patch of every position lies in `input`, that `weights` holds whole panels
        // for `channels` rounded up, in which `V` registers from `channel` on lie, and the bias has as many values; places are
        // positions of the output, and a register is written only where all of its channels exist.
        unsafe {
            let weights: [*const T; V] = array(|v| {
                let place = self.weights.place(channel + v * lanes);
                self.weights.values.as_ptr().add(place)
            });
            let bias = self.epilogue.bias;
            let bias: [T::Vector<S>; V] =
                array(|v| load::<S, T>(bias.as_ptr().add(channel + v * lanes)));
            let row = if PACKED { PANEL } else { self.weights.row };
            let mut sums = [[bias; Q]; G];
            let mut tap = 0;
            for run in 0..grid.runs {
                let at: [*const T; G] =
                    array(|group| self.input.as_ptr().add(places[group].0 + run * grid.pitch));
                for i in 0..grid.run {
                    let weight: [T::Vector<S>; V] =
                        array(|v| load::<S, T>(weights[v].add(tap * row)));
                    for group in 0..G {
                        for q in 0..Q {
                            let value = T::splat(simd, *at[group].add(q * grid.step + i));
                            for v in 0..V {
                                sums[group][q][v] =
                                    T::multiply_add(simd, value, weight[v], sums[group][q][v]);
                            }
                        }
                    }
                    tap += 1;
                }
            }
            let [least, largest] = self.epilogue.least_and_largest();
            let bounds = [T::splat(simd, least), T::splat(simd, largest)];
            for group in 0..G {
                for q in 0..Q {
                    let at = places[group].1 + q * self.step;
                    for v in 0..V {
                        let mut sum = sums[group][q][v];
                        if CLAMPED {
                            sum = clamp::<S, T>(simd, sum, bounds);
                        }
                        self.write::<S>(at, channel + v * lanes, sum);
                    }
                }
            }
        }
    }

    /// Writes a register of the position whose first output is `at`, as far as its channels exist.
    ///
    /// # Safety
    /// All channels of the position must lie in `output`.
    #[inline(always)]
    #[allow(unsafe_code)]
    unsafe fn write<S: Simd>(&mut self, at: usize, channel: usize, values: T::Vector<S>) {
        let left = self.channels.saturating_sub(channel);
        if left >= lanes::<S, T>() {
            // SAFETY: as promised by the caller.
            unsafe {
                let to = self.output.as_mut_ptr().add(at + channel);
                store::<S, T>(to.cast(), values);
            }
        } else if left > 0 {
            let mut all = [T::ZERO; PANEL];
            // SAFETY: a register is at most a panel.
            unsafe { store::<S, T>(all.as_mut_ptr(), values) };
            self.output[at + channel..][..left].write_copy_of_slice(&all[..left]);
        }
    }
}

/// Every patch value times the gradient of its position, added to the sums over the positions of some images.
pub(super) struct WeightGradient<'a, T> {
    pub patches: Patches,
    pub input: &'a [T],
    pub gradient: &'a [T],
    pub step: usize,
    pub row_step: usize,
    pub images: usize,
    /// From one image to the next, in `input` and in `gradient`.
    pub image_steps: [usize; 2],
    pub rows: usize,
    pub columns: usize,
    /// In whole panels.
    pub channels: usize,
    /// The first value of whole patches that `patches` has.
    pub first_tap: usize,
    /// Values of whole patches, for which there are sums.
    pub depth: usize,
    pub sums: &'a mut [T],
}

impl<T: Real> WithSimd for WeightGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.images * self.rows * self.columns == 0 {
            return;
        }
        let before = self.image_steps.map(|step| (self.images - 1) * step);
        let last = (self.rows - 1) * self.row_step + (self.columns - 1) * self.step;
        assert!(before[0] <= self.input.len());
        assert!(
            self.patches
                .lie_within(self.rows, self.columns, self.input.len() - before[0])
        );
        assert!(before[1] + last + self.channels <= self.gradient.len());
        assert!(self.first_tap + self.patches.depth() <= self.depth);
        assert_eq!(self.sums.len(), self.channels * self.depth);
        let mut run = self;
        let lanes = lanes::<S, T>();
        let mut channel = 0;
        while channel + 2 * lanes <= run.channels {
            run.taps::<S, 2>(simd, channel);
            channel += 2 * lanes;
        }
        if channel < run.channels {
            run.taps::<S, 1>(simd, channel);
        }
    }
}

impl<T: Real> WeightGradient<'_, T> {
    #[inline(always)]
    fn taps<S: Simd, const V: usize>(&mut self, simd: S, channel: usize) {
        for run in 0..self.patches.runs {
            let mut i = 0;
            while i < self.patches.run {
                let left = self.patches.run - i;
                if const { many_registers::<S>() } {
                    if left >= 8 {
                        i += match left {
                            12.. => self.tile::<S, 12, V>(simd, run, i, channel),
                            _ => self.tile::<S, 8, V>(simd, run, i, channel),
                        };
                        continue;
                    }
                } else if left >= 6 && left != 8 {
                    i += self.tile::<S, 6, V>(simd, run, i, channel);
                    continue;
                }
                i += match left {
                    4.. => self.tile::<S, 4, V>(simd, run, i, channel),
                    3 => self.tile::<S, 3, V>(simd, run, i, channel),
                    _ => self.tile::<S, 1, V>(simd, run, i, channel),
                };
            }
        }
    }

    /// `J` adjacent taps times `V` vector registers of channels, accumulated over the positions in order. Returns `J`.
    #[inline(always)]
    #[allow(unsafe_code)]
    fn tile<S: Simd, const J: usize, const V: usize>(
        &mut self,
        simd: S,
        run: usize,
        i: usize,
        channel: usize,
    ) -> usize {
        let lanes = lanes::<S, T>();
        let grid = self.patches;
        let tap = self.first_tap + run * grid.run + i;
        let depth = self.depth;
        let place = |j: usize, v: usize| {
            let (panel, lane) = ((channel + v * lanes) / PANEL, (channel + v * lanes) % PANEL);
            (panel * depth + tap + j) * PANEL + lane
        };
        // SAFETY: `with_simd` asserted that every patch of every position lies in `input`, that a register from `channel` on
        // lies in `gradient` for every position, and that `sums` has a register for every tap and channel.
        unsafe {
            let to = self.sums.as_mut_ptr();
            let mut sums: [[T::Vector<S>; V]; J] =
                array(|j| array(|v| load::<S, T>(to.add(place(j, v)))));
            for image in 0..self.images {
                let input = self.input.as_ptr().add(image * self.image_steps[0]);
                let gradients = self.gradient.as_ptr().add(image * self.image_steps[1]);
                for row in 0..self.rows {
                    let mut at = input.add(row * grid.row_step + run * grid.pitch + i);
                    let mut gradient = gradients.add(row * self.row_step + channel);
                    for column in 0..self.columns {
                        let slopes: [T::Vector<S>; V] =
                            array(|v| load::<S, T>(gradient.add(v * lanes)));
                        for j in 0..J {
                            let value = T::splat(simd, *at.add(j));
                            for v in 0..V {
                                sums[j][v] = T::multiply_add(simd, value, slopes[v], sums[j][v]);
                            }
                        }
                        if column + 1 < self.columns {
                            at = at.add(grid.step);
                            gradient = gradient.add(self.step);
                        }
                    }
                }
            }
            for j in 0..J {
                for v in 0..V {
                    store::<S, T>(to.add(place(j, v)), sums[j][v]);
                }
            }
        }
        J
    }
}
