//! Images to transformed tiles and back, a row of tiles at a time.

#![allow(clippy::needless_range_loop)] // Constant ranges over arrays, which become registers.

use std::mem::MaybeUninit;

use pulp::{Simd, WithSimd};

use super::planes::{Planes, Tiling};
use crate::kernels::activation::Epilogue;
use crate::kernels::memory::array;
use crate::kernels::simd::{Real, clamp, lanes, load, store};

/// `B' d B` of a row of tiles.
pub(super) struct Inputs<'a, T> {
    /// An image, `[row, column, channel]`.
    pub image: &'a [T],
    pub tiling: Tiling,
    pub channels: usize,
    /// Which row of tiles.
    pub row: usize,
    /// Four rows of [`strip_row`] values, in whose columns beyond the image are zeros.
    pub strip: &'a mut [T],
    pub planes: Planes,
    /// Index of the first tile in `output`.
    pub first: usize,
    /// Written, never read.
    pub output: &'a mut [MaybeUninit<T>],
}

/// Values of a row of [`Inputs::strip`].
pub(super) fn strip_row(tiling: Tiling, channels: usize) -> usize {
    (2 * tiling.columns() + 2) * channels
}

impl<T: Real> WithSimd for Inputs<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        self.rows(simd);
        self.columns(simd);
    }
}

impl<T: Real> Inputs<'_, T> {
    /// `B' d` into the strip.
    #[inline(always)]
    #[allow(unsafe_code)]
    fn rows<S: Simd>(&mut self, simd: S) {
        let line = self.tiling.width * self.channels;
        let pitch = strip_row(self.tiling, self.channels);
        assert_eq!(self.image.len(), self.tiling.height * line);
        assert_eq!(self.strip.len(), 4 * pitch);
        assert!(line + self.channels <= pitch);
        assert!(line.is_multiple_of(lanes::<S, T>()));
        let from: [Option<*const T>; 4] = array(|i| {
            let row = (2 * self.row + i)
                .checked_sub(1)
                .filter(|&row| row < self.tiling.height);
            row.map(|row| self.image[row * line..].as_ptr())
        });
        // SAFETY: each row of the image has `line` values.
        if let [Some(a), Some(b), Some(c), Some(d)] = from {
            let rows = [a, b, c, d];
            self.line(simd, line, |i, at| unsafe { load::<S, T>(rows[i].add(at)) });
        } else {
            let zero = T::splat(simd, T::ZERO);
            self.line(simd, line, |i, at| match from[i] {
                Some(row) => unsafe { load::<S, T>(row.add(at)) },
                None => zero,
            });
        }
    }

    /// [`rows`](Self::rows) of four lines of values: `load(which, index)`.
    #[inline(always)]
    #[allow(unsafe_code)]
    fn line<S: Simd>(&mut self, simd: S, line: usize, load: impl Fn(usize, usize) -> T::Vector<S>) {
        let pitch = strip_row(self.tiling, self.channels);
        for at in (0..line).step_by(lanes::<S, T>()) {
            let d: [T::Vector<S>; 4] = array(|i| load(i, at));
            // SAFETY: `rows` has seen that each row of the strip has `line` values after its first column.
            unsafe {
                let to = self.strip.as_mut_ptr().add(self.channels + at);
                for (i, value) in input_line::<S, T>(simd, d).into_iter().enumerate() {
                    store::<S, T>(to.add(i * pitch), value);
                }
            }
        }
    }

    /// The strip times `B`, into the output.
    #[inline(always)]
    #[allow(unsafe_code)]
    fn columns<S: Simd>(&mut self, simd: S) {
        let (channels, tiles) = (self.channels, self.tiling.columns());
        let pitch = strip_row(self.tiling, channels);
        assert!(channels.is_multiple_of(lanes::<S, T>()));
        assert!(self.first + tiles <= self.planes.tiles && channels <= self.planes.step);
        assert!(self.planes.values() <= self.output.len());
        for i in 0..4 {
            for tile in 0..tiles {
                // SAFETY: the strip has four columns from that of each tile on, and the output a plane for each element with
                // `channels` values for each tile.
                unsafe {
                    let from = self.strip.as_ptr().add(i * pitch + 2 * tile * channels);
                    let to = 4 * i * self.planes.plane + (self.first + tile) * self.planes.step;
                    let to = self.output.as_mut_ptr().add(to);
                    for channel in (0..channels).step_by(lanes::<S, T>()) {
                        let d: [T::Vector<S>; 4] =
                            array(|j| load::<S, T>(from.add(j * channels + channel)));
                        for (j, value) in input_line::<S, T>(simd, d).into_iter().enumerate() {
                            let to = to.add(j * self.planes.plane + channel);
                            store::<S, T>(to.cast(), value);
                        }
                    }
                }
            }
        }
    }
}

/// `B' d` of four values.
#[inline(always)]
fn input_line<S: Simd, T: Real>(simd: S, d: [T::Vector<S>; 4]) -> [T::Vector<S>; 4] {
    [
        T::minus(simd, d[0], d[2]),
        T::plus(simd, d[1], d[2]),
        T::minus(simd, d[2], d[1]),
        T::minus(simd, d[1], d[3]),
    ]
}

