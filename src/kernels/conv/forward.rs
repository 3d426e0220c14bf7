//! The forward pass of direct convolutions: rows of an image.

use std::mem::MaybeUninit;
use std::ops::Range;

use super::convolve::convolve;
use super::geometry::Geometry;
use super::grid::Patches;
use super::tiles::Convolution;
use super::weights::{Matrix, Panels};
use crate::kernels::activation::Epilogue;
use crate::kernels::memory::{as_room, filled_part, grow};
use crate::kernels::simd::Real;
use crate::kernels::threads;

/// The part of a padded image that the output's `rows` need: a part of the image itself if there is no padding.
pub(in crate::kernels) fn padded_rows<'a, T: Real>(
    g: &Geometry,
    image: &'a [T],
    rows: Range<usize>,
    grid: &'a mut Vec<T>,
) -> &'a [T] {
    let first = rows.start * g.stride;
    let count = (rows.len().max(1) - 1) * g.stride + g.kernel;
    let row = g.width * g.inputs;
    if g.is_unpadded() {
        return &image[first * row..(first + count) * row];
    }
    pad(g, g.inputs, first..first + count, grid, |y, to| {
        to.copy_from_slice(&image[y * row..(y + 1) * row]);
    })
}

/// Some rows of a padded image of `channels` channels, in the grid: `copy(y, to)` writes row `y` of the image between the zeros.
#[inline(always)]
pub(in crate::kernels) fn pad<'a, T: Real>(
    g: &Geometry,
    channels: usize,
    rows: Range<usize>,
    grid: &'a mut Vec<T>,
    mut copy: impl FnMut(usize, &mut [T]),
) -> &'a [T] {
    let (side, row) = (g.padding * channels, g.width * channels);
    let pitch = row + 2 * side;
    let values = rows.len() * pitch;
    grow(grid, values);
    for (to, y) in grid[..values].chunks_exact_mut(pitch.max(1)).zip(rows) {
        match y.checked_sub(g.padding).filter(|&y| y < g.height) {
            Some(y) => {
                let (left, rest) = to.split_at_mut(side);
                let (middle, right) = rest.split_at_mut(row);
                left.fill(T::ZERO);
                copy(y, middle);
                right.fill(T::ZERO);
            }
            None => to.fill(T::ZERO),
        }
    }
    &grid[..values]
}

/// `rows` rows of the output of one image, positions `step` values apart; the bias has a value for every channel of the panels. Values are
/// written, never read.
pub(in crate::kernels) fn convolve_rows<T: Real>(
    g: &Geometry,
    padded_rows: &[T],
    weights: &Panels<T>,
    epilogue: Epilogue<T>,
    rows: usize,
    step: usize,
    output: &mut [MaybeUninit<T>],
) {
    let (rows, columns) = across_rows(g, rows);
    convolve(Convolution::<_, true> {
        patches: g.patches(),
        input: padded_rows,
        weights: weights.matrix(),
        epilogue,
        rows,
        columns,
        channels: g.outputs,
        step,
        row_step: columns * step,
        output,
    });
}

/// Some rows of the output of one image; the bias has a value for every channel of the panels.
#[allow(unsafe_code)]
pub(in crate::kernels) fn output_rows<'a, T: Real>(
    g: &Geometry,
    image: &[T],
    rows: Range<usize>,
    weights: Matrix<T>,
    epilogue: Epilogue<T>,
    grid: &mut Vec<T>,
    output: &'a mut [MaybeUninit<T>],
) -> &'a mut [T] {
    assert_eq!(output.len(), rows.len() * g.output_width() * g.outputs);
    let input = padded_rows(g, image, rows.clone(), grid);
    let (rows, columns) = across_rows(g, rows.len());
    convolve(Convolution::<_, true> {
        patches: g.patches(),
        input,
        weights,
        epilogue,
        rows,
        columns,
        channels: g.outputs,
        step: g.outputs,
        row_step: columns * g.outputs,
        output,
    });
    // SAFETY: all channels of all positions were written.
    unsafe { filled_part(output) }
}

/// Rows and columns of the positions of so many rows of an output: where there are no neighbours, tiles may go from one row into the next.
fn across_rows(g: &Geometry, rows: usize) -> (usize, usize) {
    let columns = g.output_width();
    if g.is_pixelwise() {
        (1, rows * columns)
    } else {
        (rows, columns)
    }
}

/// The parts of rows into which each image is cut: one where there are enough images for all threads. Parts have a multiple of
/// `multiple` rows.
pub(in crate::kernels) fn row_parts(g: &Geometry, multiple: usize) -> Vec<Range<usize>> {
    let rows = g.output_height();
    let parts = threads::jobs(g.multiply_adds()).div_ceil(g.batch.max(1));
    let part = rows.div_ceil(parts).next_multiple_of(multiple).max(1);
    (0..rows.max(1))
        .step_by(part)
        .map(|first| first..(first + part).min(rows))
        .collect()
}

/// Cuts a batch of outputs into the parts of every image: index of the image, part, values.
pub(in crate::kernels) fn cut<'a, 'b, T>(
    mut output: &'a mut [T],
    batch: usize,
    parts: &'b [Range<usize>],
    row: usize,
) -> Vec<(usize, &'b Range<usize>, &'a mut [T])> {
    let mut jobs = Vec::with_capacity(batch * parts.len());
    for image in 0..batch {
        for part in parts {
            let (head, tail) = output.split_at_mut(part.len() * row);
            output = tail;
            jobs.push((image, part, head));
        }
    }
    jobs
}

/// Rows of values by a matrix, and the epilogue, into the `channels` of as many rows of `output`; the bias fills whole panels.
#[allow(unsafe_code)]
pub(in crate::kernels) fn multiply<T: Real>(
    rows: usize,
    input: &[T],
    weights: Matrix<T>,
    epilogue: Epilogue<T>,
    output: &mut [T],
    channels: Range<usize>,
) {
    let inputs = input.len() / rows.max(1);
    let step = output.len() / rows.max(1);
    convolve(Convolution::<_, false> {
        patches: Patches {
            runs: 1,
            run: inputs,
            pitch: inputs,
            step: inputs,
            row_step: 0,
        },
        input,
        weights,
        epilogue,
        rows: 1,
        columns: rows,
        channels: channels.len(),
        step,
        row_step: 0,
        // SAFETY: convolutions write values alone.
        output: unsafe { as_room(&mut output[channels.start..]) },
    });
}
