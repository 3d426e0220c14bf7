//! How a batch is cut into parts.

use std::ops::Range;

use crate::kernels::conv::{Geometry, winograd};

/// Some rows of the output of one image, or whole images.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub images: Range<usize>,
    pub rows: Range<usize>,
}

impl Part {
    /// Where its values lie in the batch's outputs.
    pub(super) fn values(&self, g: &Geometry) -> Range<usize> {
        let row = g.output_width() * g.outputs;
        let first = self.images.start * g.output_values() + self.rows.start * row;
        first..first + self.images.len() * self.rows.len() * row
    }

    /// Its images.
    pub(super) fn of<'a, T>(&self, g: &Geometry, input: &'a [T]) -> &'a [T] {
        &input[self.images.start * g.input_values()..self.images.end * g.input_values()]
    }
}

/// The parts of a batch, an image after the other. They depend on shapes alone, and stay in a core's cache with what they are
/// computed from.
pub(super) fn parts(g: &Geometry) -> Vec<Part> {
    /// Values of a part and its input, half a megabyte of `f32`.
    const VALUES: usize = 1 << 17;
    /// Positions of a tile of a convolution, which pixelwise parts fill.
    const TILE: usize = 12;
    let columns = g.output_width();
    if winograd::pays(g) {
        return match winograd::rows(g) {
            Some(rows) => in_rows(g, rows),
            None => whole_images(g),
        };
    }
    let row = columns * g.outputs + g.stride * g.width * g.inputs;
    let mut rows = (VALUES / row.max(1)).max(1);
    if g.is_pixelwise() {
        rows = rows.next_multiple_of(TILE);
    }
    in_rows(g, rows)
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
