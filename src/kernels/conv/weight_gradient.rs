//! The gradient of the weights: a product of matrices over the positions of the whole batch, in blocks that stay in the cache.

use std::ops::Range;

use super::forward::padded_rows;
use super::geometry::Geometry;
use super::products::{PAIR, Packed, Positions};
use super::weights::{unpack, unpack_blocks};
use crate::kernels::simd::{PANEL, Real, padded, widest};
use crate::kernels::threads;

/// Values of a block of sums, which stays in a core's cache (half a megabyte of `f32`) while positions come by.
const BLOCK: usize = 1 << 17;

/// Positions that come by at a time: enough that a tile of sums is seldom loaded and stored, few enough for the first-level cache.
pub(super) const POSITIONS: usize = 192;

/// Jobs into which a gradient is cut at least, if it can be: enough for eight threads.
const JOBS: usize = 8;

/// Values after a gradient that registers may read.
pub(in crate::kernels) const SLACK: usize = 2 * PANEL;

/// Sums over some positions, of all weights at once.
pub(in crate::kernels) struct WeightSums<T> {
    sums: Vec<T>,
    packed: Packed<T>,
}

impl<T: Real> WeightSums<T> {
    pub(in crate::kernels) fn new(g: &Geometry) -> Self {
        Self {
            sums: vec![T::ZERO; padded(g.outputs) * g.patch_values()],
            packed: Packed::default(),
        }
    }

    /// Whether the sums stay in a core's cache.
    pub(in crate::kernels) fn fit_the_cache(g: &Geometry) -> bool {
        blocks(g.outputs, g.patch_values()).len() == 1
    }

    /// Adds some rows of an image. `gradient` is that of their outputs, and [`SLACK`] more values after it, whatever they are.
    pub(in crate::kernels) fn add(
        &mut self,
        g: &Geometry,
        image: &[T],
        rows: Range<usize>,
        gradient: &[T],
        grid: &mut Vec<T>,
    ) {
        let columns = g.output_width();
        let size = POSITIONS.div_ceil(columns.max(1));
        for first in rows.clone().step_by(size) {
            let piece = first..(first + size).min(rows.end);
            let from = (first - rows.start) * columns * g.outputs;
            let (piece_rows, piece_columns) = if g.is_pixelwise() {
                (1, piece.len() * columns)
            } else {
                (piece.len(), columns)
            };
            let positions = Positions {
                patches: g.patches(),
                input: padded_rows(g, image, piece, grid),
                gradient: &gradient[from..],
                step: g.outputs,
                row_step: columns * g.outputs,
                images: 1,
                image_steps: [0; 2],
                rows: piece_rows,
                columns: piece_columns,
                in_bf16: g.in_bf16(),
            };
            positions.add(g.outputs, &mut self.packed, &mut self.sums);
        }
    }

    /// The gradient of the weights from sums over the batch, added in order.
    pub(in crate::kernels) fn finish(g: &Geometry, parts: impl Iterator<Item = Self>) -> Vec<T> {
        let sums = together(parts.map(|part| part.sums));
        unpack(g, &sums)
    }
}

/// Neighbouring positions: rows of one image, or several whole images.
#[derive(Clone)]
struct Piece {
    images: Range<usize>,
    rows: Range<usize>,
}

/// The gradient of the weights, `[outputs, inputs, kernel, kernel]`. `gradient` is that of the output, `[batch, rows, columns,
/// outputs]`, and [`SLACK`] more values after it, whatever they are.
///
/// The pieces are taken in fixed groups, each summed in order, then the groups in order: the bits depend on shapes alone.
pub(in crate::kernels) fn weight_gradient<T: Real>(
    g: &Geometry,
    input: &[T],
    gradient: &[T],
) -> Vec<T> {
    let depth = g.patch_values();
    let blocks = blocks(g.outputs, depth);
    let pieces = pieces(g);
    let groups = JOBS.div_ceil(blocks.len()).min(pieces.len()).max(1);
    let group = pieces.len().div_ceil(groups).max(1);
    let groups: Vec<&[Piece]> = pieces.chunks(group).collect();
    // Several blocks read the same padded images.
    let whole = (blocks.len() > 1 && g.padding > 0).then(|| padded_batch(g, input));
    let source = whole
        .as_deref()
        .map_or(Source::Images(input), Source::Padded);
    let jobs: Vec<(Range<usize>, &[Piece])> = blocks
        .iter()
        .flat_map(|block| groups.iter().map(|&group| (block.clone(), group)))
        .collect();
    let sums = threads::map(g.multiply_adds(), jobs, |(block, pieces)| {
        let mut sums = vec![T::ZERO; padded(block.len()) * depth];
        let (mut scratch, mut packed) = (Vec::new(), Packed::default());
        for piece in pieces {
            let positions = positions(g, source, gradient, piece, block.start, &mut scratch);
            positions.add(block.len(), &mut packed, &mut sums);
        }
        sums
    });
    let mut sums = sums.into_iter();
    let summed: Vec<Vec<T>> = blocks
        .iter()
        .map(|_| together(sums.by_ref().take(groups.len())))
        .collect();
    unpack_blocks(g, blocks[0].len(), &summed)
}

