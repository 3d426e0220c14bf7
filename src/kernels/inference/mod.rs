//! Layers for inference: weights are packed once, outputs go into buffers that exist. Slices of `f32`, channels last; the bits of an
//! image's output depend neither on the number of threads nor on the images beside it.

mod by_channels;
mod channels;
mod conv;
mod pixels;
mod team;
mod windows;

pub use super::conv::Geometry;
pub use super::operators::ComputePrecision;
pub use channels::{Affine, activate, add, channel_means, layer_norm, scale_channels};
pub use conv::{Algorithm, Channels, PackedConv};
pub use pixels::normalize_pixels;
pub use team::{Helpers, Team};
pub use windows::{Reduction, Windows};
