//! Layers that kernels compute in one pass with what is after them, and the same with Burn's operators.

use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, PaddingConfig2d};
use burn::prelude::*;

use crate::kernels::{self, Activation, BatchPart, ConvOptions, NormedConv};
use crate::models::blocks::{Layout, convolve, update_statistics};

/// How kernels compute a convolution, if they do: square kernels with the same step and border both ways.
fn options(conv: &Conv2d, layout: Layout) -> Option<ConvOptions> {
    let [rows, columns] = conv.kernel_size;
    let [stride, across] = conv.stride;
    let PaddingConfig2d::Explicit(padding, left, ..) = conv.padding else {
        return None;
    };
    let is_square = rows == columns && stride == across && padding == left && padding < rows;
    let is_fast = layout == Layout::ChannelsLast && is_square && conv.dilation == [1, 1];
    is_fast.then_some(ConvOptions {
        stride,
        padding,
        groups: conv.groups,
    })
}

/// A convolution and the function after it.
pub fn convolution(
    conv: &Conv2d,
    maps: Tensor<4>,
    activation: Activation,
    layout: Layout,
) -> Tensor<4> {
    let is_simple = matches!(activation, Activation::Identity | Activation::Relu);
    let output = match options(conv, layout) {
        Some(options) if options.groups == 1 && conv.bias.is_some() && is_simple => {
            return convolve(conv, maps, activation == Activation::Relu, layout);
        }
        Some(options) => {
            let bias = conv.bias.as_ref().map(|bias| bias.val());
            kernels::convolution(maps, conv.weight.val(), bias, options)
        }
        None => layout.arrange(conv.forward(layout.to_channels_first(maps))),
    };
    kernels::activate(output, activation)
}

/// Batch normalization by a kernel, as that of a convolution that leaves each value as it is.
fn normed(norm: &BatchNorm, maps: Tensor<4>, activation: Activation) -> Tensor<4> {
    let [.., channels] = maps.dims();
    let layer = NormedConv {
        weight: Tensor::ones([channels, 1, 1, 1], (&maps.device(), maps.dtype())),
        bias: None,
        options: ConvOptions {
            stride: 1,
            padding: 0,
            groups: channels,
        },
        gamma: norm.gamma.val(),
        beta: norm.beta.val(),
        epsilon: norm.epsilon,
    };
    let (output, mean, variance) = kernels::conv_norm(maps, layer, None, activation);
    update_statistics(norm, mean, variance);
    output
}

/// Batch normalization and the function after it.
pub fn batch_norm(
    norm: &BatchNorm,
    maps: Tensor<4>,
    activation: Activation,
    layout: Layout,
) -> Tensor<4> {
    let is_training = maps.device().is_autodiff() && norm.training.is_enabled();
    if is_training && layout == Layout::ChannelsLast && BatchPart::is_in_use() {
        // Burn's operator knows only the images that it is given.
        return normed(norm, maps, activation);
    }
    let output = layout.arrange(norm.forward(layout.to_channels_first(maps)));
    kernels::activate(output, activation)
}

/// A convolution, batch normalization, a sum with `residual` if there is one, and the function after it.
pub fn conv_norm(
    conv: &Conv2d,
    norm: &BatchNorm,
    maps: Tensor<4>,
    residual: Option<Tensor<4>>,
    activation: Activation,
    layout: Layout,
) -> Tensor<4> {
    let device = maps.device();
    let Some(options) = options(conv, layout) else {
        let convolved = convolution(conv, maps, Activation::Identity, layout);
        let normed = batch_norm(norm, convolved, Activation::Identity, layout);
        let sum = match residual {
            Some(residual) => normed + residual,
            None => normed,
        };
        return kernels::activate(sum, activation);
    };
    let layer = NormedConv {
        weight: conv.weight.val(),
        bias: conv.bias.as_ref().map(|bias| bias.val()),
        options,
        gamma: norm.gamma.val(),
        beta: norm.beta.val(),
        epsilon: norm.epsilon,
    };
    if device.is_autodiff() && norm.training.is_enabled() {
        let (output, mean, variance) = kernels::conv_norm(maps, layer, residual, activation);
        update_statistics(norm, mean, variance);
        return output;
    }
    let mean = norm.running_mean.value().to_device(&device);
    let variance = norm.running_var.value().to_device(&device);
    kernels::fixed_conv_norm(maps, layer, mean, variance, residual, activation)
}
