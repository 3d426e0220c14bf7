//! Layouts of images, fully connected layers, and functions of single values.

use std::f64::consts::FRAC_1_SQRT_2;

use burn::backend::{BackendTensor, Dispatch, DispatchTensorKind};
use burn::tensor::activation::{self, leaky_relu, relu, sigmoid, silu, tanh};
use burn::tensor::{DType, Device, Tensor};

use crate::kernels::activation::Activation;
use crate::kernels::flex::{ElementwiseBackend, FastBackend, contiguous, values};
use crate::kernels::operators::supported;

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

/// Lends the values of a tensor without gradients to `take`, in the order of its shape, and copies none that are in this order already;
/// `None` where the kernels are not [`supported`].
pub fn with_values<const D: usize, R>(
    tensor: Tensor<D>,
    take: impl FnOnce(&[f32]) -> R,
) -> Option<R> {
    match tensor.into_dispatch().kind {
        DispatchTensorKind::Flex(BackendTensor::Float(tensor)) if tensor.dtype() == DType::F32 => {
            Some(take(values::<f32>(&contiguous(tensor))))
        }
        _ => None,
    }
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

/// The non-linearity of every value, on the kernels where they are [`supported`], else by Burn's operators.
pub fn activate<const D: usize>(values: Tensor<D>, activation: Activation) -> Tensor<D> {
    if supported(&values.device()) {
        return Tensor::from_dispatch(<Dispatch as ElementwiseBackend>::fast_activation(
            values.into_dispatch(),
            activation,
        ));
    }
    match activation {
        Activation::Identity => values,
        Activation::Relu => relu(values),
        Activation::Relu6 => values.clamp(0.0, 6.0),
        Activation::LeakyRelu { slope } => leaky_relu(values, slope),
        Activation::Gelu => gelu(values),
        Activation::Silu => silu(values),
        Activation::Hardswish => values.clone() * hard_sigmoid(values),
        Activation::Hardsigmoid => hard_sigmoid(values),
        Activation::Sigmoid => sigmoid(values),
        Activation::Tanh => tanh(values),
    }
}

/// `x (1 + erf(x / sqrt(2))) / 2`. On other devices than flex, Burn's own has the gradient of an approximation by tanh, which is off
/// by 3e-4 (burn-backend 0.22, `ops/activation.rs`).
pub fn gelu<const D: usize>(values: Tensor<D>) -> Tensor<D> {
    if values.device().inner() == Device::flex() {
        return activation::gelu(values);
    }
    let share = (values.clone() * FRAC_1_SQRT_2).erf() + 1.0;
    values * share * 0.5
}

/// Burn's own computes in 32-bit floats wherever gradients are recorded, also those of a check in 64 bits.
fn hard_sigmoid<const D: usize>(values: Tensor<D>) -> Tensor<D> {
    values.mul_scalar(1.0 / 6.0).add_scalar(0.5).clamp(0.0, 1.0)
}
