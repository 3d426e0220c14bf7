//! Models: the networks, written once for every backend.
//!
//! Comes in: a model config, the shape of an image and the number of classes. Goes out: a Burn module that maps
//! `[batch, channels, height, width]` to logits `[batch, classes]`. Nothing here knows files, data sets or terminals.

use burn::prelude::*;

use crate::config::experiment::ModelConfig;

pub mod cnn;
mod linear;
pub mod mlp;

pub use cnn::Cnn;
pub use mlp::Mlp;

/// Any of the networks; the one list of them on the side of the tensors.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // A process holds one or two of them.
pub enum Network {
    /// Fully connected layers.
    Mlp(Mlp),
    /// Convolutional blocks.
    Cnn(Cnn),
}

impl Network {
    /// Builds the network with fresh weights, drawn from the device's random generator.
    ///
    /// `shape` is `[channels, height, width]` of one image.
    pub fn new(config: &ModelConfig, shape: [usize; 3], classes: usize, device: &Device) -> Self {
        match config {
            ModelConfig::Mlp(config) => Network::Mlp(Mlp::new(config, shape, classes, device)),
            ModelConfig::Cnn(config) => Network::Cnn(Cnn::new(config, shape, classes, device)),
        }
    }

    /// Logits `[batch, classes]` of images `[batch, channels, height, width]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        match self {
            Network::Mlp(network) => network.forward(images),
            Network::Cnn(network) => network.forward(images),
        }
    }

    /// What one image of `[channels, height, width]` costs.
    pub fn work(&self, shape: [usize; 3]) -> Work {
        match self {
            Network::Mlp(network) => network.work(),
            Network::Cnn(network) => network.work(shape),
        }
    }
}

/// Multiply-adds of a network's linear operations (matrix products and convolutions) for one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// Forward.
    pub forward: usize,
    /// Backward: for every layer once for the weights and once for its input, but for the first layer's input.
    pub backward: usize,
}

impl Work {
    /// Of the layers' forward passes, first layer first.
    fn of(layers: &[usize]) -> Self {
        let forward = layers.iter().sum();
        Self {
            forward,
            backward: 2 * forward - layers.first().copied().unwrap_or(0),
        }
    }
}
