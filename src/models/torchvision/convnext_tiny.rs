//! ConvNeXt-Tiny (Liu et al. 2022); its relatives have other channels and depths.

use serde::{Deserialize, Serialize};

use super::parts::misfit;
use crate::error::Problem;
use crate::models::described::{Described, LayerList};
use crate::models::layer_list::{
    ConvConfig, LayerConfig, LinearConfig, WeightInit, conv, global_avg_pool, group, layer_norm,
    linear, plain, residual, scale,
};
use crate::shape::ImageShape;

/// Rows and columns of the patches of the first convolution.
const PATCH: usize = 4;

/// Rows and columns that become one position between two stages.
const STEP: usize = 2;

/// Side of the depthwise kernels.
const KERNEL: usize = 7;

/// Width of a block's hidden layer per channel.
const HIDDEN: usize = 4;

/// Added to the variance in layer norms.
const EPSILON: f64 = 1e-6;

/// Initial factor of the channels of a block.
const LAYER_SCALE: f64 = 1e-6;

/// Initial weights of all layers. torchvision cuts them at 100 standard deviations, which changes nothing.
const INIT: WeightInit = WeightInit::Normal { std: 0.02 };

/// ConvNeXt-Tiny.
pub type ConvnextTiny = Described<ConvnextTinyConfig>;

/// Settings of ConvNeXt-Tiny. Small has `depths` of `[3, 3, 27, 3]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ConvnextTinyConfig {
    /// Channels of each stage; height and width are halved between two stages.
    #[cfg_attr(
        feature = "app",
        schemars(length(min = 1, max = 8), inner(range(min = 1, max = 4096)))
    )]
    pub channels: Vec<usize>,
    /// Blocks of each stage.
    #[cfg_attr(
        feature = "app",
        schemars(length(min = 1, max = 8), inner(range(min = 1, max = 64)))
    )]
    pub depths: Vec<usize>,
    /// Probability of leaving out the last block for an image in training, zero for the first block and rising evenly
    /// (stochastic depth).
    #[cfg_attr(feature = "app", schemars(range(min = 0.0, max = 0.95)))]
    pub drop_path: f64,
    /// Number of classes; null takes it from the data.
    #[cfg_attr(feature = "app", schemars(range(min = 2, max = 65536)))]
    pub classes: Option<usize>,
}

impl Default for ConvnextTinyConfig {
    fn default() -> Self {
        Self {
            channels: vec![96, 192, 384, 768],
            depths: vec![3, 3, 9, 3],
            drop_path: 0.1,
            classes: None,
        }
    }
}

/// A convolution of patches that touch each other.
fn patches(channels: usize, side: usize) -> ConvConfig {
    conv(channels, side).stride(side).init(INIT)
}

fn dense(features: usize) -> LinearConfig {
    linear(features).init(INIT)
}

/// Depthwise convolution, then two fully connected layers at each position.
fn block(channels: usize, drop_path: f64) -> LayerConfig {
    let depthwise = conv(channels, KERNEL)
        .padding(KERNEL / 2)
        .groups(channels)
        .init(INIT);
    let body = vec![
        depthwise.named("block.0"),
        plain(LayerConfig::ChannelsLast),
        layer_norm(EPSILON).named("block.2"),
        dense(HIDDEN * channels).named("block.3"),
        plain(LayerConfig::Gelu),
        dense(channels).named("block.5"),
        plain(LayerConfig::ChannelsFirst),
        // Its factors belong to the block itself.
        scale(LAYER_SCALE).named(""),
    ];
    residual(body, Vec::new(), drop_path)
}

impl ConvnextTinyConfig {
    /// Smallest side that leaves a position in the last stage.
    fn min_side(&self) -> usize {
        let steps = self.channels.len().saturating_sub(1) as u32;
        PATCH * STEP.pow(steps)
    }
}

impl LayerList for ConvnextTinyConfig {
    fn layers(&self, _shape: ImageShape) -> Vec<LayerConfig> {
        let total: usize = self.depths.iter().sum();
        let mut done = 0;
        let mut layers = Vec::new();
        let stages = self.channels.iter().zip(&self.depths);
        for (stage, (&channels, &depth)) in stages.enumerate() {
            let place = 2 * stage;
            if stage == 0 {
                layers.push(patches(channels, PATCH).named("features.0.0"));
                layers.push(layer_norm(EPSILON).named("features.0.1"));
            } else {
                layers.push(layer_norm(EPSILON).named(format!("features.{place}.0")));
                layers.push(patches(channels, STEP).named(format!("features.{place}.1")));
            }
            let mut blocks = Vec::new();
            for index in 0..depth {
                let drop_path =
                    self.drop_path * done as f64 / total.saturating_sub(1).max(1) as f64;
                blocks.push(block(channels, drop_path).named(index.to_string()));
                done += 1;
            }
            layers.push(group(blocks).named(format!("features.{}", place + 1)));
        }
        layers.extend([
            global_avg_pool(),
            layer_norm(EPSILON).named("classifier.0"),
            linear(None).init(INIT).named("classifier.2"),
        ]);
        layers
    }

    fn classes(&self) -> Option<usize> {
        self.classes
    }

    fn dropout(&self) -> f64 {
        self.drop_path
    }

    fn without_dropout(self) -> Self {
        Self {
            drop_path: 0.0,
            ..self
        }
    }

    fn problems(&self, shape: ImageShape) -> Vec<Problem> {
        let (stages, depths) = (self.channels.len(), self.depths.len());
        if stages != depths {
            let problem = format!(
                "has {depths} values, but `channels` has {stages}; give one of each per stage"
            );
            return vec![Problem::new("depths", problem)];
        }
        let (height, width) = (shape.height, shape.width);
        let least = self.min_side();
        if height.min(width) >= least {
            return Vec::new();
        }
        let problem = format!(
            "ConvNeXt with {stages} stages takes images of at least {least} pixels a side, not {height}x{width}"
        );
        vec![Problem::new("kind", problem)]
    }

    fn misfit(&self, problem: Problem, shape: ImageShape) -> Problem {
        misfit("ConvNeXt", &problem, shape)
    }
}
