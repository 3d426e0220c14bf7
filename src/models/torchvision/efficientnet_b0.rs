//! EfficientNet-B0 (Tan and Le 2019); its relatives have other factors of width and depth.

use serde::{Deserialize, Serialize};

use super::parts::{Activation, Inverted, NORM, bare_conv, conv_norm, divisible, misfit};
use crate::error::Problem;
use crate::models::described::{Described, LayerList};
use crate::models::layer_list::{
    Gate, GateActivation, LayerConfig, SqueezeExciteConfig, WeightInit, dropout, global_avg_pool,
    group, linear,
};
use crate::shape::ImageShape;

/// Channels of the first convolution.
const FIRST: usize = 32;

/// Stages: by how much a block widens its input, kernel, stride of the first block, channels, blocks.
const STAGES: [[usize; 5]; 7] = [
    [1, 3, 1, 16, 1],
    [6, 3, 2, 24, 2],
    [6, 5, 2, 40, 2],
    [6, 3, 2, 80, 3],
    [6, 5, 1, 112, 3],
    [6, 5, 2, 192, 4],
    [6, 3, 1, 320, 1],
];

/// Channels of the features per channel of the last block.
const FEATURES: usize = 4;

/// Channels of a block's input per channel of the hidden layer of its squeeze-and-excitation part.
const REDUCTION: usize = 4;

/// EfficientNet-B0.
pub type EfficientnetB0 = Described<EfficientnetB0Config>;

/// Settings of EfficientNet-B0. B1 has a `width_mult` of 1.0 and a `depth_mult` of 1.1, B2 1.1 and 1.2, B3 1.2 and 1.4, B4 1.4 and 1.8.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct EfficientnetB0Config {
    /// Factor of the number of channels of each layer.
    #[cfg_attr(feature = "app", schemars(range(min = 0.1, max = 8.0)))]
    pub width_mult: f64,
    /// Factor of the number of blocks of each stage.
    #[cfg_attr(feature = "app", schemars(range(min = 0.1, max = 8.0)))]
    pub depth_mult: f64,
    /// Dropout probability on the features.
    #[cfg_attr(feature = "app", schemars(range(min = 0.0, max = 0.95)))]
    pub dropout: f64,
    /// Probability of leaving out the last block for an image in training, zero for the first block and rising evenly
    /// (stochastic depth).
    #[cfg_attr(feature = "app", schemars(range(min = 0.0, max = 0.95)))]
    pub drop_path: f64,
    /// Number of classes; null takes it from the data.
    #[cfg_attr(feature = "app", schemars(range(min = 2, max = 65536)))]
    pub classes: Option<usize>,
}

impl Default for EfficientnetB0Config {
    fn default() -> Self {
        Self {
            width_mult: 1.0,
            depth_mult: 1.0,
            dropout: 0.2,
            drop_path: 0.2,
            classes: None,
        }
    }
}

/// The squeeze-and-excitation settings of a block with this many input channels.
fn excite(inputs: usize) -> SqueezeExciteConfig {
    SqueezeExciteConfig {
        channels: (inputs / REDUCTION).max(1),
        activation: GateActivation::Silu,
        gate: Gate::Sigmoid,
        init: WeightInit::KaimingNormal,
        names: ["fc1", "fc2"].map(String::from),
        name: None,
    }
}

impl EfficientnetB0Config {
    fn widened(&self, channels: usize) -> usize {
        divisible(channels as f64 * self.width_mult)
    }

    fn deepened(&self, blocks: usize) -> usize {
        (blocks as f64 * self.depth_mult).ceil() as usize
    }
}

impl LayerList for EfficientnetB0Config {
    fn layers(&self, _shape: ImageShape) -> Vec<LayerConfig> {
        let silu: Activation = LayerConfig::Silu;
        let mut inputs = self.widened(FIRST);
        let mut layers = conv_norm("features.0", bare_conv(inputs, 3, 2), NORM, Some(silu));
        let total: usize = STAGES.iter().map(|row| self.deepened(row[4])).sum();
        let mut done = 0;
        for (stage, [factor, kernel, stride, channels, blocks]) in STAGES.into_iter().enumerate() {
            let outputs = self.widened(channels);
            let mut all = Vec::new();
            for index in 0..self.deepened(blocks) {
                let block = Inverted {
                    inputs,
                    expanded: divisible((inputs * factor) as f64),
                    outputs,
                    kernel,
                    stride: if index == 0 { stride } else { 1 },
                    activation: silu,
                    excite: Some(excite(inputs)),
                    norm: NORM,
                    drop_path: self.drop_path * done as f64 / total as f64,
                };
                all.push(block.named(index.to_string()));
                inputs = outputs;
                done += 1;
            }
            layers.push(group(all).named(format!("features.{}", stage + 1)));
        }
        let last = bare_conv(FEATURES * inputs, 1, 1);
        let name = format!("features.{}", STAGES.len() + 1);
        layers.extend(conv_norm(&name, last, NORM, Some(silu)));
        layers.extend([
            global_avg_pool(),
            dropout(self.dropout),
            linear(None)
                .init(WeightInit::UniformFanOut)
                .named("classifier.1"),
        ]);
        layers
    }

    fn classes(&self) -> Option<usize> {
        self.classes
    }

    fn dropout(&self) -> f64 {
        self.dropout.max(self.drop_path)
    }

    fn without_dropout(self) -> Self {
        Self {
            dropout: 0.0,
            drop_path: 0.0,
            ..self
        }
    }

    fn misfit(&self, problem: Problem, shape: ImageShape) -> Problem {
        misfit("EfficientNet-B0", &problem, shape)
    }
}
