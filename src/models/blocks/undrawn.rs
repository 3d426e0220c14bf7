//! Layers at zero, for a model file to fill. WebAssembly draws no weights, and what draws them would be a twentieth of its module.

use burn::module::Param;
use burn::nn::conv::Conv2d;
use burn::nn::{Linear, PaddingConfig2d};
use burn::prelude::*;

/// A parameter at zero.
pub fn parameter<const D: usize>(shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    Param::from_tensor(Tensor::zeros(shape, device))
}

/// A square convolution with stride 1, and the same padding on all sides.
pub fn convolution(
    inputs: usize,
    outputs: usize,
    side: usize,
    padding: usize,
    device: &Device,
) -> Conv2d {
    Conv2d {
        weight: parameter([outputs, inputs, side, side], device),
        bias: Some(parameter([outputs], device)),
        stride: [1, 1],
        kernel_size: [side, side],
        dilation: [1, 1],
        groups: 1,
        padding: PaddingConfig2d::Explicit(padding, padding, padding, padding),
    }
}

/// A fully connected layer.
pub fn connected(inputs: usize, outputs: usize, device: &Device) -> Linear {
    Linear {
        weight: parameter([inputs, outputs], device),
        bias: Some(parameter([outputs], device)),
    }
}
