//! MobileNetV2 (Sandler et al. 2018).

use serde::{Deserialize, Serialize};

use super::parts::{NORM, bare_conv, conv_norm, divisible, misfit};
use crate::error::Problem;
use crate::models::described::{Described, LayerList};
use crate::models::layer_list::{
    LayerConfig, WeightInit, dropout, global_avg_pool, group, linear, residual,
};
use crate::shape::ImageShape;

/// Channels of the first convolution.
const FIRST: f64 = 32.0;

/// Channels of the features.
const LAST: f64 = 1280.0;

/// Stages: by how much a block widens its input, channels, blocks, stride of the first.
const STAGES: [[usize; 4]; 7] = [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
];

/// Standard deviation of the last layer's initial weights.
const LAST_STD: f64 = 0.01;

/// MobileNetV2.
pub type MobilenetV2 = Described<MobilenetV2Config>;

/// Settings of MobileNetV2.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct MobilenetV2Config {
    /// Factor of the number of channels of each layer; features never have fewer than 1280.
    #[cfg_attr(feature = "app", schemars(range(min = 0.1, max = 8.0)))]
    pub width_mult: f64,
    /// Dropout probability on the features.
    #[cfg_attr(feature = "app", schemars(range(min = 0.0, max = 0.95)))]
    pub dropout: f64,
    /// Number of classes; null takes it from the data.
    #[cfg_attr(feature = "app", schemars(range(min = 2, max = 65536)))]
    pub classes: Option<usize>,
}

impl Default for MobilenetV2Config {
    fn default() -> Self {
        Self {
            width_mult: 1.0,
            dropout: 0.2,
            classes: None,
        }
    }
}

/// An inverted residual: widen, depthwise convolution, narrow without a function after it.
fn inverted(inputs: usize, outputs: usize, factor: usize, stride: usize) -> LayerConfig {
    let widened = inputs * factor;
    let mut layers = Vec::new();
    let mut number = 0;
    if factor != 1 {
        let widen = bare_conv(widened, 1, 1);
        layers.extend(conv_norm("conv.0", widen, NORM, Some(LayerConfig::Relu6)));
        number += 1;
    }
    let depthwise = bare_conv(widened, 3, stride).groups(widened);
    let place = format!("conv.{number}");
    layers.extend(conv_norm(&place, depthwise, NORM, Some(LayerConfig::Relu6)));
    layers.push(bare_conv(outputs, 1, 1).named(format!("conv.{}", number + 1)));
    layers.push(NORM.named(format!("conv.{}", number + 2)));
    if stride == 1 && inputs == outputs {
        residual(layers, Vec::new(), 0.0)
    } else {
        group(layers)
    }
}

impl LayerList for MobilenetV2Config {
    fn layers(&self, _shape: ImageShape) -> Vec<LayerConfig> {
        let relu6 = Some(LayerConfig::Relu6 as _);
        let mut inputs = divisible(FIRST * self.width_mult);
        let mut layers = conv_norm("features.0", bare_conv(inputs, 3, 2), NORM, relu6);
        let mut number = 1;
        for [factor, channels, blocks, stride] in STAGES {
            let outputs = divisible(channels as f64 * self.width_mult);
            for block in 0..blocks {
                let stride = if block == 0 { stride } else { 1 };
                let name = format!("features.{number}");
                layers.push(inverted(inputs, outputs, factor, stride).named(name));
                inputs = outputs;
                number += 1;
            }
        }
        let last = bare_conv(divisible(LAST * self.width_mult.max(1.0)), 1, 1);
        layers.extend(conv_norm(&format!("features.{number}"), last, NORM, relu6));
        let init = WeightInit::Normal { std: LAST_STD };
        layers.extend([
            global_avg_pool(),
            dropout(self.dropout),
            linear(None).init(init).named("classifier.1"),
        ]);
        layers
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
        misfit("MobileNetV2", &problem, shape)
    }
}
