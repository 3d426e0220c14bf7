//! Direct convolution, channels last, on slices.
//!
//! An image is copied into a grid with its zero padding, once; then every tile of output positions and channels is summed in
//! registers over the patch, whose values lie in one contiguous run per kernel row. Only the weights are rearranged, into
//! panels of 16 output channels. The input gradient is the same convolution applied to the output gradient with flipped
//! weights; the weights' gradient reads the same two grids, with weights in the registers.

mod backward;
mod convolve;
mod forward;
mod geometry;
mod grid;
mod phases;
mod products;
mod tiles;
mod transposed;
mod weight_gradient;
mod weights;
pub(super) mod winograd;

pub(super) use backward::{Gradients, Needed, gradients};
pub(super) use forward::{convolve_rows, cut, multiply, output_rows, pad, padded_rows, row_parts};
pub use geometry::{ConvOptions, Geometry};
pub(super) use grid::{GradientGrid, Patches};
pub(super) use phases::{Phase, Phases};
pub(super) use transposed::Transposed;
pub(super) use weight_gradient::{SLACK, WeightSums, weight_gradient};
pub(super) use weights::{Matrix, Panels, in_panels, panels};
