//! Layers that the networks share, on kiln's kernels where the device has them.
//!
//! A network asks [`Layout::of`] once and hands the answer to its layers: with the kernels images lie channels last,
//! elsewhere channels first.

use burn::module::Initializer;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::MaxPool2dConfig;
use burn::nn::{BatchNorm, BatchNormConfig, Linear, PaddingConfig2d};
use burn::prelude::*;
use burn::tensor::activation::{relu, sigmoid};

use super::{Layer, layer};
use crate::kernels::{self, Activation, ConvNorm, Pool};

/// How a network's images lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// `[batch, height, width, channels]`, for the kernels.
    ChannelsLast,
    /// `[batch, channels, height, width]`, for Burn's operators.
    ChannelsFirst,
}

impl Layout {
    /// What suits the device.
    pub fn of(device: &Device) -> Self {
        match kernels::fits(device) {
            true => Layout::ChannelsLast,
            false => Layout::ChannelsFirst,
        }
    }

    /// From `[batch, channels, height, width]`.
    pub fn take(self, images: Tensor<4>) -> Tensor<4> {
        match self {
            Layout::ChannelsLast => kernels::channels_last(images),
            Layout::ChannelsFirst => images,
        }
    }

    /// To `[batch, channels, height, width]`.
    pub fn give(self, images: Tensor<4>) -> Tensor<4> {
        match self {
            Layout::ChannelsLast => kernels::channels_first(images),
            Layout::ChannelsFirst => images,
        }
    }

    /// The mean of each map, `[batch, channels]`.
    pub fn average(self, images: Tensor<4>) -> Tensor<2> {
        self.spots(images)
            .mean_dim(self.spot())
            .squeeze_dim(self.spot())
    }

    /// The largest value of each map, `[batch, channels]`.
    pub fn largest(self, images: Tensor<4>) -> Tensor<2> {
        self.spots(images)
            .max_dim(self.spot())
            .squeeze_dim(self.spot())
    }

    /// `[.., height, width]` of `4 c` channels as `[.., 2 height, 2 width]` of `c`: four channels become neighbours.
    pub fn double(self, images: Tensor<4>) -> Tensor<4> {
        match self {
            Layout::ChannelsLast => {
                let [batch, height, width, channels] = images.dims();
                images
                    .reshape([batch, height, width, 2, 2, channels / 4])
                    .permute([0, 1, 3, 2, 4, 5])
                    .reshape([batch, 2 * height, 2 * width, channels / 4])
            }
            Layout::ChannelsFirst => {
                let [batch, channels, height, width] = images.dims();
                images
                    .reshape([batch, 2, 2, channels / 4, height, width])
                    .permute([0, 3, 4, 1, 5, 2])
                    .reshape([batch, channels / 4, 2 * height, 2 * width])
            }
        }
    }

    /// Where [`spots`](Self::spots) has the positions of a map.
    fn spot(self) -> usize {
        match self {
            Layout::ChannelsLast => 1,
            Layout::ChannelsFirst => 2,
        }
    }

    /// The positions of a map as one dimension.
    fn spots(self, images: Tensor<4>) -> Tensor<3> {
        match self {
            Layout::ChannelsLast => images.flatten(1, 2),
            Layout::ChannelsFirst => images.flatten(2, 3),
        }
    }
}

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

/// A square convolution with the same padding on all sides, and ReLU where asked for.
pub(super) fn convolve(
    layer: &Conv2d,
    images: Tensor<4>,
    with_relu: bool,
    layout: Layout,
) -> Tensor<4> {
    match (&layer.bias, layout) {
        (Some(bias), Layout::ChannelsLast) => {
            let padding = match layer.padding {
                PaddingConfig2d::Explicit(top, ..) => top,
                _ => 0,
            };
            let weight = layer.weight.val();
            kernels::conv2d(
                images,
                weight,
                bias.val(),
                layer.stride[0],
                padding,
                with_relu,
            )
        }
        (None, Layout::ChannelsLast) => {
            unreachable!("every convolution of kiln's has a bias")
        }
        (_, Layout::ChannelsFirst) => {
            let output = layer.forward(images);
            match with_relu {
                true => relu(output),
                false => output,
            }
        }
    }
}

