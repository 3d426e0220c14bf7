//! How a batch is cut into parts.

use std::ops::Range;

use crate::kernels::conv::{Geometry, winograd};

/// Some rows of the output of one image, or whole images.
#[derive(Clone, Debug)]
pub(in crate::kernels) struct Part {
    pub images: Range<usize>,
    pub rows: Range<usize>,
}

impl Part {
    /// Where its values lie in the batch's outputs.
    pub(in crate::kernels) fn values(&self, g: &Geometry) -> Range<usize> {
        let row = g.output_width() * g.outputs;
        let first = self.images.start * g.output_values() + self.rows.start * row;
        first..first + self.images.len() * self.rows.len() * row
    }

    /// Its images.
    pub(in crate::kernels) fn of<'a, T>(&self, g: &Geometry, input: &'a [T]) -> &'a [T] {
        &input[self.images.start * g.input_values()..self.images.end * g.input_values()]
    }
}

/// The parts of a batch, an image after the other. They depend on shapes alone, and stay in a core's cache with what they are
/// computed from.
pub(super) fn parts(g: &Geometry) -> Vec<Part> {
    if winograd::pays(g) {
        return match winograd::rows(g) {
            Some(rows) => in_rows(g, rows),
            None => whole_images(g),
        };
    }
    in_rows(g, cached_rows(g))
}

/// Rows of an image that stay in a core's cache with what they are computed from.
fn cached_rows(g: &Geometry) -> usize {
    /// Values of a part and its input, half a megabyte of `f32`.
    const VALUES: usize = 1 << 17;
    let row = g.output_width() * g.outputs + g.stride * g.width * g.inputs;
    let rows = (VALUES / row.max(1)).max(1);
    rows.next_multiple_of(tile_rows(g))
}

/// Positions of a tile, which pixelwise parts fill.
const TILE: usize = 12;

/// Rows that fill the tiles of a convolution.
fn tile_rows(g: &Geometry) -> usize {
    if g.is_pixelwise() { TILE } else { 1 }
}

/// The parts of a batch in inference: as [`parts`], but `least` of them where there are so many rows, of a multiple of `multiple` rows
/// (1 or 2), and as many images at once as are best computed together.
pub(in crate::kernels) fn small_parts(
    g: &Geometry,
    is_winograd: bool,
    multiple: usize,
    least: usize,
) -> Vec<Part> {
    let height = g.output_height();
    let share = (g.batch * height).div_ceil(least.max(1));
    let (images, rows) = if !is_winograd {
        (1, cached_rows(g))
    } else if let Some(rows) = winograd::rows(g) {
        (1, rows)
    } else {
        (winograd::most_images(g), height)
    };
    if rows >= height && share >= height {
        let size = images.min(share / height.max(1)).max(1);
        let parts = (0..g.batch).step_by(size).map(|first| Part {
            images: first..(first + size).min(g.batch),
            rows: 0..height,
        });
        return parts.collect();
    }
    let size = rows.min(share);
    if g.is_pixelwise() && multiple == 1 && size >= TILE {
        // Whole tiles.
        return in_rows(g, (size + TILE / 2) / TILE * TILE);
    }
    /// Neighbours of a tile: fewer leave registers idle.
    const NEIGHBOURS: usize = 4;
    let multiple = if is_winograd {
        2
    } else if g.is_pixelwise() {
        NEIGHBOURS.max(multiple)
    } else {
        multiple
    };
    in_rows(g, size.next_multiple_of(multiple))
}

/// Parts of so many rows.
fn in_rows(g: &Geometry, size: usize) -> Vec<Part> {
    let rows = g.output_height();
    let of_image = |image: usize| {
        (0..rows).step_by(size).map(move |first| Part {
            images: image..image + 1,
            rows: first..(first + size).min(rows),
        })
    };
    (0..g.batch).flat_map(of_image).collect()
}

/// Parts of whole images: one, or as many as are best computed together.
pub(super) fn whole_images(g: &Geometry) -> Vec<Part> {
    let size = if winograd::pays(g) {
        winograd::images(g)
    } else {
        1
    };
    let parts = (0..g.batch).step_by(size).map(|first| Part {
        images: first..(first + size).min(g.batch),
        rows: 0..g.output_height(),
    });
    parts.collect()
}

/// Cuts the values of a batch into those of its parts.
pub(super) fn cut<'a, T>(
    g: &Geometry,
    mut values: &'a mut [T],
    parts: &[Part],
) -> Vec<&'a mut [T]> {
    parts
        .iter()
        .map(|part| {
            let (head, tail) = std::mem::take(&mut values).split_at_mut(part.values(g).len());
            values = tail;
            head
        })
        .collect()
}
