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
mod rounded;
mod sizes;
mod weight_gradient;
mod weights;

pub(in crate::kernels) use apply::Scratch;
pub(in crate::kernels) use sizes::{images, most_images, pays, pays_in_f32, rows};
pub(in crate::kernels) use weight_gradient::{WeightSums, weight_gradient};
pub(in crate::kernels) use weights::Weights;
