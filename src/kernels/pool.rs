//! Max pool over square windows, channels last, on slices.

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Range;

use pulp::{Scalar, Simd, WithSimd};

use super::memory::{filled, filled_part, room};
use super::simd::{Real, get, lanes, put};
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

    /// The end of the last row of the image that the first `rows` rows of windows look at.
    fn seen(&self, rows: usize) -> usize {
        let windows = (0..rows).next_back();
        windows.map_or(0, |row| self.window(row, self.height).end)
    }

    /// Comparisons of the whole batch.
    fn work(&self) -> usize {
        self.batch * self.output_values() * self.options.kernel * self.options.kernel
    }
}

/// A window.
struct Window {
    /// Rows of the image.
    rows: Range<usize>,
    /// Columns of the image.
    columns: Range<usize>,
    /// Index of its output's first channel.
    output: usize,
}

impl Window {
    /// The indices of the first channel of its inputs, row by row.
    #[inline(always)]
    fn inputs(&self, w: &Windows) -> impl Iterator<Item = usize> + use<> {
        let (columns, width, channels) = (self.columns.clone(), w.width, w.channels);
        self.rows
            .clone()
            .flat_map(move |y| columns.clone().map(move |x| (y * width + x) * channels))
    }
}

/// Work that is the same for every window and channel.
trait OnWindows<T: Real> {
    /// Works on the register of channels that starts at `channel`. Mark implementations `#[inline(always)]`.
    fn run<S: Simd>(&mut self, simd: S, window: &Window, channel: usize);
}

/// Work on a row of windows: on all channels of one, then of the next, which finds in the cache what both look at.
struct Row<'a, T, K> {
    w: &'a Windows,
    row: usize,
    work: K,
    values: PhantomData<T>,
}

impl<T: Real, K: OnWindows<T>> WithSimd for Row<'_, T, K> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (w, lanes) = (self.w, lanes::<S, T>());
        let whole = w.channels / lanes * lanes;
        let columns = w.along(w.width);
        for column in 0..columns {
            let window = Window {
                rows: w.window(self.row, w.height),
                columns: w.window(column, w.width),
                output: (self.row * columns + column) * w.channels,
            };
            for channel in (0..whole).step_by(lanes) {
                self.work.run(simd, &window, channel);
            }
            for channel in whole..w.channels {
                self.work.run(Scalar::new(), &window, channel);
            }
        }
    }
}

fn on_row<T: Real>(w: &Windows, row: usize, work: impl OnWindows<T>) {
    let values = PhantomData;
    T::dispatch(Row {
        w,
        row,
        work,
        values,
    });
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
                on_row(w, row, Largest { w, image, output });
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

struct Largest<'a, T> {
    w: &'a Windows,
    image: &'a [T],
    output: &'a mut [T],
}

impl<T: Real> OnWindows<T> for Largest<'_, T> {
    #[inline(always)]
    fn run<S: Simd>(&mut self, simd: S, window: &Window, channel: usize) {
        let zero = T::splat(simd, T::ZERO);
        let corner = (window.rows.start * self.w.width + window.columns.start) * self.w.channels;
        let mut value = get::<S, T>(self.image, corner + channel);
        let mut sum = zero;
        for at in window.inputs(self.w) {
            let x = get::<S, T>(self.image, at + channel);
            value = T::select(simd, T::greater(simd, x, value), x, value);
            sum = T::plus(simd, sum, x);
        }
        // Comparisons drop NaN; the sum does not.
        let value = T::multiply_add(simd, zero, sum, value);
        put::<S, T>(self.output, window.output + channel, value);
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
    let line = w.width * w.channels;
    threads::for_each(
        w.work(),
        images,
        || (),
        |(), ((room, image), (output, gradient))| {
            let rows = w.along(w.height);
            for row in 0..rows {
                // Zeros for the rows that no window has seen before, just ahead of the sums.
                let seen = w.seen(row + 1) * line;
                zeros(&mut room[w.seen(row) * line..seen]);
                // SAFETY: just filled, here and for the rows before.
                let to = unsafe { filled_part(&mut room[..seen]) };
                let spread = Spread {
                    w,
                    image,
                    output,
                    gradient,
                    to,
                };
                on_row(w, row, spread);
            }
            zeros(&mut room[w.seen(rows) * line..]);
        },
    );
    // SAFETY: each image has been filled.
    unsafe { filled(found) }
}

struct Spread<'a, T> {
    w: &'a Windows,
    image: &'a [T],
    output: &'a [T],
    gradient: &'a [T],
    to: &'a mut [T],
}

impl<T: Real> OnWindows<T> for Spread<'_, T> {
    #[inline(always)]
    fn run<S: Simd>(&mut self, simd: S, window: &Window, channel: usize) {
        let zero = T::splat(simd, T::ZERO);
        let value = get::<S, T>(self.output, window.output + channel);
        let mut left = get::<S, T>(self.gradient, window.output + channel);
        for at in window.inputs(self.w) {
            let here = T::equal(simd, get::<S, T>(self.image, at + channel), value);
            let passed = T::select(simd, here, left, zero);
            left = T::select(simd, here, zero, left);
            let sum = T::plus(simd, get::<S, T>(self.to, at + channel), passed);
            put::<S, T>(self.to, at + channel, sum);
        }
    }
}
