//! Pools.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::kernels::flex::FastBackend;

/// Max pool of `[batch, height, width, channels]` over square windows, without padding and with ceil mode: the last window
/// may extend over the edge, as long as it begins inside. `[batch, ceil((height - kernel) / stride) + 1, ..., channels]`.
pub fn max_pool2d(input: Tensor<4>, kernel: usize, stride: usize) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as FastBackend>::fast_max_pool2d(
        input.into_dispatch(),
        kernel,
        stride,
    ))
}
