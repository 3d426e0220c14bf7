//! Pools, and factors of channels.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::kernels::flex::{ChannelBackend, FastBackend};
use crate::kernels::pool::PoolOptions;

/// Max pool of `[batch, height, width, channels]` over square windows: `[batch, rows, columns, channels]`. Panics if the padding
/// exceeds half the window or the window the padded image.
pub fn max_pool2d(input: Tensor<4>, options: PoolOptions) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as FastBackend>::fast_max_pool2d(
        input.into_dispatch(),
        options,
    ))
}

/// Maps `[batch, height, width, channels]` times a factor for each channel of each image, `[batch, channels]`.
pub fn scale_channels(maps: Tensor<4>, factors: Tensor<2>) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as ChannelBackend>::fast_scale_channels(
        maps.into_dispatch(),
        factors.into_dispatch(),
    ))
}

/// The mean of each map: `[batch, height, width, channels]` to `[batch, channels]`.
pub fn channel_means(maps: Tensor<4>) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as ChannelBackend>::fast_channel_means(
        maps.into_dispatch(),
    ))
}
