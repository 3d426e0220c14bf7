//! Fully connected layers, on kiln's kernels where the device has them.

use burn::nn::Linear;
use burn::prelude::*;
use burn::tensor::activation::{relu, sigmoid};

use crate::kernels::{self, Activation};

/// `layer` and the non-linearity behind it: `[batch, in]` to `[batch, out]`.
pub(super) fn linear(layer: &Linear, input: Tensor<2>, activation: Activation) -> Tensor<2> {
    match &layer.bias {
        Some(bias) if kernels::fits(&input.device()) => {
            kernels::linear(input, layer.weight.val(), bias.val(), activation)
        }
        _ => {
            let output = layer.forward(input);
            match activation {
                Activation::Identity => output,
                Activation::Relu => relu(output),
                Activation::Sigmoid => sigmoid(output),
            }
        }
    }
}