/// `A' m A` of a row of tiles, and the epilogue.
pub(super) struct Outputs<'a, T> {
    pub input: &'a [T],
    pub planes: Planes,
    /// Index of the first tile in `input`.
    pub first: usize,
    pub tiling: Tiling,
    pub channels: usize,
    /// Which row of tiles.
    pub row: usize,
    /// A value per channel.
    pub epilogue: Epilogue<'a, T>,
    /// Rows of an image, of which the first is that of the tiles. Written, never read.
    pub output: &'a mut [MaybeUninit<T>],
}

impl<T: Real> WithSimd for Outputs<'_, T> {
    type Output = ();

    #[inline(always)]
    #[allow(unsafe_code)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (channels, width) = (self.channels, self.tiling.width);
        let tiles = self.tiling.columns();
        let rows = 2.min(self.tiling.height - 2 * self.row);
        let Epilogue { bias, bounds } = self.epilogue;
        let bounds = bounds.map(|bounds| bounds.map(|bound| T::splat(simd, bound)));
        assert!(channels.is_multiple_of(lanes::<S, T>()) && channels <= bias.len());
        assert!(self.first + tiles <= self.planes.tiles && channels <= self.planes.step);
        assert!(self.planes.values() <= self.input.len());
        assert!(rows * width * channels <= self.output.len());
        for tile in 0..tiles {
            let columns = 2.min(width - 2 * tile);
            // SAFETY: the input has a plane for each element with `channels` values for each tile, and the output the rows and
            // columns of the tile that lie in the image.
            unsafe {
                let from = (self.first + tile) * self.planes.step;
                let from = self.input.as_ptr().add(from);
                let to = self.output.as_mut_ptr().add(2 * tile * channels);
                for channel in (0..channels).step_by(lanes::<S, T>()) {
                    let bias = load::<S, T>(bias.as_ptr().add(channel));
                    let mut half = [[bias; 4]; 2];
                    for j in 0..4 {
                        let m = array(|i| {
                            load::<S, T>(from.add((4 * i + j) * self.planes.plane + channel))
                        });
                        [half[0][j], half[1][j]] = output_line::<S, T>(simd, m);
                    }
                    for row in 0..rows {
                        let y = output_line::<S, T>(simd, half[row]);
                        for column in 0..columns {
                            let at = (row * width + column) * channels + channel;
                            let mut value = T::plus(simd, y[column], bias);
                            if let Some(bounds) = bounds {
                                value = clamp::<S, T>(simd, value, bounds);
                            }
                            store::<S, T>(to.add(at).cast(), value);
                        }
                    }
                }
            }
        }
    }
}

/// `A' m` of four values.
#[inline(always)]
fn output_line<S: Simd, T: Real>(simd: S, m: [T::Vector<S>; 4]) -> [T::Vector<S>; 2] {
    [
        T::plus(simd, T::plus(simd, m[0], m[1]), m[2]),
        T::minus(simd, T::minus(simd, m[1], m[2]), m[3]),
    ]
}

/// `A dy A'` of a row of tiles.
pub(super) struct Gradients<'a, T> {
    /// An image, `[row, column, channel]`.
    pub image: &'a [T],
    pub tiling: Tiling,
    pub channels: usize,
    /// Which row of tiles.
    pub row: usize,
    pub planes: Planes,
    /// Index of the first tile in `output`.
    pub first: usize,
    /// Written, never read.
    pub output: &'a mut [MaybeUninit<T>],
}

impl<T: Real> WithSimd for Gradients<'_, T> {
    type Output = ();

    #[inline(always)]
    #[allow(unsafe_code)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (channels, width) = (self.channels, self.tiling.width);
        let tiles = self.tiling.columns();
        let rows = 2.min(self.tiling.height - 2 * self.row);
        assert!(channels.is_multiple_of(lanes::<S, T>()));
        assert_eq!(self.image.len(), self.tiling.height * width * channels);
        assert!(self.first + tiles <= self.planes.tiles && channels <= self.planes.step);
        assert!(self.planes.values() <= self.output.len());
        let zero = T::splat(simd, T::ZERO);
        for tile in 0..tiles {
            let columns = 2.min(width - 2 * tile);
            // SAFETY: only rows and columns that lie in the image are read; the output has a plane for each element with
            // `channels` values for each tile.
            unsafe {
                let from = (2 * self.row * width + 2 * tile) * channels;
                let from = self.image.as_ptr().add(from);
                let to = (self.first + tile) * self.planes.step;
                let to = self.output.as_mut_ptr().add(to);
                for channel in (0..channels).step_by(lanes::<S, T>()) {
                    let value = |row: usize, column: usize| {
                        if row < rows && column < columns {
                            load::<S, T>(from.add((row * width + column) * channels + channel))
                        } else {
                            zero
                        }
                    };
                    let left = gradient_line::<S, T>(simd, [value(0, 0), value(1, 0)]);
                    let right = gradient_line::<S, T>(simd, [value(0, 1), value(1, 1)]);
                    for i in 0..4 {
                        let line = gradient_line::<S, T>(simd, [left[i], right[i]]);
                        for j in 0..4 {
                            let to = to.add((4 * i + j) * self.planes.plane + channel);
                            store::<S, T>(to.cast(), line[j]);
                        }
                    }
                }
            }
        }
    }
}

/// `A dy` of two values.
#[inline(always)]
fn gradient_line<S: Simd, T: Real>(simd: S, d: [T::Vector<S>; 2]) -> [T::Vector<S>; 4] {
    [
        d[0],
        T::plus(simd, d[0], d[1]),
        T::minus(simd, d[0], d[1]),
        T::minus(simd, T::splat(simd, T::ZERO), d[1]),
    ]
}
