//! Layers for inference: weights are packed once, outputs go into buffers that exist. Slices of `f32`, channels last; the bits of an
//! image's output depend neither on the number of threads nor on the images beside it.

#[cfg(not(target_family = "wasm"))]
pub(super) mod bf16;
#[cfg(target_family = "wasm")]
#[path = "bf16/absent.rs"]
mod bf16;
mod by_channels;
mod channels;
mod conv;
mod team;
mod windows;

pub use super::conv::Geometry;
pub use channels::{Affine, activate, add, channel_means, layer_norm, scale_channels};
pub use conv::{Algorithm, Channels, ComputePrecision, PackedConv};
pub use team::{Helpers, Team};
pub use windows::{Reduction, Windows};
