//! Convolution as matrix products, one image at a time: slices in, slices out.
//!
//! Each image's patches become the columns of a matrix (im2col); the weights times it are the output, the output's gradient
//! times its transpose the weights' gradient, and the weights' transpose times the output's gradient, put back where the
//! patches came from (col2im), the input's gradient.

use bytemuck::Pod;
use rayon::prelude::*;

use super::gemm::{Matrix, product};

/// The two float types that the kernels work in.
pub trait Real:
    Pod
    + Send
    + Sync
    + PartialOrd
    + std::ops::Add<Output = Self>
    + std::ops::Sub<Output = Self>
    + std::ops::Mul<Output = Self>
    + std::ops::AddAssign
    + std::fmt::Debug
{
    /// 0
    const ZERO: Self;
    /// 1
    const ONE: Self;
    /// Rounds to this type.
    fn of(value: f64) -> Self;
    /// Widens without loss.
    fn wide(self) -> f64;
}

impl Real for f32 {
    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;
    fn of(value: f64) -> f32 {
        value as f32
    }
    fn wide(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;
    fn of(value: f64) -> f64 {
        value
    }
    fn wide(self) -> f64 {
        self
    }
}

/// The sizes of a convolution with a square kernel and the same stride and padding both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Images.
    pub batch: usize,
    /// Input channels.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// Input rows.
    pub height: usize,
    /// Input columns.
    pub width: usize,
    /// Rows and columns of the kernel.
    pub kernel: usize,
    /// Step of the kernel.
    pub stride: usize,
    /// Zeros around the image.
    pub padding: usize,
}

