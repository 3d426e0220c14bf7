//! The operations on Burn's tensors. Images are channels last, `[batch, rows, columns, channels]`.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use super::activation::Activation;
use super::block::Pool;
use super::flex::FastBackend;
use super::step::{AdamStep, SgdStep};

/// `[batch, channels, height, width]` as `[batch, height, width, channels]`.
pub fn channels_last(images: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = images.dims();
    if channels == 1 {
        // The same values in the same order.
        images.reshape([batch, height, width, 1])
    } else {
        images.permute([0, 2, 3, 1])
    }
}

/// `[batch, height, width, channels]` as `[batch, channels, height, width]`.
pub fn channels_first(images: Tensor<4>) -> Tensor<4> {
    images.permute([0, 3, 1, 2])
}

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

/// Max pool of `[batch, height, width, channels]` over square windows, without padding and with ceil mode: the last window
/// may extend over the edge, as long as it begins inside. `[batch, ceil((height - kernel) / stride) + 1, ..., channels]`.
pub fn max_pool2d(input: Tensor<4>, kernel: usize, stride: usize) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as FastBackend>::fast_max_pool2d(
        input.into_dispatch(),
        kernel,
        stride,
    ))
}

/// The parameters of a convolution and the batch norm behind it.
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

/// A fully connected layer, `[batch, in]` by `[in, out]` plus `[out]`, and its non-linearity: `[batch, out]`.
pub fn linear(
    input: Tensor<2>,
    weight: Tensor<2>,
    bias: Tensor<1>,
    activation: Activation,
) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as FastBackend>::fast_linear(
        input.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        activation,
    ))
}

/// A step of Adam or AdamW, untracked: the new parameter and moments, in place where nothing else holds them.
pub fn adam_step<const D: usize>(
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    moments: [Tensor<D>; 2],
    step: AdamStep,
) -> (Tensor<D>, [Tensor<D>; 2]) {
    let [moment_1, moment_2] = moments;
    let (parameter, moment_1, moment_2) = <Dispatch as FastBackend>::fast_adam_step(
        parameter.into_dispatch(),
        gradient.into_dispatch(),
        moment_1.into_dispatch(),
        moment_2.into_dispatch(),
        step,
    );
    let moments = [moment_1, moment_2].map(Tensor::from_dispatch);
    (Tensor::from_dispatch(parameter), moments)
}

/// A step of stochastic gradient descent, untracked: the new parameter and velocity, in place where nothing else holds them.
pub fn sgd_step<const D: usize>(
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    velocity: Tensor<D>,
    step: SgdStep,
) -> (Tensor<D>, Tensor<D>) {
    let (parameter, velocity) = <Dispatch as FastBackend>::fast_sgd_step(
        parameter.into_dispatch(),
        gradient.into_dispatch(),
        velocity.into_dispatch(),
        step,
    );
    (
        Tensor::from_dispatch(parameter),
        Tensor::from_dispatch(velocity),
    )
}
