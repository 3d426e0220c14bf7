//! SqueezeNet 1.1 (Iandola et al. 2016; version 1.1 is that of the authors' repository), with torchvision's layers, names and
//! initial weights.

use burn::module::{Initializer, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Dropout, DropoutConfig, PaddingConfig2d, Relu};
use burn::prelude::*;

use serde::{Deserialize, Serialize};

use super::architecture::{Architecture, Backbone};
use super::blocks::{LayerCost, Layout, convolve, dropout, zero_bias};
use super::layer_list::{self, ConvConfig, LayerConfig, WeightInit};
use crate::error::Problem;
use crate::kernels::{self, PoolOptions};
use crate::shape::ImageShape;

/// Rows, columns and step of a pool's window. Windows may extend over the edge (ceil mode).
const POOL: (usize, usize) = (3, 2);

/// Channels of a fire module: in, squeezed, and of each of the two expansions.
const FIRES: [[usize; 3]; 8] = [
    [64, 16, 64],
    [128, 16, 64],
    [128, 32, 128],
    [256, 32, 128],
    [256, 48, 192],
    [384, 48, 192],
    [384, 64, 256],
    [512, 64, 256],
];

/// Index of the first fire module after each pooling layer.
const BEHIND_POOLS: [usize; 3] = [0, 2, 4];

/// Channels of the first convolution.
const FIRST: usize = 64;

/// Channels of the features, the input of the classifier.
const FEATURES: usize = 512;

/// Standard deviation of the last convolution's initial weights, as in torchvision.
const LAST_STD: f64 = 0.01;

/// Smallest side that leaves every pool a whole window.
const MIN_SIDE: usize = 25;

/// Settings of SqueezeNet 1.1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SqueezenetConfig {
    /// Dropout probability on the last feature maps.
    #[cfg_attr(feature = "app", schemars(range(min = 0.0, max = 0.95)))]
    pub dropout: f64,
    /// Number of classes; null takes it from the data.
    #[cfg_attr(feature = "app", schemars(range(min = 2, max = 65536)))]
    pub classes: Option<usize>,
}

impl Default for SqueezenetConfig {
    fn default() -> Self {
        Self {
            dropout: 0.5,
            classes: None,
        }
    }
}

/// Feature layers and a 1x1 convolution whose maps' means are the logits; see [`SqueezenetConfig`].
#[derive(Module, Debug)]
pub struct Squeezenet {
    features: Vec<Feature>,
    classifier: Vec<Last>,
}

/// A layer before the classifier, numbered as torchvision does.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // A network holds thirteen of them.
pub enum Feature {
    /// 3x3, stride 2, no padding.
    Conv(Conv2d),
    /// Behind the first convolution.
    Relu(Relu),
    /// 3x3, stride 2, ceil mode.
    Pool(MaxPool2d),
    /// Squeeze and expand.
    Fire(Fire),
}

/// A layer of the classifier; the ReLU and the mean after it have no parameters.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // A network holds two of them.
pub enum Last {
    /// Of the features.
    Dropout(Dropout),
    /// 1x1, a channel for each class.
    Conv(Conv2d),
}

/// A 1x1 convolution to few channels, then a 1x1 and a 3x3 convolution side by side; ReLU after all.
#[derive(Module, Debug)]
pub struct Fire {
    squeeze: Conv2d,
    expand1x1: Conv2d,
    expand3x3: Conv2d,
}

/// Kaiming uniform weights for ReLU (He et al. 2015), zero bias.
fn conv(
    channels: [usize; 2],
    kernel: usize,
    stride: usize,
    padding: usize,
    device: &Device,
) -> Conv2d {
    let gain = std::f64::consts::SQRT_2;
    with_weights(
        Initializer::KaimingUniform {
            gain,
            fan_out_only: false,
        },
        Conv2dConfig::new(channels, [kernel; 2])
            .with_stride([stride; 2])
            .with_padding(PaddingConfig2d::Explicit(
                padding, padding, padding, padding,
            )),
        device,
    )
}