impl Geometry {
    /// Output rows.
    pub fn output_height(&self) -> usize {
        (self.height + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// Output columns.
    pub fn output_width(&self) -> usize {
        (self.width + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// `[batch, outputs, rows, columns]`
    pub fn output_shape(&self) -> [usize; 4] {
        [
            self.batch,
            self.outputs,
            self.output_height(),
            self.output_width(),
        ]
    }

    /// `[batch, inputs, rows, columns]`
    pub fn input_shape(&self) -> [usize; 4] {
        [self.batch, self.inputs, self.height, self.width]
    }

    /// `[outputs, inputs, kernel, kernel]`
    pub fn weight_shape(&self) -> [usize; 4] {
        [self.outputs, self.inputs, self.kernel, self.kernel]
    }

    /// Values of one patch.
    fn patch(&self) -> usize {
        self.inputs * self.kernel * self.kernel
    }

    /// Positions of one output.
    fn positions(&self) -> usize {
        self.output_height() * self.output_width()
    }

    fn input_values(&self) -> usize {
        self.inputs * self.height * self.width
    }

    fn output_values(&self) -> usize {
        self.outputs * self.positions()
    }

    /// Whether an image already is the matrix of its patches.
    fn is_pointwise(&self) -> bool {
        self.kernel == 1 && self.stride == 1 && self.padding == 0
    }

    /// The output columns whose patch column `kx` lies inside the image, and the first input column of them.
    fn inside(&self, k: usize, size: usize, count: usize) -> (usize, usize) {
        // Output `o` reads input `o * stride + k - padding`.
        let first = self.padding.saturating_sub(k).div_ceil(self.stride);
        let last = (size + self.padding)
            .saturating_sub(k)
            .div_ceil(self.stride)
            .min(count);
        (first.min(last), last)
    }
}

/// `[outputs, positions]` per image.
pub fn forward<T: Real>(g: &Geometry, input: &[T], weight: &[T], bias: &[T]) -> Vec<T> {
    let mut output = vec![T::ZERO; g.batch * g.output_values()];
    let weight = Matrix::rows(weight, g.outputs, g.patch());
    output
        .par_chunks_mut(g.output_values())
        .zip(input.par_chunks(g.input_values()))
        .for_each_init(
            || scratch(g),
            |columns, (output, image)| {
                for (row, &bias) in output.chunks_mut(g.positions()).zip(bias) {
                    row.fill(bias);
                }
                let patches = patches(g, image, columns);
                product(output, true, weight, patches);
            },
        );
    output
}

/// Gradients of weights and biases. The images are taken in fixed groups, each summed in order, then the groups in order.
pub fn weight_gradient<T: Real>(g: &Geometry, input: &[T], output: &[T]) -> (Vec<T>, Vec<T>) {
    /// Groups of images that are summed side by side: enough for eight threads; more cost memory and a longer last sum.
    const GROUPS: usize = 8;
    let group = g.batch.div_ceil(GROUPS).max(1);
    let sums: Vec<(Vec<T>, Vec<T>)> = input
        .par_chunks(group * g.input_values())
        .zip(output.par_chunks(group * g.output_values()))
        .map_init(
            || scratch(g),
            |columns, (images, outputs)| {
                let mut weights = vec![T::ZERO; g.outputs * g.patch()];
                let mut biases = vec![T::ZERO; g.outputs];
                let pairs = images
                    .chunks(g.input_values())
                    .zip(outputs.chunks(g.output_values()));
                for (image, output) in pairs {
                    let patches = patches(g, image, columns);
                    let rows = Matrix::rows(output, g.outputs, g.positions());
                    product(&mut weights, true, rows, patches.transposed());
                    for (bias, row) in biases.iter_mut().zip(output.chunks(g.positions())) {
                        *bias += sum(row);
                    }
                }
                (weights, biases)
            },
        )
        .collect();
    let mut sums = sums.into_iter();
    let first = sums.next();
    let (mut weights, mut biases) = first.unwrap_or_else(|| {
        (
            vec![T::ZERO; g.outputs * g.patch()],
            vec![T::ZERO; g.outputs],
        )
    });
    for (more_weights, more_biases) in sums {
        add(&mut weights, &more_weights);
        add(&mut biases, &more_biases);
    }
    (weights, biases)
}

/// Gradient of the input.
pub fn input_gradient<T: Real>(g: &Geometry, weight: &[T], output: &[T]) -> Vec<T> {
    let mut input = vec![T::ZERO; g.batch * g.input_values()];
    let weight = Matrix::rows(weight, g.outputs, g.patch()).transposed();
    input
        .par_chunks_mut(g.input_values())
        .zip(output.par_chunks(g.output_values()))
        .for_each_init(
            || scratch(g),
            |columns, (image, output)| {
                let rows = Matrix::rows(output, g.outputs, g.positions());
                if g.is_pointwise() {
                    product(image, false, weight, rows);
                } else {
                    product(columns, false, weight, rows);
                    from_patches(g, columns, image);
                }
            },
        );
    input
}

fn scratch<T: Real>(g: &Geometry) -> Vec<T> {
    match g.is_pointwise() {
        true => Vec::new(),
        false => vec![T::ZERO; g.patch() * g.positions()],
    }
}

/// The matrix of an image's patches, `[patch, positions]`, in `columns` unless the image already is it.
fn patches<'a, T: Real>(g: &Geometry, image: &'a [T], columns: &'a mut [T]) -> Matrix<'a, T> {
    if g.is_pointwise() {
        return Matrix::rows(image, g.patch(), g.positions());
    }
    each_row(g, |at, first, last, source| {
        let row = &mut columns[at..at + g.output_width()];
        let Some(source) = source else {
            row.fill(T::ZERO);
            return;
        };
        row[..first].fill(T::ZERO);
        row[last..].fill(T::ZERO);
        match g.stride {
            1 => row[first..last].copy_from_slice(&image[source..source + last - first]),
            stride => {
                for (value, from) in row[first..last].iter_mut().zip((source..).step_by(stride)) {
                    *value = image[from];
                }
            }
        }
    });
    Matrix::rows(columns, g.patch(), g.positions())
}

/// Adds the patches' values up where they came from; `image` is overwritten.
fn from_patches<T: Real>(g: &Geometry, columns: &[T], image: &mut [T]) {
    image.fill(T::ZERO);
    each_row(g, |at, first, last, source| {
        let Some(source) = source else { return };
        let row = &columns[at + first..at + last];
        match g.stride {
            1 => add(&mut image[source..source + last - first], row),
            stride => {
                for (&value, to) in row.iter().zip((source..).step_by(stride)) {
                    image[to] += value;
                }
            }
        }
    });
}

/// Visits every row of the matrix of patches: where it starts, the columns `first..last` that lie inside the image, and the
/// place in the image of the first of them (`None` for a row that lies outside).
fn each_row(g: &Geometry, mut visit: impl FnMut(usize, usize, usize, Option<usize>)) {
    let (rows, columns) = (g.output_height(), g.output_width());
    let mut at = 0;
    for channel in 0..g.inputs {
        for ky in 0..g.kernel {
            let (first_row, last_row) = g.inside(ky, g.height, rows);
            for kx in 0..g.kernel {
                let (first, last) = g.inside(kx, g.width, columns);
                for row in 0..rows {
                    let source = (first_row..last_row).contains(&row).then(|| {
                        let y = row * g.stride + ky - g.padding;
                        let x = first * g.stride + kx - g.padding.min(first * g.stride + kx);
                        (channel * g.height + y) * g.width + x
                    });
                    visit(at, first, last, source.filter(|_| first < last));
                    at += columns;
                }
            }
        }
    }
}

/// `to += from`
pub(super) fn add<T: Real>(to: &mut [T], from: &[T]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

/// Lanes that are summed side by side, so that the compiler can use vector registers of any width up to 16 floats.
const LANES: usize = 16;

/// The sum of a slice, in an order that depends on its length alone.
pub(super) fn sum<T: Real>(values: &[T]) -> T {
    let mut lanes = [T::ZERO; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    let mut total = T::ZERO;
    for &value in lanes.iter().chain(rest) {
        total += value;
    }
    total
}
