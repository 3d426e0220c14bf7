//! Networks that a config describes layer by layer.

#[path = "../common/mod.rs"]
mod common;
#[path = "../bad_inputs/watched.rs"]
mod watched;

mod broken;
mod checkpoints;
mod equivalence;
mod names;
mod refusals;

use burn::prelude::*;
use kiln::models::{ModelConfig, Network};
use kiln::shape::ImageShape;

/// The model section of a config.
fn model(json: &str) -> ModelConfig {
    serde_json::from_str(json).expect("a model")
}

/// A network of layers, for images of a shape.
fn network(json: &str, shape: ImageShape, classes: usize) -> Network {
    let config = model(json);
    assert_eq!(config.problems(shape), Vec::new(), "{json}");
    Network::new(&config, shape, classes, &Device::flex())
}
