//! The kernels as operations of Burn's flex.

mod channels;
mod convolutions;
mod elementwise;
mod extension;
mod layers;
mod operations;
mod tensors;

pub use channels::ChannelBackend;
pub(super) use channels::sizes_of_maps;
pub use convolutions::ConvBackend;
pub(super) use convolutions::{Normed, NormedState, fixed, train};
pub use elementwise::ElementwiseBackend;
pub use extension::FastBackend;
pub(super) use layers::{BlockForward, BlockState, Pair, Parameters};
pub(super) use tensors::{
    by_dtype, contiguous, geometry, grouped_geometry, new_tensor, sizes, values,
};
