//! What every network has in common: one trait that each file of this room implements.

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::blocks::LayerCost;
use super::layer_list::LayerConfig;
use crate::error::Problem;
use crate::shape::ImageShape;

/// What a network is trained to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Classify an image.
    Classify,
    /// Reproduce the image.
    Reconstruct,
}

/// A kind of network: its settings, the images that it accepts, its layers and what they can do.
///
/// The names of a network's fields are the names of its tensors in `model.safetensors`, and weights are drawn in the order of
/// the fields.
pub trait Architecture: Module {
    /// The settings in the `model` section of a config.
    type Config;

    /// What it is trained to do.
    const TASK: Task = Task::Classify;

    /// How many classes the config asks for; `None` means as many as the data has.
    fn classes(_config: &Self::Config) -> Option<usize> {
        None
    }

    /// The key of the config that sets the number of classes.
    fn classes_key(_config: &Self::Config) -> &'static str {
        "classes"
    }

    /// What is wrong with these settings for images of `shape`; paths are keys of the `model` section.
    fn problems(_config: &Self::Config, _shape: ImageShape) -> Vec<Problem> {
        Vec::new()
    }

    /// What is wrong with the network for images of `shape` once the number of classes is known; paths as in
    /// [`problems`](Self::problems).
    fn problem_with_classes(
        _config: &Self::Config,
        _shape: ImageShape,
        _classes: usize,
    ) -> Option<Problem> {
        None
    }

    /// Dropout probability, 0 to 1; 0 is no dropout.
    fn dropout(_config: &Self::Config) -> f64 {
        0.0
    }

    /// The same settings without dropout.
    fn without_dropout(config: Self::Config) -> Self::Config {
        config
    }

    /// The network as a list of layers, with the names of its parameters: what it is drawn and exported as. A layer without a
    /// size gives one value for each class; autoencoders end with the values of an image.
    fn layers(config: &Self::Config, shape: ImageShape) -> Vec<LayerConfig>;

    /// Builds the network for images of `shape`. Weights are drawn from the device's random generator when they are first
    /// used, so building a network allocates next to nothing; autoencoders ignore `classes`.
    fn new(config: &Self::Config, shape: ImageShape, classes: usize, device: &Device) -> Self;

    /// Logits `[batch, classes]`, or for autoencoders images `[batch, pixels]` in [0, 1], of images
    /// `[batch, channels, height, width]`.
    fn forward(&self, images: Tensor<4>) -> Tensor<2>;

    /// What each linear layer costs for one image of `shape`, first layer first.
    fn costs(&self, shape: ImageShape) -> Vec<LayerCost>;

    /// The weights of each unit of the first layer as an image: `[units, channels, rows, columns]`.
    fn first_weights(&self, _shape: ImageShape) -> Option<Tensor<4>> {
        None
    }

    /// The network as a backbone and a head, if it can be cut there.
    fn backbone(&self) -> Option<&dyn Backbone> {
        None
    }
}

/// A classifier in two parts: a convolutional backbone that computes features, and a head that classifies them. Where the
/// backbone is frozen, training computes an image's features once.
pub trait Backbone {
    /// The features of images `[batch, channels, height, width]`, in the layout that suits the device.
    fn features(&self, images: Tensor<4>) -> Tensor<4>;

    /// Logits `[batch, classes]` of [`features`](Self::features).
    fn classify(&self, features: Tensor<4>) -> Tensor<2>;

    /// Patterns that match the names of the backbone's parameters, and only these.
    fn parameters(&self) -> Vec<String>;

    /// Number of layers at the end of the network's list that make up the head.
    fn head_layers(&self) -> usize;
}
