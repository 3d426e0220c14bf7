//! Which convolutions gain, and what of a batch is best computed together.

use super::planes::{ELEMENTS, TILES, Tiling};
use crate::kernels::conv::geometry::Geometry;
use crate::kernels::simd::PANEL;

/// Whether a convolution is one of these, and large enough to gain by it: transforms take time in proportion to the channels, what
/// they save in proportion to the product of both.
pub(in crate::kernels) fn pays(g: &Geometry) -> bool {
    /// Channels from which on it pays.
    const CHANNELS: usize = 32;
    let multiplied = ELEMENTS * g.height.div_ceil(2) * g.width.div_ceil(2);
    g.groups == 1
        && [g.kernel, g.stride, g.padding] == [3, 1, 1]
        && g.inputs.is_multiple_of(PANEL)
        && g.outputs.is_multiple_of(PANEL)
        && g.inputs.min(g.outputs) >= CHANNELS
        && 3 * multiplied <= 2 * 9 * g.height * g.width
}

/// [`pays`], unless products are in bfloat16: blocks and branches then multiply the values themselves.
pub(in crate::kernels) fn pays_in_f32(g: &Geometry) -> bool {
    pays(g) && !g.in_bf16()
}

/// Rows of an image's output that are best computed together; none if the whole image is less.
pub(in crate::kernels) fn rows(g: &Geometry) -> Option<usize> {
    let tiling = Tiling::of(g);
    let rows = tiling.part(tiling.rows());
    (rows < tiling.rows()).then_some(2 * rows)
}

/// Images that are best computed together, in a batch that is cut for several threads.
pub(in crate::kernels) fn images(g: &Geometry) -> usize {
    /// Parts of a batch at least, for as many threads.
    const PARTS: usize = 4;
    most_images(g).min(g.batch.div_ceil(PARTS).max(1))
}

/// Images that are best computed together.
pub(in crate::kernels) fn most_images(g: &Geometry) -> usize {
    let tiling = Tiling::of(g);
    (TILES / (tiling.rows() * tiling.columns())).max(1)
}
