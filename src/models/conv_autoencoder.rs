//! The convolutional autoencoder: blocks that halve the image, a code of a few numbers, and steps that double it again.

use burn::nn::conv::Conv2d;
use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::activation::sigmoid;
use serde::{Deserialize, Serialize};

use super::architecture::{Architecture, Task};
use super::blocks::block_layers;
use super::blocks::{Block, LayerCost, Layout, conv3x3, convolve, linear, too_many_halvings};
use super::layer_list::{
    self, DepthToSpaceConfig, DepthToSpaceMode, LayerConfig, Side, UnflattenConfig, plain,
};
use crate::error::Problem;
use crate::kernels::Activation;
use crate::shape::ImageShape;

/// Settings of the convolutional autoencoder: downsample and upsample by 2 per block, with a code in between.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ConvAutoencoderConfig {
    /// Channels of each downsampling block; the decoder mirrors them.
    #[cfg_attr(
        feature = "app",
        schemars(length(min = 1, max = 8), inner(range(min = 1, max = 4096)))
    )]
    pub channels: Vec<usize>,
    /// Width of the code: the number of values that describe an image.
    #[cfg_attr(feature = "app", schemars(range(min = 1, max = 65536)))]
    pub code: usize,
}

impl Default for ConvAutoencoderConfig {
    fn default() -> Self {
        Self {
            channels: vec![32, 64, 128],
            code: 32,
        }
    }
}

impl ConvAutoencoderConfig {
    /// Channels into and out of each doubling step.
    fn steps_back(&self) -> impl Iterator<Item = (usize, usize)> {
        let channels = &self.channels;
        (0..channels.len())
            .rev()
            .map(move |step| (channels[step], channels[step.saturating_sub(1)]))
    }
}

/// Blocks down to a code, and up again; see [`ConvAutoencoderConfig`].
///
/// A step up is a convolution to four times the channels, whose values then become neighbours (sub-pixel convolution, Shi et
/// al. 2016), in TensorFlow's order of the channels.
#[derive(Module, Debug)]
pub struct ConvAutoencoder {
    down: Vec<Block>,
    encode: Linear,
    decode: Linear,
    up: Vec<Block>,
    image: Conv2d,
    /// Rows and columns of the smallest feature maps.
    #[module(skip)]
    smallest: [usize; 2],
}

impl Architecture for ConvAutoencoder {
    type Config = ConvAutoencoderConfig;

    const TASK: Task = Task::Reconstruct;

    fn problems(config: &ConvAutoencoderConfig, shape: ImageShape) -> Vec<Problem> {
        let blocks = config.channels.len();
        let multiple = 1usize << blocks.min(16); // The schema allows 8.
        let (height, width) = (shape.height, shape.width);
        if !height.is_multiple_of(multiple) || !width.is_multiple_of(multiple) {
            let problem = format!(
                "{blocks} blocks halve the image and double it again: {height}x{width} pixels must be multiples of \
                 {multiple}; use fewer blocks or another size"
            );
            return vec![Problem::new("channels", problem)];
        }
        too_many_halvings("channels", blocks, shape)
            .into_iter()
            .collect()
    }

    fn layers(config: &ConvAutoencoderConfig, shape: ImageShape) -> Vec<LayerConfig> {
        let blocks = config.channels.len();
        let mut layers = Vec::new();
        for (index, &channels) in config.channels.iter().enumerate() {
            layers.extend(block_layers(&format!("down.{index}"), channels, true));
        }
        let smallest = [shape.height, shape.width].map(|side| side >> blocks);
        let last = config.channels.last().copied().unwrap_or(shape.channels);
        layers.extend([
            layer_list::flatten(),
            layer_list::linear(config.code).named("encode"),
            layer_list::linear(last * smallest[0] * smallest[1]).named("decode"),
            layer_list::relu(),
            LayerConfig::Unflatten(UnflattenConfig {
                size: Side::Sides(smallest),
                name: None,
            }),
        ]);
        for (index, (_, to)) in config.steps_back().enumerate() {
            layers.extend(block_layers(&format!("up.{index}"), 4 * to, false));
            layers.push(LayerConfig::DepthToSpace(DepthToSpaceConfig {
                block: 2,
                mode: DepthToSpaceMode::Dcr,
                name: None,
            }));
        }
        layers.extend([
            layer_list::conv(shape.channels, 3)
                .padding(1)
                .named("image"),
            layer_list::flatten(),
            plain(LayerConfig::Sigmoid),
        ]);
        layers
    }

    /// Height and width are multiples of two to the number of blocks.
    fn new(
        config: &ConvAutoencoderConfig,
        shape: ImageShape,
        _classes: usize,
        device: &Device,
    ) -> Self {
        let [channels, height, width] = shape.dims();
        let mut last = channels;
        let mut down = Vec::new();
        for &to in &config.channels {
            down.push(Block::new(last, to, true, device));
            last = to;
        }
        let smallest = [height >> down.len(), width >> down.len()];
        let features = last * smallest[0] * smallest[1];
        let up = config.steps_back().map(|(from, to)| {
            last = to;
            Block::new(from, 4 * to, false, device)
        });
        let up = up.collect();
        Self {
            down,
            encode: LinearConfig::new(features, config.code).init(device),
            decode: LinearConfig::new(config.code, features).init(device),
            up,
            image: conv3x3(last, channels, device),
            smallest,
        }
    }

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let layout = Layout::of(&images.device());
        let down = self.down.iter();
        let small = down.fold(layout.arrange(images), |values, block| {
            block.forward(values, layout)
        });
        // As in PyTorch, on every device: channels first.
        let small = layout.to_channels_first(small).flatten(1, 3);
        let code = linear(&self.encode, small, Activation::Identity);
        let features = linear(&self.decode, code, Activation::Relu);
        let [batch, values] = features.dims();
        let [height, width] = self.smallest;
        let channels = values / (height * width);
        let small = layout.arrange(features.reshape([batch, channels, height, width]));
        let large = self.up.iter().fold(small, |values, block| {
            layout.depth_to_space(block.forward(values, layout), 2, DepthToSpaceMode::Dcr)
        });
        let image = layout.to_channels_first(convolve(&self.image, large, false, layout));
        sigmoid(image.flatten(1, 3))
    }

    fn costs(&self, shape: ImageShape) -> Vec<LayerCost> {
        let mut positions = shape.pixels();
        let mut layers = Vec::new();
        for block in &self.down {
            layers.push(block.cost(positions));
            positions /= 4;
        }
        let connected = [&self.encode, &self.decode];
        layers.extend(connected.map(|layer| LayerCost::new(&layer.weight, 1)));
        for block in &self.up {
            layers.push(block.cost(positions));
            positions *= 4;
        }
        layers.push(LayerCost::new(&self.image.weight, positions));
        layers
    }

    fn first_weights(&self, _shape: ImageShape) -> Option<Tensor<4>> {
        self.down.first().map(Block::weights)
    }
}
