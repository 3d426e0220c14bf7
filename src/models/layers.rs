//! Layers that the networks share, on kiln's kernels where the device has them.
//!
//! A network asks [`Layout::of`] once and passes the answer to its layers: with the kernels images lie channels last,
//! elsewhere channels first.

use burn::backend::Dispatch;
use burn::backend::ops::FloatTensorOps;
use burn::module::{Initializer, Param, RunningState};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::MaxPool2dConfig;
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::prelude::*;
use burn::tensor::activation::{relu, sigmoid};

use super::cost::LayerCost;
use super::layout::Layout;
use crate::error::Problem;
use crate::kernels::{self, Activation, ConvNorm, Pool};
use crate::shape::ImageShape;

/// Fully connected layers between so many units each; biases start at zero.
pub(super) fn fully_connected(
    widths: &[usize],
    initializer: &Initializer,
    device: &Device,
) -> Vec<Linear> {
    let layers = widths.windows(2).map(|pair| {
        let mut layer = LinearConfig::new(pair[0], pair[1])
            .with_initializer(initializer.clone())
            .init(device);
        // The initializer also draws the bias.
        layer.bias = zero_bias([pair[1]], device);
        layer
    });
    layers.collect()
}

/// The weights of each unit of a fully connected layer on images of `shape`: `[units, channels, height, width]`.
pub(super) fn unit_images(layer: &Linear, shape: ImageShape) -> Tensor<4> {
    let weight = layer.weight.val().transpose();
    let [units, _] = weight.dims();
    weight.reshape([units, shape.channels, shape.height, shape.width])
}

/// The problem of a network that halves images more often than they can be halved; `key` sets how often.
pub(super) fn too_many_halvings(key: &str, blocks: usize, shape: ImageShape) -> Option<Problem> {
    let (height, width) = (shape.height, shape.width);
    let halvings = height.min(width).checked_ilog2().unwrap_or(0);
    (blocks > halvings as usize).then(|| {
        Problem::new(
            key,
            format!(
                "{blocks} blocks halve the image {blocks} times, but {height}x{width} pixels allow only {halvings}; \
                 use fewer blocks or larger images"
            ),
        )
    })
}

/// `layer` and the non-linearity behind it: `[batch, in]` to `[batch, out]`.
pub(super) fn linear(layer: &Linear, input: Tensor<2>, activation: Activation) -> Tensor<2> {
    match &layer.bias {
        Some(bias) if kernels::supported(&input.device()) => {
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
            if with_relu { relu(output) } else { output }
        }
    }
}

/// A 3x3 convolution that keeps the image's size, drawn as PyTorch draws its own.
pub(super) fn conv3x3(inputs: usize, outputs: usize, device: &Device) -> Conv2d {
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
) -> Option<Param<Tensor<D>>> {
    Some(Initializer::Zeros.init(shape, device))
}

/// [`BatchNormConfig::init`] that leaves the device's number type open. Burn fixes it with the first tensor that it creates; so
/// far a network holds no other, and a config may be checked before a program chooses 64-bit floats.
fn batch_norm(features: usize, device: &Device) -> BatchNorm {
    let BatchNormConfig {
        epsilon, momentum, ..
    } = BatchNormConfig::new(features);
    let number = device.settings().float_dtype;
    let device_id = device.as_dispatch();
    let mean = Dispatch::float_zeros([features].into(), device_id, number);
    let variance = Dispatch::float_ones([features].into(), device_id, number);
    BatchNorm {
        gamma: Initializer::Ones.init([features], device),
        beta: Initializer::Zeros.init([features], device),
        training: Param::from_bool(true),
        running_mean: RunningState::new(Tensor::from_dispatch(mean)),
        running_var: RunningState::new(Tensor::from_dispatch(variance)),
        momentum,
        epsilon,
    }
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
            conv: conv3x3(inputs, outputs, device),
            norm: batch_norm(outputs, device),
            halves,
        }
    }

    pub(super) fn forward(&self, images: Tensor<4>, layout: Layout) -> Tensor<4> {
        match (layout, &self.conv.bias) {
            (Layout::ChannelsFirst, _) => self.forward_burn(images),
            // The kernels have no gradients through fixed statistics, which a frozen block on a training device needs.
            (Layout::ChannelsLast, Some(bias)) if self.kernels_apply(&images.device()) => {
                self.forward_fast(images, bias.val())
            }
            (Layout::ChannelsLast, _) => {
                let images = layout.to_channels_first(images);
                layout.from_channels_first(self.forward_burn(images))
            }
        }
    }

    fn kernels_apply(&self, device: &Device) -> bool {
        !device.is_autodiff() || self.norm.training.is_enabled()
    }

    /// The convolution's weights, `[out, in, 3, 3]`.
    pub(super) fn weights(&self) -> Tensor<4> {
        self.conv.weight.val()
    }

    /// What the block costs on maps of `positions` pixels.
    pub(super) fn cost(&self, positions: usize) -> LayerCost {
        LayerCost::new(&self.conv.weight, positions)
    }

    /// Burn's operators, `[batch, channels, height, width]`.
    fn forward_burn(&self, images: Tensor<4>) -> Tensor<4> {
        let values = relu(self.norm.forward(self.conv.forward(images)));
        if self.halves {
            let pool = MaxPool2dConfig::new([2, 2]).with_strides([2, 2]);
            pool.init().forward(values)
        } else {
            values
        }
    }

    /// The same in one operation, `[batch, height, width, channels]`; see [`kernels`].
    fn forward_fast(&self, images: Tensor<4>, bias: Tensor<1>) -> Tensor<4> {
        let norm = &self.norm;
        let device = images.device();
        let pool = if self.halves { Pool::Halve } else { Pool::None };
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
