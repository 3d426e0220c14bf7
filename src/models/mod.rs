//! Models: the networks, written once for every backend.
//!
//! Comes in: a model config, the shape of an image and the number of classes. Goes out: a Burn module that maps
//! `[batch, channels, height, width]` to logits `[batch, classes]`, or to images `[batch, pixels]`. Nothing here knows files,
//! data sets or terminals.

use burn::module::Param;
use burn::prelude::*;

use crate::config::experiment::ModelConfig;
use crate::shape::ImageShape;

pub mod autoencoder;
pub mod cnn;
pub mod layers;
pub mod mlp;
pub mod parameters;
pub mod squeezenet;

pub use autoencoder::{Autoencoder, ConvAutoencoder};
pub use cnn::Cnn;
pub use mlp::Mlp;
pub use squeezenet::Squeezenet;

/// Any of the networks; the one list of them on the side of the tensors.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // A process holds one or two of them.
pub enum Network {
    /// Fully connected layers.
    Mlp(Mlp),
    /// Convolutional blocks.
    Cnn(Cnn),
    /// SqueezeNet 1.1.
    Squeezenet(Squeezenet),
    /// Fully connected layers from image to image.
    Autoencoder(Autoencoder),
    /// Convolutions from image to image.
    ConvAutoencoder(ConvAutoencoder),
}

impl Network {
    /// Builds the network with fresh weights, drawn from the device's random generator.
    ///
    /// `shape` is that of one image; autoencoders have no use for the classes.
    pub fn new(config: &ModelConfig, shape: ImageShape, classes: usize, device: &Device) -> Self {
        match config {
            ModelConfig::Mlp(config) => Network::Mlp(Mlp::new(config, shape, classes, device)),
            ModelConfig::Cnn(config) => Network::Cnn(Cnn::new(config, shape, classes, device)),
            ModelConfig::Squeezenet(config) => {
                Network::Squeezenet(Squeezenet::new(config, shape.channels, classes, device))
            }
            ModelConfig::Autoencoder(config) => {
                Network::Autoencoder(Autoencoder::new(config, shape, device))
            }
            ModelConfig::ConvAutoencoder(config) => {
                Network::ConvAutoencoder(ConvAutoencoder::new(config, shape, device))
            }
        }
    }

    /// Logits `[batch, classes]`, or images `[batch, pixels]` in [0, 1], of images `[batch, channels, height, width]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        match self {
            Network::Mlp(network) => network.forward(images),
            Network::Cnn(network) => network.forward(images),
            Network::Squeezenet(network) => network.forward(images),
            Network::Autoencoder(network) => network.forward(images),
            Network::ConvAutoencoder(network) => network.forward(images),
        }
    }

    /// What the convolutional part of a classifier makes of images, in the layout that suits the device; `None` for the other
    /// networks.
    pub fn features(&self, images: Tensor<4>) -> Option<Tensor<4>> {
        match self {
            Network::Cnn(network) => Some(network.features(images)),
            Network::Squeezenet(network) => Some(network.features(images)),
            Network::Mlp(_) | Network::Autoencoder(_) | Network::ConvAutoencoder(_) => None,
        }
    }

    /// Logits `[batch, classes]` of [`features`](Self::features); panics for networks that have none.
    pub fn finish(&self, features: Tensor<4>) -> Tensor<2> {
        match self {
            Network::Cnn(network) => network.classify(features),
            Network::Squeezenet(network) => network.classify(features),
            Network::Mlp(_) | Network::Autoencoder(_) | Network::ConvAutoencoder(_) => {
                unreachable!("this network has no features")
            }
        }
    }

    /// Whether nothing in the convolutional part of a classifier trains, batch norms included, so that its features stay the
    /// same.
    pub fn has_fixed_features(&self) -> bool {
        let patterns: &[&str] = match self {
            Network::Cnn(_) => &["stem.*", "blocks.*", "more.*"],
            Network::Squeezenet(_) => &["features.*"],
            Network::Mlp(_) | Network::Autoencoder(_) | Network::ConvAutoencoder(_) => {
                return false;
            }
        };
        let parameters = parameters::list(self);
        !patterns.iter().any(|pattern| {
            let mut within = parameters
                .iter()
                .filter(|parameter| parameters::fits(pattern, &parameter.name));
            within.any(|parameter| parameter.trainable)
                || parameters::behaves_as_in_training(self, pattern)
        })
    }

    /// What one image of `shape` costs.
    pub fn work(&self, shape: ImageShape) -> Work {
        match self {
            Network::Mlp(network) => network.work(),
            Network::Cnn(network) => network.work(shape),
            Network::Squeezenet(network) => network.work(shape),
            Network::Autoencoder(network) => network.work(),
            Network::ConvAutoencoder(network) => network.work(shape),
        }
    }

    /// The weights of each unit of the first layer, seen as an image: `[units, channels, rows, columns]`, for images of `shape`.
    pub fn first_weights(&self, shape: ImageShape) -> Option<Tensor<4>> {
        let connected = |layer: Option<&burn::nn::Linear>| {
            let weight = layer?.weight.val().transpose();
            let [units, _] = weight.dims();
            Some(weight.reshape([units, shape.channels, shape.height, shape.width]))
        };
        match self {
            Network::Mlp(network) => connected(network.first()),
            Network::Autoencoder(network) => connected(network.first()),
            Network::Cnn(network) => network.first_weights(),
            Network::Squeezenet(network) => network.first_weights(),
            Network::ConvAutoencoder(network) => network.first_weights(),
        }
    }
}

/// Multiply-adds of a network's linear operations (matrix products and convolutions) for one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// Forward.
    pub forward: usize,
    /// Backward: for every layer that trains once for the weights, and once for the input of every layer behind one that
    /// trains.
    pub backward: usize,
}

/// What a layer's forward pass costs, and whether its weights train.
type Layer = (usize, bool);

/// Of a layer with so many positions.
fn layer<const D: usize>(weight: &Param<Tensor<D>>, positions: usize) -> Layer {
    (
        weight.shape().num_elements() * positions,
        weight.is_require_grad(),
    )
}

impl Work {
    /// Of the layers, first layer first.
    fn of(layers: &[Layer]) -> Self {
        let mut work = Self {
            forward: 0,
            backward: 0,
        };
        let mut input_wanted = false;
        for &(cost, trains) in layers {
            work.forward += cost;
            work.backward += cost * (usize::from(trains) + usize::from(input_wanted));
            input_wanted |= trains;
        }
        work
    }
}
