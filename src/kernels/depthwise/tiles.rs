//! The innermost loops: a few positions of a register of channels.

#![allow(clippy::needless_range_loop)] // Constant ranges over arrays, which become registers.

use std::mem::MaybeUninit;

use pulp::{Scalar, Simd, WithSimd};

use crate::kernels::activation::Epilogue;
use crate::kernels::simd::{PANEL, Real, clamp, lanes, load, put, store};

/// The first channels of the registers that hold `channels`: the last one may overlap the one before. None if there are fewer
/// channels than lanes.
#[inline(always)]
pub(super) fn registers(channels: usize, lanes: usize) -> impl Iterator<Item = usize> + Clone {
    let whole = channels / lanes;
    let rest = (whole > 0 && !channels.is_multiple_of(lanes)).then(|| channels - lanes);
    (0..whole).map(move |index| index * lanes).chain(rest)
}

/// Every position's patch times the kernels, and the epilogue, channel by channel.
pub(super) struct Depthwise<'a, T> {
    pub input: &'a [T],
    /// From one row of the input to the next.
    pub pitch: usize,
    /// From one position's patch to the next.
    pub step: usize,
    /// From one row of patches to the next.
    pub row_step: usize,
    /// Rows and columns of the kernels.
    pub taps: [usize; 2],
    /// `[tap, channel]`
    pub weights: &'a [T],
    /// The bias is `[channel]`.
    pub epilogue: Epilogue<'a, T>,
    pub rows: usize,
    pub columns: usize,
    pub channels: usize,
    /// From one position's output to the next.
    pub output_step: usize,
    /// From one row of outputs to the next.
    pub output_row_step: usize,
    /// Written, never read.
    pub output: &'a mut [MaybeUninit<T>],
}

impl<T: Real> WithSimd for Depthwise<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let [tap_rows, tap_columns] = self.taps;
        let channels = self.channels;
        if self.rows * self.columns * channels * tap_rows * tap_columns == 0 {
            return;
        }
        let patch = (tap_rows - 1) * self.pitch + tap_columns * channels;
        let last = (self.rows - 1) * self.row_step + (self.columns - 1) * self.step;
        assert!(last + patch <= self.input.len());
        assert!(self.weights.len() >= tap_rows * tap_columns * channels);
        assert!(self.epilogue.bias.len() >= channels);
        let last = (self.rows - 1) * self.output_row_step + (self.columns - 1) * self.output_step;
        assert!(last + channels <= self.output.len());
        let is_wide = channels >= lanes::<S, T>();
        // Apart: a choice in the innermost loop would cost it registers.
        match (is_wide, self.epilogue.is_clamped()) {
            (true, true) => self.positions::<S, true>(simd),
            (true, false) => self.positions::<S, false>(simd),
            (false, true) => self.positions::<Scalar, true>(Scalar::new()),
            (false, false) => self.positions::<Scalar, false>(Scalar::new()),
        }
    }
}

impl<T: Real> Depthwise<'_, T> {
    /// `CLAMPED` if there are bounds.
    #[inline(always)]
    fn positions<S: Simd, const CLAMPED: bool>(&mut self, simd: S) {
        // Images of 7, 14, ... columns are common.
        let sevens = self.columns.is_multiple_of(7) && !self.columns.is_multiple_of(8);
        for row in 0..self.rows {
            let mut column = 0;
            while column < self.columns {
                let left = self.columns - column;
                for channel in registers(self.channels, lanes::<S, T>()) {
                    match left {
                        _ if sevens => self.tile::<S, 7, CLAMPED>(simd, row, column, channel),
                        8.. => self.tile::<S, 8, CLAMPED>(simd, row, column, channel),
                        4.. => self.tile::<S, 4, CLAMPED>(simd, row, column, channel),
                        2.. => self.tile::<S, 2, CLAMPED>(simd, row, column, channel),
                        _ => self.tile::<S, 1, CLAMPED>(simd, row, column, channel),
                    }
                }
                column += match left {
                    _ if sevens => 7,
                    8.. => 8,
                    4.. => 4,
                    2.. => 2,
                    _ => 1,
                };
            }
        }
    }

    /// `Q` neighbouring positions of a register of channels, summed over the taps in order.
    #[inline(always)]
    #[allow(unsafe_code)]
    fn tile<S: Simd, const Q: usize, const CLAMPED: bool>(
        &mut self,
        simd: S,
        row: usize,
        column: usize,
        channel: usize,
    ) {
        // SAFETY: `with_simd` asserted that the patches of all positions lie in `input` and their outputs in `output`, and that
        // `weights` and the bias have all channels; a register from `channel` on lies within the channels.
        unsafe {
            let from = row * self.row_step + column * self.step + channel;
            let from = self.input.as_ptr().add(from);
            let mut weights = self.weights.as_ptr().add(channel);
            let bias = self.epilogue.bias;
            let mut sums = [load::<S, T>(bias.as_ptr().add(channel)); Q];
            for tap_row in 0..self.taps[0] {
                let from = from.add(tap_row * self.pitch);
                for tap_column in 0..self.taps[1] {
                    let at = from.add(tap_column * self.channels);
                    let weight = load::<S, T>(weights);
                    for q in 0..Q {
                        let value = load::<S, T>(at.add(q * self.step));
                        sums[q] = T::multiply_add(simd, value, weight, sums[q]);
                    }
                    weights = weights.wrapping_add(self.channels);
                }
            }
            let to = row * self.output_row_step + column * self.output_step + channel;
            let to = self.output.as_mut_ptr().add(to);
            let [least, largest] = self.epilogue.least_and_largest();
            let bounds = [T::splat(simd, least), T::splat(simd, largest)];
            for q in 0..Q {
                if CLAMPED {
                    sums[q] = clamp::<S, T>(simd, sums[q], bounds);
                }
                store::<S, T>(to.add(q * self.output_step).cast(), sums[q]);
            }
        }
    }
}

