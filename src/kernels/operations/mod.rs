//! The operations on Burn's tensors. Images are channels last, `[batch, rows, columns, channels]`.

mod blocks;
mod conv_norm;
mod layers;
mod pools;
mod steps;

pub use blocks::{ConvNorm, conv_block, conv2d, conv2d_pair, fixed_conv_block};
pub use conv_norm::{NormedConv, conv_norm, convolution, fixed_conv_norm};
pub use layers::{activate, channels_first, channels_last, gelu, linear, with_values};
pub use pools::{channel_means, max_pool2d, scale_channels};
pub use steps::{adam_step, sgd_step};
