//! The convolutional network of the course, blocks of 3x3 convolution, batch norm, ReLU and 2x2 max pool, then one hidden
//! layer with dropout; and its deeper relatives, with convolutions that keep the size after each block's first.

use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::architecture::{Architecture, Backbone};
use super::blocks::{
    Block, LayerCost, Layout, block_layers, connected, dropout, linear, too_many_halvings,
};
use super::layer_list::{self, LayerConfig, plain};
use crate::error::Problem;
use crate::kernels::Activation;
use crate::shape::ImageShape;

/// Settings of the convolutional network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct CnnConfig {
    /// Channels of a convolution before the blocks, at the full size of the image; 0 for none.
    #[cfg_attr(feature = "app", schemars(range(min = 0, max = 4096)))]
    pub stem: usize,
    /// Channels of each block; every block halves height and width.
    #[cfg_attr(
        feature = "app",
        schemars(length(min = 1, max = 8), inner(range(min = 1, max = 4096)))
    )]
    pub channels: Vec<usize>,
    /// For each block, the number of extra same-size convolutions; missing entries are 0.
    #[cfg_attr(
        feature = "app",
        schemars(length(max = 8), inner(range(min = 0, max = 8)))
    )]
    pub more: Vec<usize>,
    /// Add the input of those convolutions to their output (He et al. 2016).
    pub residual: bool,
    /// How the last block's maps become the features of the fully connected layers.
    pub gather: Gather,
    /// Width of the fully connected layer after the blocks; 0 for none.
    #[cfg_attr(feature = "app", schemars(range(min = 0, max = 65536)))]
    pub hidden: usize,
    /// Dropout probability of the hidden units (of the features, without a hidden layer).
    #[cfg_attr(feature = "app", schemars(range(min = 0.0, max = 0.95)))]
    pub dropout: f64,
    /// Number of classes; null takes it from the data.
    #[cfg_attr(feature = "app", schemars(range(min = 2, max = 65536)))]
    pub classes: Option<usize>,
}

impl Default for CnnConfig {
    fn default() -> Self {
        Self {
            stem: 0,
            channels: vec![32, 64, 128],
            more: Vec::new(),
            residual: false,
            gather: Gather::Flatten,
            hidden: 256,
            dropout: 0.5,
            classes: None,
        }
    }
}

/// How feature maps are reduced to a vector.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "app", schemars(inline))]
pub enum Gather {
    /// Flatten.
    #[default]
    Flatten,
    /// Global average pooling.
    Average,
    /// Global max pooling.
    Max,
}

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

impl Architecture for Cnn {
    type Config = CnnConfig;

    fn classes(config: &CnnConfig) -> Option<usize> {
        config.classes
    }

    fn problems(config: &CnnConfig, shape: ImageShape) -> Vec<Problem> {
        let (more, blocks) = (config.more.len(), config.channels.len());
        let more_than_blocks = (more > blocks).then(|| {
            Problem::new(
                "more",
                format!(
                    "found {more} values, but model.channels has only {blocks} (one per block)"
                ),
            )
        });
        too_many_halvings("channels", blocks, shape)
            .into_iter()
            .chain(more_than_blocks)
            .collect()
    }

    fn dropout(config: &CnnConfig) -> f64 {
        config.dropout
    }

    fn without_dropout(config: CnnConfig) -> CnnConfig {
        CnnConfig {
            dropout: 0.0,
            ..config
        }
    }

    fn layers(config: &CnnConfig, _shape: ImageShape) -> Vec<LayerConfig> {
        let mut layers = Vec::new();
        if config.stem > 0 {
            layers.extend(block_layers("stem", config.stem, false));
        }
        for (index, &channels) in config.channels.iter().enumerate() {
            layers.extend(block_layers(&format!("blocks.{index}"), channels, true));
            let count = config.more.get(index).copied().unwrap_or(0);
            let more = (0..count)
                .flat_map(|more| block_layers(&format!("more.{index}.{more}"), channels, false));
            if config.residual && count > 0 {
                layers.push(layer_list::residual(more.collect(), Vec::new(), 0.0).named(""));
            } else {
                layers.extend(more);
            }
        }
        layers.push(match config.gather {
            Gather::Flatten => layer_list::flatten(),
            Gather::Average => layer_list::global_avg_pool(),
            Gather::Max => plain(LayerConfig::GlobalMaxPool),
        });
        if config.hidden > 0 {
            layers.push(layer_list::linear(config.hidden).named("hidden"));
            layers.push(layer_list::relu());
        }
        layers.push(layer_list::dropout(config.dropout));
        layers.push(layer_list::linear(None).named("head"));
        layers
    }

    /// Every block halves height and width (rounding down).
    fn new(config: &CnnConfig, shape: ImageShape, classes: usize, device: &Device) -> Self {
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
            let count = config.more.get(index).copied().unwrap_or(0);
            let behind = (0..count).map(|_| Block::new(to, to, false, device));
            more.push(behind.collect());
            last = to;
        }
        let halvings = blocks.len() as u32;
        let features = match config.gather {
            Gather::Flatten => last * (height >> halvings) * (width >> halvings),
            Gather::Average | Gather::Max => last,
        };
        let hidden = (config.hidden > 0).then(|| connected(features, config.hidden, device));
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
            head: connected(head, classes, device),
            residual: config.residual,
            gather: config.gather,
        }
    }

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.classify(self.features(images))
    }

    fn costs(&self, shape: ImageShape) -> Vec<LayerCost> {
        let [_, mut height, mut width] = shape.dims();
        let mut layers = Vec::new();
        layers.extend(self.stem.iter().map(|stem| stem.cost(height * width)));
        for (block, more) in self.blocks.iter().zip(&self.more) {
            layers.push(block.cost(height * width));
            (height, width) = (height / 2, width / 2);
            layers.extend(more.iter().map(|block| block.cost(height * width)));
        }
        let connected = self.hidden.iter().chain([&self.head]);
        layers.extend(connected.map(|layer| LayerCost::new(&layer.weight, 1)));
        layers
    }

    fn first_weights(&self, _shape: ImageShape) -> Option<Tensor<4>> {
        let first = self.stem.iter().chain(&self.blocks).next();
        first.map(Block::weights)
    }

    fn backbone(&self) -> Option<&dyn Backbone> {
        Some(self)
    }
}

impl Backbone for Cnn {
    fn features(&self, images: Tensor<4>) -> Tensor<4> {
        let layout = Layout::of(&images.device());
        let mut values = layout.arrange(images);
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

    fn classify(&self, features: Tensor<4>) -> Tensor<2> {
        let layout = Layout::of(&features.device());
        let mut values = match self.gather {
            Gather::Flatten => layout.to_channels_first(features).flatten(1, 3),
            Gather::Average => layout.global_average(features),
            Gather::Max => layout.global_max(features),
        };
        if let Some(hidden) = &self.hidden {
            values = linear(hidden, values, Activation::Relu);
        }
        let values = dropout(&self.dropout, values);
        linear(&self.head, values, Activation::Identity)
    }

    fn parameters(&self) -> Vec<String> {
        ["stem.*", "blocks.*", "more.*"].map(String::from).to_vec()
    }

    fn head_layers(&self) -> usize {
        // What gathers the features, dropout and the last layer; a hidden layer has its ReLU.
        3 + self.hidden.as_ref().map_or(0, |_| 2)
    }
}
