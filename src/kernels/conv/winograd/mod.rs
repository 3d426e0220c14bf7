//! 3x3 convolutions with stride 1 by Winograd's minimal filtering F(2x2, 3x3): 16 multiplications for four outputs, where a direct
//! convolution takes 36.
//!
//! With `d` the 4x4 inputs that a tile of 2x2 outputs sees, `g` the kernel and `dy` the gradients of the tile (Lavin and Gray,
//! "Fast Algorithms for Convolutional Neural Networks", 2016):
//!
//! ```text
//! y  = A' [(G g G') * (B' d B)] A        the gradient of the input alike, from dy and the mirrored kernel
//! dg = G' [(A dy A') * (B' d B)] G       summed over the tiles
//! ```
//!
//! where `*` multiplies element by element. Summed over channels or tiles, each of the 16 elements is a product of matrices. All
//! factors are 0, 1, -1 and 1/2, so that rounding errors stay near those of a direct convolution.

mod apply;
mod images;
mod planes;
mod weight_gradient;
mod weights;

pub(in crate::kernels) use apply::Scratch;
pub(in crate::kernels) use weight_gradient::{WeightSums, weight_gradient};
pub(in crate::kernels) use weights::Weights;

use planes::Tiling;

use super::geometry::Geometry;
use crate::kernels::simd::PANEL;

/// Elements of a transformed tile.
const ELEMENTS: usize = 16;

/// Tiles that are multiplied at a time: few enough for the second-level cache, enough to be worth reading the weights for.
const TILES: usize = 128;

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

/// Rows of an image's output that are best computed together; none if the whole image is less.
pub(in crate::kernels) fn rows(g: &Geometry) -> Option<usize> {
    let tiling = Tiling::of(g);
    let rows = tiling.part(tiling.rows());
    (rows < tiling.rows()).then_some(2 * rows)
}

/// Images that are best computed together.
pub(in crate::kernels) fn images(g: &Geometry) -> usize {
    /// Parts of a batch at least, for as many threads.
    const PARTS: usize = 4;
    let tiling = Tiling::of(g);
    let images = TILES / (tiling.rows() * tiling.columns());
    images.clamp(1, g.batch.div_ceil(PARTS).max(1))
}
