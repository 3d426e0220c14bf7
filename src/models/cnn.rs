//! The convolutional network of the course: blocks of 3x3 convolution, batch norm, ReLU and 2x2 max pool, then one
//! hidden layer with dropout.

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::nn::{PaddingConfig2d, Relu};
use burn::prelude::*;

use crate::config::experiment::CnnConfig;

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
        let values = self.norm.forward(self.conv.forward(images));
        self.pool.forward(Relu::new().forward(values))
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
