//! The multi-layer perceptron of the course: fully connected layers with a non-linearity between them.

use burn::module::Initializer;
use burn::nn::Linear;
use burn::prelude::*;
use burn::tensor::activation::tanh;
use serde::{Deserialize, Serialize};

use super::architecture::Architecture;
use super::blocks::{LayerCost, fully_connected, linear, unit_images};
use super::layer_list::{self, LayerConfig, WeightInit, plain};
use crate::kernels;
use crate::shape::ImageShape;

/// Settings of the multi-layer perceptron.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct MlpConfig {
    /// Width of each hidden layer; `[]` is a linear classifier.
    #[cfg_attr(
        feature = "app",
        schemars(length(max = 16), inner(range(min = 1, max = 65536)))
    )]
    pub hidden: Vec<usize>,
    /// The non-linearity between the layers.
    pub activation: Activation,
    /// Weight initialization; biases start at zero.
    pub init: Init,
    /// Number of classes; null takes it from the data.
    #[cfg_attr(feature = "app", schemars(range(min = 2, max = 65536)))]
    pub classes: Option<usize>,
}

impl Default for MlpConfig {
    fn default() -> Self {
        Self {
            hidden: vec![64],
            activation: Activation::Sigmoid,
            init: Init::XavierUniform,
            classes: None,
        }
    }
}

/// The non-linearity between fully connected layers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "app", schemars(inline))]
pub enum Activation {
    /// 1 / (1 + e^-x)
    #[default]
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// max(0, x)
    Relu,
}

/// Weight initialization of the fully connected layers; biases start at zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "app", schemars(inline))]
pub enum Init {
    /// Uniform in +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010).
    #[default]
    XavierUniform,
    /// All zero. Demonstrates that zero initialization fails (symmetry is never broken).
    Zeros,
}

/// Fully connected layers; see [`MlpConfig`].
#[derive(Module, Debug)]
pub struct Mlp {
    layers: Vec<Linear>,
    #[module(skip)]
    activation: Activation,
}

impl Architecture for Mlp {
    type Config = MlpConfig;

    fn classes(config: &MlpConfig) -> Option<usize> {
        config.classes
    }

    fn layers(config: &MlpConfig, _shape: ImageShape) -> Vec<LayerConfig> {
        let init = match config.init {
            Init::XavierUniform => WeightInit::XavierUniform,
            Init::Zeros => WeightInit::Zeros,
        };
        let mut layers = vec![layer_list::flatten()];
        for (index, &width) in config.hidden.iter().enumerate() {
            let layer = layer_list::linear(width).init(init);
            layers.push(layer.named(format!("layers.{index}")));
            layers.push(plain(match config.activation {
                Activation::Sigmoid => LayerConfig::Sigmoid,
                Activation::Tanh => LayerConfig::Tanh,
                Activation::Relu => LayerConfig::Relu,
            }));
        }
        let last = layer_list::linear(None).init(init);
        layers.push(last.named(format!("layers.{}", config.hidden.len())));
        layers
    }

    fn new(config: &MlpConfig, shape: ImageShape, classes: usize, device: &Device) -> Self {
        let widths = [&[shape.values()], config.hidden.as_slice(), &[classes]].concat();
        let initializer = match config.init {
            Init::XavierUniform => Initializer::XavierUniform { gain: 1.0 },
            Init::Zeros => Initializer::Zeros,
        };
        Self {
            layers: fully_connected(&widths, &initializer, device),
            activation: config.activation,
        }
    }

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
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