/// A 3x3 convolution that keeps the image's size, drawn as PyTorch draws its own.
pub(super) fn same_size(inputs: usize, outputs: usize, device: &Device) -> Conv2d {
    Conv2dConfig::new([inputs, outputs], [3, 3])
        .with_padding(PaddingConfig2d::Explicit(
            PADDING, PADDING, PADDING, PADDING,
        ))
        .init(device)
}

/// Keeps the size of the image under a 3x3 kernel.
const PADDING: usize = 1;

/// A layer's bias at zero.
pub(super) fn zero_bias<const D: usize>(
    shape: [usize; D],
    device: &Device,
) -> Option<burn::module::Param<Tensor<D>>> {
    Some(Initializer::Zeros.init(shape, device))
}

/// 3x3 convolution (padding 1), batch norm, ReLU, and 2x2 max pool where it halves the image.
#[derive(Module, Debug)]
pub struct Block {
    conv: Conv2d,
    norm: BatchNorm,
    #[module(skip)]
    halves: bool,
}

impl Block {
    pub(super) fn new(inputs: usize, outputs: usize, halves: bool, device: &Device) -> Self {
        Self {
            conv: same_size(inputs, outputs, device),
            norm: BatchNormConfig::new(outputs).init(device),
            halves,
        }
    }

    pub(super) fn forward(&self, images: Tensor<4>, layout: Layout) -> Tensor<4> {
        match (layout, &self.conv.bias) {
            (Layout::ChannelsFirst, _) => self.forward_burn(images),
            // The kernels have no gradients through fixed statistics, which a frozen block on a training device needs.
            (Layout::ChannelsLast, Some(bias)) if self.kernels_serve(&images.device()) => {
                self.forward_fast(images, bias.val())
            }
            (Layout::ChannelsLast, _) => layout.take(self.forward_burn(layout.give(images))),
        }
    }

    fn kernels_serve(&self, device: &Device) -> bool {
        !device.is_autodiff() || self.norm.training.is_enabled()
    }

    /// The convolution's weights, `[out, in, 3, 3]`.
    pub(super) fn weights(&self) -> Tensor<4> {
        self.conv.weight.val()
    }

    /// What so many positions cost.
    pub(super) fn work(&self, positions: usize) -> Layer {
        layer(&self.conv.weight, positions)
    }

    /// Burn's operators, `[batch, channels, height, width]`.
    fn forward_burn(&self, images: Tensor<4>) -> Tensor<4> {
        let values = relu(self.norm.forward(self.conv.forward(images)));
        match self.halves {
            false => values,
            true => MaxPool2dConfig::new([2, 2])
                .with_strides([2, 2])
                .init()
                .forward(values),
        }
    }

    /// The same in one operation, `[batch, height, width, channels]`; see [`kernels`].
    fn forward_fast(&self, images: Tensor<4>, bias: Tensor<1>) -> Tensor<4> {
        let norm = &self.norm;
        let device = images.device();
        let pool = match self.halves {
            true => Pool::Halve,
            false => Pool::None,
        };
        let parameters = ConvNorm {
            weight: self.conv.weight.val(),
            bias,
            gamma: norm.gamma.val(),
            beta: norm.beta.val(),
            epsilon: norm.epsilon,
        };
        if !device.is_autodiff() {
            let mean = norm.running_mean.value().to_device(&device);
            let variance = norm.running_var.value().to_device(&device);
            return kernels::fixed_conv_block(images, parameters, mean, variance, PADDING, pool);
        }
        let (output, mean, variance) = kernels::conv_block(images, parameters, PADDING, pool);
        // As in Burn's batch norm; but there an update counts only once its own thread comes by again, and the next step may run
        // on another one.
        for (running, batch) in [(&norm.running_mean, mean), (&norm.running_var, variance)] {
            let kept = running.value_sync().to_device(&batch.device());
            let moved = kept.mul_scalar(1.0 - norm.momentum) + batch.mul_scalar(norm.momentum);
            running.update(moved.detach());
            running.value_sync();
        }
        output
    }
}
