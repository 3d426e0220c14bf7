//! The kernels as operations of Burn's flex.

mod extension;
mod layers;
mod operations;
mod tensors;

pub use extension::FastBackend;
pub(super) use layers::{BlockForward, BlockState, Pair, Parameters};
pub(super) use tensors::{by_dtype, contiguous, geometry, new_tensor, sizes, values};
