//! The convolutional network of the course, blocks of 3x3 convolution, batch norm, ReLU and 2x2 max pool, then one hidden
//! layer with dropout; and its deeper relatives, with convolutions that keep the size behind each block's first.

use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::prelude::*;

use super::layers::{Block, Layout, linear};
use super::{Work, layer};
use crate::config::model::{CnnConfig, Gather};
use crate::kernels::Activation;
use crate::shape::ImageShape;

/// Convolutional blocks and fully connected layers; see [`CnnConfig`].
#[derive(Module, Debug)]
pub struct Cnn {
    stem: Option<Block>,
    blocks: Vec<Block>,
    more: Vec<Vec<Block>>,
    hidden: Option<Linear>,
    dropout: Dropout,
    head: Linear,
    #[module(skip)]
    residual: bool,
    #[module(skip)]
    gather: Gather,
}

impl Cnn {
    /// Every block halves height and width (rounding down).
    pub fn new(config: &CnnConfig, shape: ImageShape, classes: usize, device: &Device) -> Self {
        let [channels, height, width] = shape.dims();
        let stem = (config.stem > 0).then(|| Block::new(channels, config.stem, false, device));
        let mut last = if config.stem > 0 {
            config.stem
        } else {
            channels
        };
        let (mut blocks, mut more) = (Vec::new(), Vec::new());
        for (index, &to) in config.channels.iter().enumerate() {
            blocks.push(Block::new(last, to, true, device));
            let behind = (0..config.more(index)).map(|_| Block::new(to, to, false, device));
            more.push(behind.collect());
            last = to;
        }
        let halvings = blocks.len() as u32;
        let features = match config.gather {
            Gather::Flatten => last * (height >> halvings) * (width >> halvings),
            Gather::Average | Gather::Max => last,
        };
        let hidden =
            (config.hidden > 0).then(|| LinearConfig::new(features, config.hidden).init(device));
        let head = if config.hidden > 0 {
            config.hidden
        } else {
            features
        };
        Self {
            stem,
            blocks,
            more,
            hidden,
            dropout: DropoutConfig::new(config.dropout).init(),
            head: LinearConfig::new(head, classes).init(device),
            residual: config.residual,
            gather: config.gather,
        }
    }

    /// Logits `[batch, classes]` of images `[batch, channels, height, width]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.classify(self.features(images))
    }

    /// What the blocks make of images, in the layout that suits the device.
    pub fn features(&self, images: Tensor<4>) -> Tensor<4> {
        let layout = Layout::of(&images.device());
        let mut values = layout.take(images);
        if let Some(stem) = &self.stem {
            values = stem.forward(values, layout);
        }
        for (block, more) in self.blocks.iter().zip(&self.more) {
            values = block.forward(values, layout);
            if more.is_empty() {
                continue;
            }
            let shortcut = self.residual.then(|| values.clone());
            for block in more {
                values = block.forward(values, layout);
            }
            if let Some(shortcut) = shortcut {
                values = values + shortcut;
            }
        }
        values
    }

    /// Logits of [`features`](Self::features).
    pub fn classify(&self, values: Tensor<4>) -> Tensor<2> {
        let layout = Layout::of(&values.device());
        let mut features = match self.gather {
            Gather::Flatten => layout.give(values).flatten(1, 3),
            Gather::Average => layout.average(values),
            Gather::Max => layout.largest(values),
        };
        if let Some(hidden) = &self.hidden {
            features = linear(hidden, features, Activation::Relu);
        }
        linear(
            &self.head,
            self.dropout.forward(features),
            Activation::Identity,
        )
    }

    /// What one image of `[channels, height, width]` costs.
    pub fn work(&self, shape: ImageShape) -> Work {
        let [_, mut height, mut width] = shape.dims();
        let mut layers = Vec::new();
        layers.extend(self.stem.iter().map(|stem| stem.work(height * width)));
        for (block, more) in self.blocks.iter().zip(&self.more) {
            layers.push(block.work(height * width));
            (height, width) = (height / 2, width / 2);
            layers.extend(more.iter().map(|block| block.work(height * width)));
        }
        let connected = self.hidden.iter().chain([&self.head]);
        layers.extend(connected.map(|linear| layer(&linear.weight, 1)));
        Work::of(&layers)
    }

    /// The first layer's weights, `[out, in, 3, 3]`.
    pub fn first_weights(&self) -> Option<Tensor<4>> {
        self.stem
            .iter()
            .chain(&self.blocks)
            .next()
            .map(Block::weights)
    }
}