/// Where the patches are read from.
#[derive(Clone, Copy)]
enum Source<'a, T> {
    Images(&'a [T]),
    /// The images with their padding.
    Padded(&'a [T]),
}

/// The positions of one piece, with the gradients from output `channel` on.
fn positions<'a, T: Real>(
    g: &Geometry,
    source: Source<'a, T>,
    gradient: &'a [T],
    piece: &Piece,
    channel: usize,
    scratch: &'a mut Vec<T>,
) -> Positions<'a, T> {
    let pitch = (g.width + 2 * g.padding) * g.inputs;
    let padded_values = (g.height + 2 * g.padding) * pitch;
    let first = piece.images.start;
    let skipped = piece.rows.start * g.stride * pitch;
    let (input, image_step): (&[T], usize) = match source {
        Source::Padded(values) => (&values[first * padded_values + skipped..], padded_values),
        Source::Images(values) if g.padding == 0 => {
            let input = &values[first * g.input_values() + skipped..];
            (input, g.input_values())
        }
        Source::Images(values) => {
            let image = |image: usize| &values[image * g.input_values()..][..g.input_values()];
            if piece.images.len() == 1 {
                (padded_rows(g, image(first), piece.rows.clone(), scratch), 0)
            } else {
                scratch.clear();
                for index in piece.images.clone() {
                    push_padded(g, image(index), scratch);
                }
                (scratch, padded_values)
            }
        }
    };
    let columns = g.output_width();
    let from = first * g.output_values() + piece.rows.start * columns * g.outputs;
    let (rows, columns) = if g.is_pixelwise() {
        (1, piece.rows.len() * columns)
    } else {
        (piece.rows.len(), columns)
    };
    Positions {
        patches: g.patches(),
        input,
        gradient: &gradient[from + channel..],
        step: g.outputs,
        row_step: g.output_width() * g.outputs,
        images: piece.images.len(),
        image_steps: [image_step, g.output_values()],
        rows,
        columns,
        in_bf16: g.in_bf16(),
    }
}

/// Output channels in blocks, all but the last one of the same number of whole pairs of panels.
fn blocks(outputs: usize, depth: usize) -> Vec<Range<usize>> {
    let count = (outputs * depth).div_ceil(BLOCK).max(1);
    let size = outputs.div_ceil(count).next_multiple_of(PAIR).max(PAIR);
    (0..outputs.max(1))
        .step_by(size)
        .map(|first| first..(first + size).min(outputs))
        .collect()
}

/// The positions of a batch in pieces of about [`POSITIONS`].
fn pieces(g: &Geometry) -> Vec<Piece> {
    let (rows, columns) = (g.output_height(), g.output_width());
    let area = (rows * columns).max(1);
    if area >= POSITIONS {
        let size = POSITIONS.div_ceil(columns);
        let parts = (0..rows).step_by(size);
        let parts = parts.map(|first| first..(first + size).min(rows));
        let parts: Vec<Range<usize>> = parts.collect();
        let images = (0..g.batch).flat_map(|image| {
            parts.iter().map(move |rows| Piece {
                images: image..image + 1,
                rows: rows.clone(),
            })
        });
        images.collect()
    } else {
        let size = POSITIONS.div_ceil(area);
        let firsts = (0..g.batch).step_by(size);
        let pieces = firsts.map(|first| Piece {
            images: first..(first + size).min(g.batch),
            rows: 0..rows,
        });
        pieces.collect()
    }
}

/// An image with its padding after what `to` holds already.
fn push_padded<T: Real>(g: &Geometry, image: &[T], to: &mut Vec<T>) {
    let row = g.width * g.inputs;
    let (edge, side) = (
        g.padding * (row + 2 * g.padding * g.inputs),
        g.padding * g.inputs,
    );
    let zeros = |to: &mut Vec<T>, count: usize| to.resize(to.len() + count, T::ZERO);
    zeros(to, edge);
    for row in image.chunks_exact(row) {
        zeros(to, side);
        to.extend_from_slice(row);
        zeros(to, side);
    }
    zeros(to, edge);
}

/// All images with their padding.
fn padded_batch<T: Real>(g: &Geometry, input: &[T]) -> Vec<T> {
    let values = (g.height + 2 * g.padding) * (g.width + 2 * g.padding) * g.inputs;
    let mut whole = Vec::with_capacity(g.batch * values);
    for image in input.chunks_exact(g.input_values()) {
        push_padded(g, image, &mut whole);
    }
    whole
}

/// The sums of all groups, added in order.
pub(super) fn together<T: Real>(mut groups: impl Iterator<Item = Vec<T>>) -> Vec<T> {
    let mut sums = groups.next().unwrap_or_default();
    for more in groups {
        widest::<T, _>(
            #[inline(always)]
            || {
                for (sum, &more) in sums.iter_mut().zip(&more) {
                    *sum += more;
                }
            },
        );
    }
    sums
}
