//! Convolutions of whole batches, dense or depthwise, part by part: each part stays in a core's cache with what it is computed
//! from while something else works on it. Slices, channels last.

mod backward;
mod forward;
mod images;
mod parts;
mod weights;

pub(super) use backward::backward;
pub(super) use forward::forward;
pub(super) use images::image_gradients;
pub(super) use parts::{Part, small_parts};
pub(super) use weights::{Forward, Scratch};
