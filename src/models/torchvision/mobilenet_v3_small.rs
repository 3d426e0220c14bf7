//! The small MobileNetV3 (Howard et al. 2019).

use serde::{Deserialize, Serialize};

use super::mobilenet_v3::{self, Row, row};
use super::parts::misfit;
use crate::error::Problem;
use crate::models::described::{Described, LayerList};
use crate::models::layer_list::LayerConfig;
use crate::shape::ImageShape;

/// The blocks.
const ROWS: [Row; 11] = [
    row(3, 16, 16, true, false, 2),
    row(3, 72, 24, false, false, 2),
    row(3, 88, 24, false, false, 1),
    row(5, 96, 40, true, true, 2),
    row(5, 240, 40, true, true, 1),
    row(5, 240, 40, true, true, 1),
    row(5, 120, 48, true, true, 1),
    row(5, 144, 48, true, true, 1),
    row(5, 288, 96, true, true, 2),
    row(5, 576, 96, true, true, 1),
    row(5, 576, 96, true, true, 1),
];

/// Width of the layer before the last.
const HIDDEN: usize = 1024;

/// The small MobileNetV3.
pub type MobilenetV3Small = Described<MobilenetV3SmallConfig>;

/// Settings of the small MobileNetV3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct MobilenetV3SmallConfig {
    /// Factor of the number of channels of each layer.
    #[cfg_attr(feature = "app", schemars(range(min = 0.1, max = 8.0)))]
    pub width_mult: f64,
    /// Dropout probability before the last layer.
    #[cfg_attr(feature = "app", schemars(range(min = 0.0, max = 0.95)))]
    pub dropout: f64,
    /// Number of classes; null takes it from the data.
    #[cfg_attr(feature = "app", schemars(range(min = 2, max = 65536)))]
    pub classes: Option<usize>,
}

impl Default for MobilenetV3SmallConfig {
    fn default() -> Self {
        Self {
            width_mult: 1.0,
            dropout: 0.2,
            classes: None,
        }
    }
}

impl LayerList for MobilenetV3SmallConfig {
    fn layers(&self, _shape: ImageShape) -> Vec<LayerConfig> {
        mobilenet_v3::layers(&ROWS, HIDDEN, self.width_mult, self.dropout)
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

    fn misfit(&self, problem: Problem, shape: ImageShape) -> Problem {
        misfit("MobileNetV3 (small)", &problem, shape)
    }
}
