//! Convolutions and fully connected layers with their initial weights.

use burn::module::Initializer;
use burn::nn::conv::Conv2d;
use burn::nn::{Linear, PaddingConfig2d};
use burn::prelude::*;

use crate::models::layer_list::ConvNode;
use crate::models::layer_list::WeightInit;

/// A convolution, undrawn. The fans are PyTorch's: the inputs of an output, and the outputs times the taps of the kernel.
pub fn conv(node: &ConvNode, device: &Device) -> Conv2d {
    let [rows, columns] = node.kernel;
    let inputs = node.inputs / node.groups;
    let (fan_in, fan_out) = (inputs * rows * columns, node.outputs * rows * columns);
    let [vertical, horizontal] = node.padding;
    let initializer = node.init.initializer();
    let shape = [node.outputs, inputs, rows, columns];
    Conv2d {
        weight: initializer.init_with(shape, Some(fan_in), Some(fan_out), device),
        bias: node.bias.then(|| {
            let initializer = bias_initializer(node.init);
            initializer.init_with([node.outputs], Some(fan_in), Some(fan_out), device)
        }),
        stride: node.stride,
        kernel_size: node.kernel,
        dilation: node.dilation,
        groups: node.groups,
        padding: PaddingConfig2d::Explicit(vertical, horizontal, vertical, horizontal),
    }
}

/// A fully connected layer, undrawn.
pub fn dense(
    inputs: usize,
    outputs: usize,
    bias: bool,
    init: WeightInit,
    device: &Device,
) -> Linear {
    let fans = (Some(inputs), Some(outputs));
    let initializer = init.initializer();
    Linear {
        weight: initializer.init_with([inputs, outputs], fans.0, fans.1, device),
        bias: bias.then(|| bias_initializer(init).init_with([outputs], fans.0, fans.1, device)),
    }
}

fn bias_initializer(init: WeightInit) -> Initializer {
    if init.draws_bias() {
        init.initializer()
    } else {
        Initializer::Zeros
    }
}
