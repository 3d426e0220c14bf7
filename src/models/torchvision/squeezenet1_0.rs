//! SqueezeNet 1.0 (Iandola et al. 2016), the version of the paper.

use serde::{Deserialize, Serialize};

use super::parts::misfit;
use crate::error::Problem;
use crate::models::described::{Described, LayerList};
use crate::models::layer_list::{LayerConfig, conv};
use crate::models::squeezenet;
use crate::shape::ImageShape;

/// Channels and side of the first convolution.
const FIRST: [usize; 2] = [96, 7];

/// Index of the first fire module after each pooling layer.
const BEHIND_POOLS: [usize; 3] = [0, 3, 7];

/// Smallest side that leaves every pool a whole window.
const MIN_SIDE: usize = 29;

/// SqueezeNet 1.0.
pub type Squeezenet1_0 = Described<Squeezenet1_0Config>;

/// Settings of SqueezeNet 1.0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Squeezenet1_0Config {
    /// Dropout probability on the last feature maps.
    #[cfg_attr(feature = "app", schemars(range(min = 0.0, max = 0.95)))]
    pub dropout: f64,
    /// Number of classes; null takes it from the data.
    #[cfg_attr(feature = "app", schemars(range(min = 2, max = 65536)))]
    pub classes: Option<usize>,
}

impl Default for Squeezenet1_0Config {
    fn default() -> Self {
        Self {
            dropout: 0.5,
            classes: None,
        }
    }
}

impl LayerList for Squeezenet1_0Config {
    fn layers(&self, _shape: ImageShape) -> Vec<LayerConfig> {
        let [channels, side] = FIRST;
        squeezenet::list_of_layers(conv(channels, side), BEHIND_POOLS, self.dropout)
    }

    fn classes(&self) -> Option<usize> {
        self.classes
    }

    fn dropout(&self) -> f64 {
        self.dropout
    }

    fn without_dropout(self) -> Self {
        Self {
            dropout: 0.0,
            ..self
        }
    }

    fn problems(&self, shape: ImageShape) -> Vec<Problem> {
        let (height, width) = (shape.height, shape.width);
        if height.min(width) >= MIN_SIDE {
            return Vec::new();
        }
        let problem = format!(
            "SqueezeNet 1.0 takes images of at least {MIN_SIDE} pixels a side, not {height}x{width}"
        );
        vec![Problem::new("kind", problem)]
    }

    fn misfit(&self, problem: Problem, shape: ImageShape) -> Problem {
        misfit("SqueezeNet 1.0", &problem, shape)
    }
}
