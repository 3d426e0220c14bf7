//! The autoencoder of the course: fully connected layers from the image to a few numbers and back to the image.

use burn::module::Initializer;
use burn::nn::Linear;
use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::architecture::{Architecture, Task};
use super::blocks::{LayerCost, fully_connected, linear, unit_images};
use super::layer_list::{self, LayerConfig, WeightInit, plain};
use crate::kernels::Activation;
use crate::shape::ImageShape;

/// Settings of the fully connected autoencoder: ReLU after every layer but the last, which has a sigmoid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct AutoencoderConfig {
    /// Width of each layer between the input image and the output image; the narrowest is the code.
    #[cfg_attr(
        feature = "app",
        schemars(length(min = 1, max = 16), inner(range(min = 1, max = 65536)))
    )]
    pub hidden: Vec<usize>,
}

impl Default for AutoencoderConfig {
    fn default() -> Self {
        Self {
            hidden: vec![32, 32, 32],
        }
    }
}

/// Fully connected layers, ReLU between them and a sigmoid at the end; see [`AutoencoderConfig`].
#[derive(Module, Debug)]
pub struct Autoencoder {
    layers: Vec<Linear>,
}

impl Architecture for Autoencoder {
    type Config = AutoencoderConfig;

    const TASK: Task = Task::Reconstruct;

    fn layers(config: &AutoencoderConfig, shape: ImageShape) -> Vec<LayerConfig> {
        let widths = config.hidden.iter().copied().chain([shape.values()]);
        let mut layers = vec![layer_list::flatten()];
        for (index, width) in widths.enumerate() {
            let layer = layer_list::linear(width).init(WeightInit::XavierUniform);
            layers.push(layer.named(format!("layers.{index}")));
            let is_last = index == config.hidden.len();
            layers.push(plain(if is_last {
                LayerConfig::Sigmoid
            } else {
                LayerConfig::Relu
            }));
        }
        layers
    }

    /// Xavier uniform weights and biases of zero, as in the course.
    fn new(
        config: &AutoencoderConfig,
        shape: ImageShape,
        _classes: usize,
        device: &Device,
    ) -> Self {
        let pixels = shape.values();
        let widths = [&[pixels], config.hidden.as_slice(), &[pixels]].concat();
        let initializer = Initializer::XavierUniform { gain: 1.0 };
        Self {
            layers: fully_connected(&widths, &initializer, device),
        }
    }

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let last = self.layers.len() - 1;
        let layers = self.layers.iter().enumerate();
        layers.fold(images.flatten(1, 3), |values, (index, layer)| {
            let activation = if index == last {
                Activation::Sigmoid
            } else {
                Activation::Relu
            };
            linear(layer, values, activation)
        })
    }

    fn costs(&self, _shape: ImageShape) -> Vec<LayerCost> {
        let layers = self.layers.iter();
        layers
            .map(|layer| LayerCost::new(&layer.weight, 1))
            .collect()
    }

    fn first_weights(&self, shape: ImageShape) -> Option<Tensor<4>> {
        self.layers.first().map(|layer| unit_images(layer, shape))
    }
}
