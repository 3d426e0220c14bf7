//! Max pool over square windows, channels last, on slices.

use std::mem::MaybeUninit;
use std::ops::Range;

use pulp::Simd;

use super::memory::{filled, filled_part, room};
use super::simd::{ByChannel, Real, by_channel, get, put};
use super::threads;

/// How a square window moves over an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolOptions {
    /// Rows and columns of the window.
    pub kernel: usize,
    /// Step of the window, both ways.
    pub stride: usize,
    /// Positions around the image, which are smaller than any value; at most half the window.
    pub padding: usize,
    /// Whether the last window may extend over the edge; one that would begin after the image is left out, as in PyTorch.
    pub ceil_mode: bool,
}

impl PoolOptions {
    /// Without padding, and with ceil mode.
    pub const fn ceil(kernel: usize, stride: usize) -> Self {
        Self {
            kernel,
            stride,
            padding: 0,
            ceil_mode: true,
        }
    }
}

/// The sizes of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Windows {
    batch: usize,
    height: usize,
    width: usize,
    channels: usize,
    options: PoolOptions,
}

impl Windows {
    /// Of `[batch, height, width, channels]`.
    pub(super) fn new(shape: &[usize], options: PoolOptions) -> Self {
        let &[batch, height, width, channels] = shape else {
            unreachable!("an image tensor has four dimensions")
        };
        assert!(
            options.kernel > 0 && options.stride > 0,
            "kernel size and stride must be positive"
        );
        assert!(
            2 * options.padding <= options.kernel,
            "padding must not exceed half the window"
        );
        assert!(
            height.min(width) + 2 * options.padding >= options.kernel,
            "window must not exceed the image"
        );
        Self {
            batch,
            height,
            width,
            channels,
            options,
        }
    }

    /// Windows along a side.
    fn along(&self, side: usize) -> usize {
        let PoolOptions {
            kernel,
            stride,
            padding,
            ceil_mode,
        } = self.options;
        let last = side + 2 * padding - kernel;
        if !ceil_mode {
            return last / stride + 1;
        }
        let windows = last.div_ceil(stride) + 1;
        if (windows - 1) * stride < side + padding {
            windows
        } else {
            windows - 1
        }
    }

    /// The positions of a window that lie in the image, along a side.
    #[inline(always)]
    fn window(&self, index: usize, side: usize) -> Range<usize> {
        let start = index * self.options.stride;
        let end = start + self.options.kernel - self.options.padding;
        start.saturating_sub(self.options.padding)..end.min(side)
    }

    pub(super) fn input_shape(&self) -> [usize; 4] {
        [self.batch, self.height, self.width, self.channels]
    }

    pub(super) fn output_shape(&self) -> [usize; 4] {
        [
            self.batch,
            self.along(self.height),
            self.along(self.width),
            self.channels,
        ]
    }

    fn input_values(&self) -> usize {
        self.height * self.width * self.channels
    }

    fn output_values(&self) -> usize {
        self.along(self.height) * self.along(self.width) * self.channels
    }

    /// The indices of a window's inputs, row by row.
    #[inline(always)]
    fn indices(&self, row: usize, column: usize) -> impl Iterator<Item = usize> + use<> {
        let (width, channels) = (self.width, self.channels);
        let columns = self.window(column, width);
        self.window(row, self.height)
            .flat_map(move |y| columns.clone().map(move |x| (y * width + x) * channels))
    }

    /// The index of a window's first input.
    #[inline(always)]
    fn corner(&self, row: usize, column: usize) -> usize {
        let (row, column) = (
            self.window(row, self.height),
            self.window(column, self.width),
        );
        (row.start * self.width + column.start) * self.channels
    }

    /// Comparisons of the whole batch.
    fn work(&self) -> usize {
        self.batch * self.output_values() * self.options.kernel * self.options.kernel
    }
}

