//! How a batch is cut into parts.

use std::ops::Range;

use crate::kernels::conv::Geometry;

/// Some rows of the output of one image.
#[derive(Clone, Debug)]
pub(in crate::kernels) struct Part {
    pub image: usize,
    pub rows: Range<usize>,
}

impl Part {
    /// Where its values lie in the batch's.
    pub(in crate::kernels) fn values(&self, g: &Geometry) -> Range<usize> {
        let row = g.output_width() * g.outputs;
        let first = self.image * g.output_values();
        first + self.rows.start * row..first + self.rows.end * row
    }
}

/// The parts of a batch, an image after the other. They depend on shapes alone.
pub(in crate::kernels) fn parts(g: &Geometry) -> Vec<Part> {
    (0..g.batch).flat_map(|image| of_image(g, image)).collect()
}

/// The parts of one image.
pub(super) fn of_image(g: &Geometry, image: usize) -> impl Iterator<Item = Part> + use<> {
    /// Values of a part and its input, half a megabyte of `f32`.
    const VALUES: usize = 1 << 17;
    /// Positions of a tile of a convolution, which pixelwise parts fill.
    const TILE: usize = 12;
    let (rows, columns) = (g.output_height(), g.output_width());
    let row = columns * g.outputs + g.stride * g.width * g.inputs;
    let mut part = (VALUES / row.max(1)).max(1);
    if g.is_pixelwise() {
        part = part.next_multiple_of(TILE);
    }
    (0..rows).step_by(part).map(move |first| Part {
        image,
        rows: first..(first + part).min(rows),
    })
}

/// Cuts the values of a batch, or nothing, into those of its parts.
pub(in crate::kernels) fn cut<'a, T>(
    g: &Geometry,
    mut values: &'a mut [T],
    parts: &[Part],
) -> Vec<&'a mut [T]> {
    let nothing = values.is_empty();
    let sizes = parts.iter().map(|part| if nothing { 0 } else { part.values(g).len() });
    sizes
        .map(|size| {
            let (head, tail) = std::mem::take(&mut values).split_at_mut(size);
            values = tail;
            head
        })
        .collect()
}
