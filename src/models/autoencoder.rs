//! The autoencoders: an image becomes a few numbers, and these become the image again.

use burn::module::Initializer;
use burn::nn::conv::Conv2d;
use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::activation::sigmoid;

use super::layers::{Block, Layout, convolve, linear, same_size, zero_bias};
use super::{Layer, Work, layer};
use crate::config::model::{AutoencoderConfig, ConvAutoencoderConfig};
use crate::kernels::Activation;
use crate::shape::ImageShape;

/// Fully connected layers, ReLU between them and a sigmoid at the end; see [`AutoencoderConfig`].
#[derive(Module, Debug)]
pub struct Autoencoder {
    layers: Vec<Linear>,
}

impl Autoencoder {
    /// Xavier uniform weights and biases of zero, as in the course.
    pub fn new(config: &AutoencoderConfig, shape: ImageShape, device: &Device) -> Self {
        let pixels: usize = shape.values();
        let widths = [&[pixels], config.hidden.as_slice(), &[pixels]].concat();
        let layers = widths.windows(2).map(|pair| {
            let mut layer = LinearConfig::new(pair[0], pair[1])
                .with_initializer(Initializer::XavierUniform { gain: 1.0 })
                .init(device);
            layer.bias = zero_bias([pair[1]], device);
            layer
        });
        Self {
            layers: layers.collect(),
        }
    }

    /// Images `[batch, pixels]`, values in [0, 1], of images `[batch, channels, height, width]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let last = self.layers.len() - 1;
        let layers = self.layers.iter().enumerate();
        layers.fold(images.flatten(1, 3), |values, (index, layer)| {
            let activation = match index == last {
                true => Activation::Sigmoid,
                false => Activation::Relu,
            };
            linear(layer, values, activation)
        })
    }

    /// What one image costs.
    pub fn work(&self) -> Work {
        let layers = self.layers.iter();
        let layers: Vec<Layer> = layers.map(|linear| layer(&linear.weight, 1)).collect();
        Work::of(&layers)
    }

    /// The first layer.
    pub fn first(&self) -> Option<&Linear> {
        self.layers.first()
    }
}

/// Blocks down to a code, and up again; see [`ConvAutoencoderConfig`].
///
/// A step up is a convolution to four times the channels, whose values then become neighbours (sub-pixel convolution, Shi et
/// al. 2016).
#[derive(Module, Debug)]
pub struct ConvAutoencoder {
    down: Vec<Block>,
    encode: Linear,
    decode: Linear,
    up: Vec<Block>,
    image: Conv2d,
    /// Rows and columns of the smallest maps.
    #[module(skip)]
    smallest: [usize; 2],
}

impl ConvAutoencoder {
    /// Height and width are multiples of two to the number of blocks.
    pub fn new(config: &ConvAutoencoderConfig, shape: ImageShape, device: &Device) -> Self {
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
            image: same_size(last, channels, device),
            smallest,
        }
    }

    /// Images `[batch, pixels]`, values in [0, 1], of images `[batch, channels, height, width]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let layout = Layout::of(&images.device());
        let down = self.down.iter();
        let small = down.fold(layout.take(images), |values, block| {
            block.forward(values, layout)
        });
        // As in PyTorch, on every device: channels first.
        let small = layout.give(small).flatten(1, 3);
        let code = linear(&self.encode, small, Activation::Identity);
        let features = linear(&self.decode, code, Activation::Relu);
        let [batch, values] = features.dims();
        let [height, width] = self.smallest;
        let channels = values / (height * width);
        let small = layout.take(features.reshape([batch, channels, height, width]));
        let large = self.up.iter().fold(small, |values, block| {
            layout.double(block.forward(values, layout))
        });
        let image = layout.give(convolve(&self.image, large, false, layout));
        sigmoid(image.flatten(1, 3))
    }

    /// What one image of `[channels, height, width]` costs.
    pub fn work(&self, shape: ImageShape) -> Work {
        let mut positions = shape.pixels();
        let mut layers = Vec::new();
        for block in &self.down {
            layers.push(block.work(positions));
            positions /= 4;
        }
        let connected = [&self.encode, &self.decode];
        layers.extend(connected.map(|linear| layer(&linear.weight, 1)));
        for block in &self.up {
            layers.push(block.work(positions));
            positions *= 4;
        }
        layers.push(layer(&self.image.weight, positions));
        Work::of(&layers)
    }

    /// The first layer's weights, `[out, in, 3, 3]`.
    pub fn first_weights(&self) -> Option<Tensor<4>> {
        self.down.first().map(Block::weights)
    }
}
