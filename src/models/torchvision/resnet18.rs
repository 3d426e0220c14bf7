//! ResNet-18 (He et al. 2016).

use serde::{Deserialize, Serialize};

use super::parts::misfit;
use super::resnet::{self, Block};
use crate::error::Problem;
use crate::models::described::{Described, LayerList};
use crate::models::layer_list::LayerConfig;
use crate::shape::ImageShape;

/// Blocks of each stage.
const BLOCKS: [usize; 4] = [2, 2, 2, 2];

/// ResNet-18.
pub type Resnet18 = Described<Resnet18Config>;

/// Settings of ResNet-18.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Resnet18Config {
    /// Channels of the first stage; the later ones have two, four and eight times as many.
    #[cfg_attr(feature = "app", schemars(range(min = 1, max = 1024)))]
    pub width: usize,
    /// Number of classes; null takes it from the data.
    #[cfg_attr(feature = "app", schemars(range(min = 2, max = 65536)))]
    pub classes: Option<usize>,
}

impl Default for Resnet18Config {
    fn default() -> Self {
        Self {
            width: 64,
            classes: None,
        }
    }
}

impl LayerList for Resnet18Config {
    fn layers(&self, _shape: ImageShape) -> Vec<LayerConfig> {
        resnet::layers(Block::Basic, BLOCKS, self.width)
    }

    fn classes(&self) -> Option<usize> {
        self.classes
    }

    fn dropout(&self) -> f64 {
        0.0
    }

    fn without_dropout(self) -> Self {
        self
    }

    fn misfit(&self, problem: Problem, shape: ImageShape) -> Problem {
        misfit("ResNet-18", &problem, shape)
    }
}
