//! MobileNetV3 (Howard et al. 2019) of any stages and width.

use super::parts::{Activation, Inverted, Norm, bare_conv, conv_norm, divisible};
use crate::models::layer_list::{
    Gate, GateActivation, LayerConfig, SqueezeExciteConfig, WeightInit, dropout, global_avg_pool,
    linear, plain,
};

/// Constants of the batch norms.
const NORM_V3: Norm = Norm {
    epsilon: 1e-3,
    momentum: 0.01,
};

/// Channels of the first convolution.
const FIRST: f64 = 16.0;

/// Channels of the features per channel of the last block.
const FEATURES: usize = 6;

/// Channels of a block per channel of the hidden layer of its squeeze-and-excitation part.
const REDUCTION: usize = 4;

/// Standard deviation of the initial weights of the last two layers.
const LAST_STD: f64 = 0.01;

/// Sizes of a block.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Side of the depthwise kernel.
    pub kernel: usize,
    /// Channels between the convolutions.
    pub expanded: usize,
    /// Channels of the output.
    pub channels: usize,
    /// Whether it has squeeze and excitation.
    pub excites: bool,
    /// Whether its function is hard swish, not ReLU.
    pub is_smooth: bool,
    /// Step of the depthwise kernel.
    pub stride: usize,
}

/// A row of the table in torchvision: kernel, expanded channels, channels, squeeze and excitation, hard swish, stride.
pub const fn row(
    kernel: usize,
    expanded: usize,
    channels: usize,
    excites: bool,
    is_smooth: bool,
    stride: usize,
) -> Row {
    Row {
        kernel,
        expanded,
        channels,
        excites,
        is_smooth,
        stride,
    }
}

/// The layers; `hidden` are the channels of the layer before the last at a width of 1.
pub fn layers(rows: &[Row], hidden: usize, width_mult: f64, p: f64) -> Vec<LayerConfig> {
    let widened = |channels: usize| divisible(channels as f64 * width_mult);
    let hardswish: Activation = LayerConfig::Hardswish;
    let mut inputs = divisible(FIRST * width_mult);
    let first = bare_conv(inputs, 3, 2);
    let mut layers = conv_norm("features.0", first, NORM_V3, Some(hardswish));
    for (index, row) in rows.iter().enumerate() {
        let (expanded, outputs) = (widened(row.expanded), widened(row.channels));
        let block = Inverted {
            inputs,
            expanded,
            outputs,
            kernel: row.kernel,
            stride: row.stride,
            activation: if row.is_smooth {
                hardswish
            } else {
                LayerConfig::Relu
            },
            excite: row.excites.then(|| excite(expanded)),
            norm: NORM_V3,
            drop_path: 0.0,
        };
        layers.push(block.named(format!("features.{}", index + 1)));
        inputs = outputs;
    }
    let last = bare_conv(FEATURES * inputs, 1, 1);
    let name = format!("features.{}", rows.len() + 1);
    layers.extend(conv_norm(&name, last, NORM_V3, Some(hardswish)));
    let init = WeightInit::Normal { std: LAST_STD };
    layers.extend([
        global_avg_pool(),
        linear(widened(hidden)).init(init).named("classifier.0"),
        plain(hardswish),
        dropout(p),
        linear(None).init(init).named("classifier.3"),
    ]);
    layers
}

fn excite(channels: usize) -> SqueezeExciteConfig {
    SqueezeExciteConfig {
        channels: divisible((channels / REDUCTION) as f64),
        activation: GateActivation::Relu,
        gate: Gate::Hardsigmoid,
        init: WeightInit::KaimingNormal,
        names: ["fc1", "fc2"].map(String::from),
        name: None,
    }
}