fn with_weights(initializer: Initializer, config: Conv2dConfig, device: &Device) -> Conv2d {
    let outputs = config.channels[1];
    let mut layer = config.with_initializer(initializer).init(device);
    layer.bias = zero_bias([outputs], device);
    layer
}

impl Fire {
    fn new([inputs, squeezed, expanded]: [usize; 3], device: &Device) -> Self {
        Self {
            squeeze: conv([inputs, squeezed], 1, 1, 0, device),
            expand1x1: conv([squeezed, expanded], 1, 1, 0, device),
            expand3x3: conv([squeezed, expanded], 3, 1, 1, device),
        }
    }

    fn forward(&self, images: Tensor<4>, layout: Layout) -> Tensor<4> {
        let squeezed = convolve(&self.squeeze, images, true, layout);
        let pair = [&self.expand1x1, &self.expand3x3];
        if layout == Layout::ChannelsLast
            && let [Some(first), Some(second)] = pair.map(|conv| conv.bias.as_ref())
        {
            let [first, second] = [(pair[0], first), (pair[1], second)]
                .map(|(conv, bias)| (conv.weight.val(), bias.val()));
            return kernels::conv2d_pair(squeezed, first, second);
        }
        let maps = pair.map(|conv| convolve(conv, squeezed.clone(), true, layout));
        Tensor::cat(maps.to_vec(), 1)
    }

    fn weights(&self) -> [&Param<Tensor<4>>; 3] {
        [&self.squeeze, &self.expand1x1, &self.expand3x3].map(|conv| &conv.weight)
    }
}

/// A SqueezeNet with this first convolution, which takes steps of 2, and pools before the fire modules of these indices.
pub(super) fn list_of_layers(
    first: ConvConfig,
    behind_pools: [usize; 3],
    dropout: f64,
) -> Vec<LayerConfig> {
    let init = WeightInit::KaimingUniform;
    let conv = |channels: usize, kernel: usize| layer_list::conv(channels, kernel).init(init);
    let (kernel, stride) = POOL;
    let mut layers = vec![
        first.stride(2).init(init).named("features.0"),
        layer_list::relu(),
    ];
    // The first convolution and its ReLU have numbers as well.
    let mut number = 2;
    for (index, [_, squeezed, expanded]) in FIRES.into_iter().enumerate() {
        if behind_pools.contains(&index) {
            layers.push(layer_list::max_pool(kernel, stride, 0, true));
            number += 1;
        }
        let name = format!("features.{number}");
        let expand = |own: &str, conv: ConvConfig| {
            vec![conv.named(format!("{name}.{own}")), layer_list::relu()]
        };
        layers.push(conv(squeezed, 1).named(format!("{name}.squeeze")));
        layers.push(layer_list::relu());
        let wide = [
            expand("expand1x1", conv(expanded, 1)),
            expand("expand3x3", conv(expanded, 3).padding(1)),
        ];
        layers.push(layer_list::branches(wide.to_vec()).named(""));
        number += 1;
    }
    layers.extend([
        layer_list::dropout(dropout),
        layer_list::conv(None, 1)
            .init(WeightInit::Normal { std: LAST_STD })
            .named("classifier.1"),
        layer_list::relu(),
        layer_list::global_avg_pool(),
    ]);
    layers
}

impl Architecture for Squeezenet {
    type Config = SqueezenetConfig;

    fn classes(config: &SqueezenetConfig) -> Option<usize> {
        config.classes
    }

    fn problems(_config: &SqueezenetConfig, shape: ImageShape) -> Vec<Problem> {
        let (height, width) = (shape.height, shape.width);
        if height.min(width) >= MIN_SIDE {
            return Vec::new();
        }
        let problem = format!(
            "SqueezeNet takes images of at least {MIN_SIDE} pixels a side, not {height}x{width}"
        );
        vec![Problem::new("kind", problem)]
    }

    fn dropout(config: &SqueezenetConfig) -> f64 {
        config.dropout
    }

    fn without_dropout(config: SqueezenetConfig) -> SqueezenetConfig {
        SqueezenetConfig {
            dropout: 0.0,
            ..config
        }
    }

