//! Convolutions with ReLU, pairs of them, and blocks with a batch norm, ReLU and a 2x2 pool.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::kernels::block::Pool;
use crate::kernels::flex::FastBackend;

/// Convolution of `[batch, height, width, in]` by `[out, in, k, k]` plus `[out]`, with the same stride and zero padding (less
/// than `k`) on all sides, and ReLU if `relu` is set; `[batch, (height + 2 padding - k) / stride + 1, ..., out]`.
pub fn conv2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    stride: usize,
    padding: usize,
    relu: bool,
) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as FastBackend>::fast_conv2d(
        input.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        stride,
        padding,
        relu,
    ))
}

/// Two convolutions of `[batch, height, width, in]`, each plus bias and through ReLU, side by side in the channels: first
/// those of `[out1, in, k1, k1]`, then those of `[out2, in, k2, k2]`. The kernels are odd, and padded to keep the size:
/// `[batch, height, width, out1 + out2]`. SqueezeNet's expand layers (Iandola et al. 2016).
pub fn conv2d_pair(
    input: Tensor<4>,
    first: (Tensor<4>, Tensor<1>),
    second: (Tensor<4>, Tensor<1>),
) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as FastBackend>::fast_conv2d_pair(
        input.into_dispatch(),
        first.0.into_dispatch(),
        first.1.into_dispatch(),
        second.0.into_dispatch(),
        second.1.into_dispatch(),
    ))
}

/// The parameters of a convolution and the batch norm after it.
#[derive(Clone, Debug)]
pub struct ConvNorm {
    /// `[out, in, k, k]`
    pub weight: Tensor<4>,
    /// `[out]`
    pub bias: Tensor<1>,
    /// `[out]`, the norm's scale.
    pub gamma: Tensor<1>,
    /// `[out]`, the norm's offset.
    pub beta: Tensor<1>,
    /// Added to the variance.
    pub epsilon: f64,
}

/// Convolution with stride 1, batch norm over batch, height and width (Ioffe and Szegedy 2015), ReLU and the pool:
/// `[batch, height, width, in]` to `[batch, height / 2, width / 2, out]` where the padding keeps the size and the pool halves
/// it. Also returns the batch's mean and (biased) variance per channel, untracked, for the running statistics.
///
/// The gradient of `bias` is zero, as it is in exact arithmetic: the norm subtracts the mean.
pub fn conv_block(
    input: Tensor<4>,
    parameters: ConvNorm,
    padding: usize,
    pool: Pool,
) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    let (output, mean, variance) = <Dispatch as FastBackend>::fast_conv_block(
        input.into_dispatch(),
        parameters.weight.into_dispatch(),
        parameters.bias.into_dispatch(),
        parameters.gamma.into_dispatch(),
        parameters.beta.into_dispatch(),
        padding,
        pool,
        parameters.epsilon,
    );
    (
        Tensor::from_dispatch(output),
        Tensor::from_dispatch(mean),
        Tensor::from_dispatch(variance),
    )
}

/// [`conv_block`] with fixed statistics. Has no gradient.
pub fn fixed_conv_block(
    input: Tensor<4>,
    parameters: ConvNorm,
    mean: Tensor<1>,
    variance: Tensor<1>,
    padding: usize,
    pool: Pool,
) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as FastBackend>::fast_fixed_conv_block(
        input.into_dispatch(),
        parameters.weight.into_dispatch(),
        parameters.bias.into_dispatch(),
        parameters.gamma.into_dispatch(),
        parameters.beta.into_dispatch(),
        mean.into_dispatch(),
        variance.into_dispatch(),
        padding,
        pool,
        parameters.epsilon,
    ))
}
