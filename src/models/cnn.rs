//! The convolutional network of the course: blocks of 3x3 convolution, batch norm, ReLU and 2x2 max pool, then one
//! hidden layer with dropout.

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::nn::{PaddingConfig2d, Relu};
use burn::prelude::*;

use super::Work;
use super::linear::linear;
use crate::config::experiment::CnnConfig;
use crate::kernels::{self, Activation, ConvNorm, Pool};

/// Keeps the size of the image under a 3x3 kernel.
const PADDING: usize = 1;

/// Convolutional blocks and two fully connected layers; see [`CnnConfig`].
#[derive(Module, Debug)]
pub struct Cnn {
    blocks: Vec<Block>,
    hidden: Linear,
    dropout: Dropout,
    head: Linear,
}

/// 3x3 convolution (padding 1), batch norm, ReLU, 2x2 max pool.
#[derive(Module, Debug)]
pub struct Block {
    conv: Conv2d,
    norm: BatchNorm,
    pool: MaxPool2d,
}

impl Block {
    fn new(inputs: usize, outputs: usize, device: &Device) -> Self {
        Self {
            conv: Conv2dConfig::new([inputs, outputs], [3, 3])
                .with_padding(PaddingConfig2d::Explicit(
                    PADDING, PADDING, PADDING, PADDING,
                ))
                .init(device),
            norm: BatchNormConfig::new(outputs).init(device),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
        }
    }

    /// Burn's operators, `[batch, channels, height, width]`.
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let values = self.norm.forward(self.conv.forward(images));
        self.pool.forward(Relu::new().forward(values))
    }

    /// The same in one operation, `[batch, height, width, channels]`; see [`kernels`].
    fn forward_fast(&self, images: Tensor<4>, bias: Tensor<1>) -> Tensor<4> {
        let norm = &self.norm;
        let device = images.device();
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
            return kernels::fixed_conv_block(
                images,
                parameters,
                mean,
                variance,
                PADDING,
                Pool::Halve,
            );
        }
        let (output, mean, variance) =
            kernels::conv_block(images, parameters, PADDING, Pool::Halve);
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

    /// The bias, if the device has the kernels and they can do what is asked for: a frozen block on a training device needs
    /// gradients through fixed statistics, which Burn's operators have.
    fn fast_bias(&self, device: &Device) -> Option<Tensor<1>> {
        let fits =
            kernels::fits(device) && (!device.is_autodiff() || self.norm.training.is_enabled());
        self.conv
            .bias
            .as_ref()
            .filter(|_| fits)
            .map(|bias| bias.val())
    }
}

impl Cnn {
    /// Every block halves height and width (rounding down); the rest is flattened.
    pub fn new(config: &CnnConfig, shape: [usize; 3], classes: usize, device: &Device) -> Self {
        let [channels, height, width] = shape;
        let widths: Vec<usize> = std::iter::once(channels)
            .chain(config.channels.iter().copied())
            .collect();
        let blocks: Vec<Block> = widths
            .windows(2)
            .map(|pair| Block::new(pair[0], pair[1], device))
            .collect();
        let halvings = blocks.len() as u32;
        let last = widths.last().copied().unwrap_or(channels);
        let features = last * (height >> halvings) * (width >> halvings);
        Self {
            blocks,
            hidden: LinearConfig::new(features, config.hidden).init(device),
            dropout: DropoutConfig::new(config.dropout).init(),
            head: LinearConfig::new(config.hidden, classes).init(device),
        }
    }

    /// Logits `[batch, classes]` of images `[batch, channels, height, width]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let device = images.device();
        let biases: Option<Vec<Tensor<1>>> = self
            .blocks
            .iter()
            .map(|block| block.fast_bias(&device))
            .collect();
        let blocks = self.blocks.iter();
        let features = match biases {
            None => blocks.fold(images, |values, block| block.forward(values)),
            Some(biases) => kernels::channels_first(
                blocks
                    .zip(biases)
                    .fold(kernels::channels_last(images), |values, (block, bias)| {
                        block.forward_fast(values, bias)
                    }),
            ),
        };
        let hidden = linear(&self.hidden, features.flatten(1, 3), Activation::Relu);
        linear(
            &self.head,
            self.dropout.forward(hidden),
            Activation::Identity,
        )
    }

    /// What one image of `[channels, height, width]` costs.
    pub fn work(&self, shape: [usize; 3]) -> Work {
        let [_, mut height, mut width] = shape;
        let mut layers = Vec::new();
        for block in &self.blocks {
            layers.push(block.conv.weight.shape().num_elements() * height * width);
            (height, width) = (height / 2, width / 2);
        }
        let connected = [&self.hidden, &self.head];
        layers.extend(connected.map(|layer| layer.weight.shape().num_elements()));
        Work::of(&layers)
    }
}