    fn layers(config: &SqueezenetConfig, _shape: ImageShape) -> Vec<LayerConfig> {
        list_of_layers(layer_list::conv(FIRST, 3), BEHIND_POOLS, config.dropout)
    }

    fn new(config: &SqueezenetConfig, shape: ImageShape, classes: usize, device: &Device) -> Self {
        let (kernel, stride) = POOL;
        let mut features = vec![
            Feature::Conv(conv([shape.channels, FIRST], 3, 2, 0, device)),
            Feature::Relu(Relu::new()),
        ];
        for (index, fire) in FIRES.into_iter().enumerate() {
            if BEHIND_POOLS.contains(&index) {
                let pool = MaxPool2dConfig::new([kernel; 2])
                    .with_strides([stride; 2])
                    .with_ceil_mode(true);
                features.push(Feature::Pool(pool.init()));
            }
            features.push(Feature::Fire(Fire::new(fire, device)));
        }
        let last = with_weights(
            Initializer::Normal {
                mean: 0.0,
                std: LAST_STD,
            },
            Conv2dConfig::new([FEATURES, classes], [1, 1]),
            device,
        );
        Self {
            features,
            classifier: vec![
                Last::Dropout(DropoutConfig::new(config.dropout).init()),
                Last::Conv(last),
            ],
        }
    }

    /// Logits are at least 0: the paper has a ReLU after the last convolution.
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.classify(self.features(images))
    }

    fn costs(&self, shape: ImageShape) -> Vec<LayerCost> {
        let mut sides = [shape.height, shape.width];
        let mut layers = Vec::new();
        for layer in &self.features {
            match layer {
                Feature::Conv(conv) => {
                    sides = sides.map(|side| (side - 3) / 2 + 1);
                    layers.push(LayerCost::new(&conv.weight, sides[0] * sides[1]));
                }
                Feature::Relu(_) => {}
                Feature::Pool(_) => {
                    sides = sides.map(|side| (side - POOL.0).div_ceil(POOL.1) + 1);
                }
                Feature::Fire(fire) => {
                    let weights = fire.weights();
                    layers.extend(weights.map(|w| LayerCost::new(w, sides[0] * sides[1])));
                }
            }
        }
        for layer in &self.classifier {
            if let Last::Conv(conv) = layer {
                layers.push(LayerCost::new(&conv.weight, sides[0] * sides[1]));
            }
        }
        layers
    }

    fn first_weights(&self, _shape: ImageShape) -> Option<Tensor<4>> {
        self.features.iter().find_map(|layer| match layer {
            Feature::Conv(conv) => Some(conv.weight.val()),
            _ => None,
        })
    }

    fn backbone(&self) -> Option<&dyn Backbone> {
        Some(self)
    }
}

impl Backbone for Squeezenet {
    fn features(&self, images: Tensor<4>) -> Tensor<4> {
        let layout = Layout::of(&images.device());
        let layers = self.features.iter();
        layers.fold(layout.arrange(images), |values, layer| match layer {
            Feature::Conv(conv) => convolve(conv, values, true, layout),
            // Already applied by the convolution before it.
            Feature::Relu(_) => values,
            Feature::Pool(pool) => match layout {
                Layout::ChannelsLast => {
                    kernels::max_pool2d(values, PoolOptions::ceil(POOL.0, POOL.1))
                }
                Layout::ChannelsFirst => pool.forward(values),
            },
            Feature::Fire(fire) => fire.forward(values, layout),
        })
    }

    fn classify(&self, features: Tensor<4>) -> Tensor<2> {
        let layout = Layout::of(&features.device());
        let maps = self
            .classifier
            .iter()
            .fold(features, |values, layer| match layer {
                Last::Dropout(layer) => dropout(layer, values),
                Last::Conv(conv) => convolve(conv, values, true, layout),
            });
        layout.global_average(maps)
    }

    fn parameters(&self) -> Vec<String> {
        ["features.*"].map(String::from).to_vec()
    }

    fn head_layers(&self) -> usize {
        // Dropout, convolution, ReLU, average.
        4
    }
}
