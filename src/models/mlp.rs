//! The multi-layer perceptron of the course: fully connected layers with a non-linearity between them.

use burn::module::Initializer;
use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::activation::tanh;

use super::layers::{linear, zero_bias};
use super::{Layer, Work, layer};
use crate::config::experiment::{Activation, Init, MlpConfig};
use crate::kernels;
use crate::shape::ImageShape;

/// Fully connected layers; see [`MlpConfig`].
#[derive(Module, Debug)]
pub struct Mlp {
    layers: Vec<Linear>,
    #[module(skip)]
    activation: Activation,
}

impl Mlp {
    /// Layers from `channels * height * width` inputs over the hidden widths to `classes` logits; biases start at zero.
    pub fn new(config: &MlpConfig, shape: ImageShape, classes: usize, device: &Device) -> Self {
        let widths: Vec<usize> = std::iter::once(shape.values())
            .chain(config.hidden.iter().copied())
            .chain([classes])
            .collect();
        let layers = widths
            .windows(2)
            .map(|pair| new_layer(config.init, pair[0], pair[1], device))
            .collect();
        Self {
            layers,
            activation: config.activation,
        }
    }

    /// Logits `[batch, classes]` of images `[batch, channels, height, width]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut values: Tensor<2> = images.flatten(1, 3);
        let Some((last, hidden)) = self.layers.split_last() else {
            return values;
        };
        for layer in hidden {
            values = match self.activation {
                Activation::Sigmoid => linear(layer, values, kernels::Activation::Sigmoid),
                Activation::Tanh => tanh(linear(layer, values, kernels::Activation::Identity)),
                Activation::Relu => linear(layer, values, kernels::Activation::Relu),
            };
        }
        linear(last, values, kernels::Activation::Identity)
    }
}

impl Mlp {
    /// The first layer.
    pub fn first(&self) -> Option<&Linear> {
        self.layers.first()
    }

    /// What one image costs.
    pub fn work(&self) -> Work {
        let layers = self.layers.iter();
        let layers: Vec<Layer> = layers.map(|linear| layer(&linear.weight, 1)).collect();
        Work::of(&layers)
    }
}

fn new_layer(init: Init, inputs: usize, outputs: usize, device: &Device) -> Linear {
    let initializer = match init {
        Init::XavierUniform => Initializer::XavierUniform { gain: 1.0 },
        Init::Zeros => Initializer::Zeros,
    };
    let mut layer = LinearConfig::new(inputs, outputs)
        .with_initializer(initializer)
        .init(device);
    // The initializer also draws the bias; the course starts it at zero.
    layer.bias = zero_bias([outputs], device);
    layer
}