/// Every tap's value times the gradient of its position, added to the sums over some rows of positions.
pub(super) struct Sums<'a, T> {
    pub input: &'a [T],
    pub pitch: usize,
    pub step: usize,
    pub row_step: usize,
    /// Rows and columns of the kernels.
    pub kernel: usize,
    /// `[row, column, channel]`
    pub gradient: &'a [T],
    pub rows: usize,
    pub columns: usize,
    pub channels: usize,
    /// `[tap, channel]`
    pub sums: &'a mut [T],
}

impl<T: Real> WithSimd for Sums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (kernel, channels) = (self.kernel, self.channels);
        if self.rows * self.columns * channels == 0 {
            return;
        }
        let patch = (kernel - 1) * self.pitch + kernel * channels;
        let last = (self.rows - 1) * self.row_step + (self.columns - 1) * self.step;
        assert!(last + patch <= self.input.len());
        assert!(self.rows * self.columns * channels <= self.gradient.len());
        assert_eq!(self.sums.len(), kernel * kernel * channels);
        if channels >= lanes::<S, T>() {
            self.channels(simd);
        } else {
            self.channels(Scalar::new());
        }
    }
}

impl<T: Real> Sums<'_, T> {
    #[inline(always)]
    fn channels<S: Simd>(&mut self, simd: S) {
        // A register that overlaps the one before adds to the sums of its new channels alone.
        let lanes = lanes::<S, T>();
        let mut done = 0;
        for channel in registers(self.channels, lanes) {
            let skip = done - channel;
            match self.kernel {
                3 => self.tile::<S, 3, 3>(simd, 0, 0, channel, skip),
                5 => self.tile::<S, 5, 5>(simd, 0, 0, channel, skip),
                7 => {
                    self.tile::<S, 4, 7>(simd, 0, 0, channel, skip);
                    self.tile::<S, 3, 7>(simd, 4, 0, channel, skip);
                }
                kernel => {
                    for row in 0..kernel {
                        for column in 0..kernel {
                            self.tile::<S, 1, 1>(simd, row, column, channel, skip);
                        }
                    }
                }
            }
            done = channel + lanes;
        }
    }

    /// `ROWS` by `COLUMNS` taps of a register of channels, accumulated over the positions in order; the first `skip` lanes
    /// are not added.
    #[inline(always)]
    #[allow(unsafe_code)]
    fn tile<S: Simd, const ROWS: usize, const COLUMNS: usize>(
        &mut self,
        simd: S,
        tap_row: usize,
        tap_column: usize,
        channel: usize,
        skip: usize,
    ) {
        let mut sums = [[T::splat(simd, T::ZERO); COLUMNS]; ROWS];
        // SAFETY: `with_simd` asserted that the patches of all positions lie in `input` and their gradients in `gradient`; a
        // register from `channel` on lies within the channels.
        unsafe {
            for row in 0..self.rows {
                let first = row * self.row_step + tap_row * self.pitch;
                let first = first + tap_column * self.channels + channel;
                let mut at = self.input.as_ptr().add(first);
                let gradient = row * self.columns * self.channels + channel;
                let mut gradient = self.gradient.as_ptr().add(gradient);
                for _ in 0..self.columns {
                    let slope = load::<S, T>(gradient);
                    for i in 0..ROWS {
                        for j in 0..COLUMNS {
                            let value = at.add(i * self.pitch + j * self.channels);
                            let value = load::<S, T>(value);
                            sums[i][j] = T::multiply_add(simd, value, slope, sums[i][j]);
                        }
                    }
                    at = at.wrapping_add(self.step);
                    gradient = gradient.wrapping_add(self.channels);
                }
            }
        }
        for i in 0..ROWS {
            for j in 0..COLUMNS {
                let tap = (tap_row + i) * self.kernel + tap_column + j;
                let mut values = [T::ZERO; PANEL];
                put::<S, T>(&mut values, 0, sums[i][j]);
                let to = &mut self.sums[tap * self.channels + channel..][..lanes::<S, T>()];
                for (to, value) in to.iter_mut().zip(values).skip(skip) {
                    *to += value;
                }
            }
        }
    }
}