/// The largest value of each window; NaN stays NaN.
#[allow(unsafe_code)]
pub(super) fn forward<T: Real>(w: &Windows, input: &[T]) -> Vec<T> {
    let mut output = room(w.batch * w.output_values());
    let images: Vec<_> = output
        .chunks_mut(w.output_values().max(1))
        .zip(input.chunks(w.input_values().max(1)))
        .collect();
    threads::for_each(
        w.work(),
        images,
        || (),
        |(), (output, image)| {
            let output = zeros(output);
            for row in 0..w.along(w.height) {
                by_channel(Largest {
                    w,
                    image,
                    row,
                    output,
                });
            }
        },
    );
    // SAFETY: each image has been filled.
    unsafe { filled(output) }
}

/// Zeros to write on, while they are in the cache.
#[allow(unsafe_code)]
fn zeros<T: Real>(room: &mut [MaybeUninit<T>]) -> &mut [T] {
    room.fill(MaybeUninit::new(T::ZERO));
    // SAFETY: just filled.
    unsafe { filled_part(room) }
}

/// A row of windows.
struct Largest<'a, T> {
    w: &'a Windows,
    image: &'a [T],
    row: usize,
    output: &'a mut [T],
}

impl<T: Real> ByChannel<T> for Largest<'_, T> {
    fn channels(&self) -> usize {
        self.w.channels
    }

    #[inline(always)]
    fn run<S: Simd>(&mut self, simd: S, channel: usize) {
        let (w, row) = (self.w, self.row);
        let columns = w.along(w.width);
        let zero = T::splat(simd, T::ZERO);
        for column in 0..columns {
            let mut value = get::<S, T>(self.image, w.corner(row, column) + channel);
            let mut sum = zero;
            for at in w.indices(row, column) {
                let x = get::<S, T>(self.image, at + channel);
                value = T::select(simd, T::greater(simd, x, value), x, value);
                sum = T::plus(simd, sum, x);
            }
            // Comparisons drop NaN; the sum does not.
            let value = T::multiply_add(simd, zero, sum, value);
            let to = (row * columns + column) * w.channels;
            put::<S, T>(self.output, to + channel, value);
        }
    }
}

/// The gradient of the input: each output's gradient goes to the first input with the output's value.
#[allow(unsafe_code)]
pub(super) fn backward<T: Real>(w: &Windows, input: &[T], output: &[T], gradient: &[T]) -> Vec<T> {
    let mut found = room(input.len());
    let (values, pooled) = (w.input_values().max(1), w.output_values().max(1));
    let images: Vec<_> = found
        .chunks_mut(values)
        .zip(input.chunks(values))
        .zip(output.chunks(pooled).zip(gradient.chunks(pooled)))
        .collect();
    threads::for_each(
        w.work(),
        images,
        || (),
        |(), ((to, image), (output, gradient))| {
            let to = zeros(to);
            for row in 0..w.along(w.height) {
                by_channel(Spread {
                    w,
                    image,
                    row,
                    output,
                    gradient,
                    to,
                });
            }
        },
    );
    // SAFETY: each image has been filled.
    unsafe { filled(found) }
}

/// A row of windows.
struct Spread<'a, T> {
    w: &'a Windows,
    image: &'a [T],
    row: usize,
    output: &'a [T],
    gradient: &'a [T],
    to: &'a mut [T],
}

impl<T: Real> ByChannel<T> for Spread<'_, T> {
    fn channels(&self) -> usize {
        self.w.channels
    }

    #[inline(always)]
    fn run<S: Simd>(&mut self, simd: S, channel: usize) {
        let (w, row) = (self.w, self.row);
        let columns = w.along(w.width);
        let zero = T::splat(simd, T::ZERO);
        for column in 0..columns {
            let from = (row * columns + column) * w.channels + channel;
            let value = get::<S, T>(self.output, from);
            let mut left = get::<S, T>(self.gradient, from);
            for at in w.indices(row, column) {
                let here = T::equal(simd, get::<S, T>(self.image, at + channel), value);
                let passed = T::select(simd, here, left, zero);
                left = T::select(simd, here, zero, left);
                let sum = T::plus(simd, get::<S, T>(self.to, at + channel), passed);
                put::<S, T>(self.to, at + channel, sum);
            }
        }
    }
}
