//! The gradient of the kernels.

use std::ops::Range;

use pulp::Arch;

use super::tiles::Sums;
use crate::kernels::conv::{Geometry, padded_rows};
use crate::kernels::simd::Real;
use crate::kernels::threads;

/// The gradient of the kernels, `[channels, 1, kernel, kernel]`, from that of the output, `[batch, rows, columns, channels]`.
///
/// Each image is summed by itself, then the images in their order: the bits depend on shapes alone.
pub(in crate::kernels) fn weight_gradient<T: Real>(
    g: &Geometry,
    input: &[T],
    gradient: &[T],
) -> Vec<T> {
    let images = threads::map(g.multiply_adds(), (0..g.batch).collect(), |image| {
        let mut sums = vec![T::ZERO; g.kernel * g.kernel * g.outputs];
        let input = &input[image * g.input_values()..][..g.input_values()];
        let gradient = &gradient[image * g.output_values()..][..g.output_values()];
        let mut grid = Vec::new();
        for rows in parts(g) {
            add_rows(g, input, gradient, rows, &mut grid, &mut sums);
        }
        sums
    });
    let taps = g.kernel * g.kernel;
    let mut weight = vec![T::ZERO; g.outputs * taps];
    for image in images {
        for (tap, sums) in image.chunks_exact(g.outputs).enumerate() {
            for (weight, &sum) in weight[tap..].iter_mut().step_by(taps).zip(sums) {
                *weight += sum;
            }
        }
    }
    weight
}

/// Rows that are summed at a time, in registers.
fn parts(g: &Geometry) -> impl Iterator<Item = Range<usize>> + use<> {
    const POSITIONS: usize = 64;
    let (rows, part) = (g.output_height(), POSITIONS.div_ceil(g.output_width()));
    (0..rows)
        .step_by(part)
        .map(move |first| first..(first + part).min(rows))
}

/// Adds the products of some rows of an image to `sums`, `[tap, channel]`.
fn add_rows<T: Real>(
    g: &Geometry,
    image: &[T],
    gradient: &[T],
    rows: Range<usize>,
    grid: &mut Vec<T>,
    sums: &mut [T],
) {
    let (channels, columns) = (g.outputs, g.output_width());
    let pitch = (g.width + 2 * g.padding) * channels;
    Arch::new().dispatch(Sums {
        input: padded_rows(g, image, rows.clone(), grid),
        pitch,
        step: g.stride * channels,
        row_step: g.stride * pitch,
        kernel: g.kernel,
        gradient: &gradient[rows.start * columns * channels..rows.end * columns * channels],
        rows: rows.len(),
        columns,
        channels,
        sums,
    });
}
