//! The convolutional network of the course: blocks of 3x3 convolution, batch norm, ReLU and 2x2 max pool, then one
//! hidden layer with dropout.

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::nn::{PaddingConfig2d, Relu};
use burn::prelude::*;

use crate::config::experiment::CnnConfig;
use crate::kernels;

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
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(device),
            norm: BatchNormConfig::new(outputs).init(device),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
        }
    }

    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let device = images.device();
        let training = device.is_autodiff() && self.norm.training.is_enabled();
        // A frozen block on a training device needs gradients through fixed statistics: Burn's operators have them.
        match (&self.conv.bias, kernels::fits(&device)) {
            (Some(bias), true) if training || !device.is_autodiff() => {
                let weight = self.conv.weight.val();
                let values = kernels::conv2d(images, weight, bias.val(), 1, 1);
                match training {
                    true => self.norm_relu_pool(values),
                    false => self.scale_relu_pool(values),
                }
            }
            _ => {
                let values = self.norm.forward(self.conv.forward(images));
                self.pool.forward(Relu::new().forward(values))
            }
        }
    }

    /// Batch norm in training, ReLU and pool in one pass; the running statistics move on as in Burn's [`BatchNorm`].
    fn norm_relu_pool(&self, values: Tensor<4>) -> Tensor<4> {
        let norm = &self.norm;
        let (output, mean, variance) =
            kernels::norm_relu_pool(values, norm.gamma.val(), norm.beta.val(), norm.epsilon);
        for (running, batch) in [(&norm.running_mean, mean), (&norm.running_var, variance)] {
            let kept = running.value_sync().to_device(&batch.device());
            let moved = kept.mul_scalar(1.0 - norm.momentum) + batch.mul_scalar(norm.momentum);
            running.update(moved.detach());
        }
        output
    }

    /// Batch norm with the running statistics, ReLU and pool in one pass.
    fn scale_relu_pool(&self, values: Tensor<4>) -> Tensor<4> {
        let norm = &self.norm;
        let device = values.device();
        let mean = norm.running_mean.value().to_device(&device);
        let variance = norm.running_var.value().to_device(&device);
        let scale = norm.gamma.val() / (variance + norm.epsilon).sqrt();
        let shift = norm.beta.val() - mean * scale.clone();
        kernels::scale_relu_pool(values, scale, shift)
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
        let features = self
            .blocks
            .iter()
            .fold(images, |values, block| block.forward(values));
        let hidden = Relu::new().forward(self.hidden.forward(features.flatten(1, 3)));
        self.head.forward(self.dropout.forward(hidden))
    }
}
