//! Max pool over square windows with ceil mode, channels last, on slices.

use pulp::Simd;

use super::simd::{ByChannel, Real, by_channel, get, put};
use super::threads;

/// The sizes of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Windows {
    batch: usize,
    height: usize,
    width: usize,
    channels: usize,
    kernel: usize,
    stride: usize,
}

impl Windows {
    /// Of `[batch, height, width, channels]`.
    pub(super) fn new(shape: &[usize], kernel: usize, stride: usize) -> Self {
        let &[batch, height, width, channels] = shape else {
            unreachable!("an image tensor has four dimensions")
        };
        assert!(
            kernel > 0 && stride > 0,
            "kernel size and stride must be positive"
        );
        assert!(
            height.min(width) >= kernel,
            "window must not exceed the image"
        );
        Self {
            batch,
            height,
            width,
            channels,
            kernel,
            stride,
        }
    }

    /// Windows along a side. One that would begin outside the image is left out, as in PyTorch.
    fn along(&self, side: usize) -> usize {
        let windows = (side - self.kernel).div_ceil(self.stride) + 1;
        if (windows - 1) * self.stride < side {
            windows
        } else {
            windows - 1
        }
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
        let (top, left) = (row * self.stride, column * self.stride);
        let columns = left..(left + self.kernel).min(self.width);
        (top..(top + self.kernel).min(self.height))
            .flat_map(move |y| columns.clone().map(move |x| (y * width + x) * channels))
    }

    /// Comparisons of the whole batch.
    fn work(&self) -> usize {
        self.batch * self.output_values() * self.kernel * self.kernel
    }
}

/// The largest value of each window; NaN stays NaN.
pub(super) fn forward<T: Real>(w: &Windows, input: &[T]) -> Vec<T> {
    let mut output = vec![T::ZERO; w.batch * w.output_values()];
    let images: Vec<(&mut [T], &[T])> = output
        .chunks_mut(w.output_values().max(1))
        .zip(input.chunks(w.input_values().max(1)))
        .collect();
    threads::for_each(
        w.work(),
        images,
        || (),
        |(), (output, image)| by_channel(Largest { w, image, output }),
    );
    output
}

struct Largest<'a, T> {
    w: &'a Windows,
    image: &'a [T],
    output: &'a mut [T],
}

impl<T: Real> ByChannel<T> for Largest<'_, T> {
    fn channels(&self) -> usize {
        self.w.channels
    }

    #[inline(always)]
    fn run<S: Simd>(&mut self, simd: S, channel: usize) {
        let w = self.w;
        let columns = w.along(w.width);
        let zero = T::splat(simd, T::ZERO);
        for row in 0..w.along(w.height) {
            for column in 0..columns {
                let corner = (row * w.stride * w.width + column * w.stride) * w.channels;
                let mut value = get::<S, T>(self.image, corner + channel);
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
}

/// The gradient of the input: each output's gradient goes to the first input with the output's value.
pub(super) fn backward<T: Real>(w: &Windows, input: &[T], output: &[T], gradient: &[T]) -> Vec<T> {
    let mut found = vec![T::ZERO; input.len()];
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
            by_channel(Spread {
                w,
                image,
                output,
                gradient,
                to,
            });
        },
    );
    found
}

struct Spread<'a, T> {
    w: &'a Windows,
    image: &'a [T],
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
        let w = self.w;
        let columns = w.along(w.width);
        let zero = T::splat(simd, T::ZERO);
        for row in 0..w.along(w.height) {
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
}
