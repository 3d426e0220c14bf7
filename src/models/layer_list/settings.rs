//! Settings of the layers that hold no others.

use serde::{Deserialize, Serialize};

use super::form::{Padding, Side};
use super::weight_init::WeightInit;

/// Whether a setting is left out when a config is written.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn one() -> Side {
    Side::Square(1)
}

fn is_one(side: &Side) -> bool {
    *side == one()
}

fn yes() -> bool {
    true
}

fn is_yes(value: &bool) -> bool {
    *value
}

fn unit() -> usize {
    1
}

fn is_unit(value: &usize) -> bool {
    *value == 1
}

/// Declares the settings of layers; each also has a `name`.
macro_rules! layer_settings {
    ($(#[doc = $doc:literal] $Config:ident { $($body:tt)* })+) => {
        $(layer_settings!(@one #[doc = $doc] $Config { $($body)* });)+
    };
    (@one #[doc = $doc:literal] $Config:ident { $($(#[$meta:meta])* $key:ident: $type:ty,)* }) => {
        #[doc = $doc]
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields)]
        pub struct $Config {
            $($(#[$meta])* pub $key: $type,)*
            /// Name of the layer in the names of its parameters; null stands for its index in the list. Dots make levels.
            #[serde(default, skip_serializing_if = "is_default")]
            #[cfg_attr(feature = "app", schemars(
                regex(pattern = r"^([A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*)?$"),
                extend("patternErrorMessage" = "allowed are letters, digits and _, in levels with dots between them")
            ))]
            pub name: Option<String>,
        }
    };
}

pub(super) use layer_settings;

layer_settings! {
    /// Settings of a layer that needs none.
    NamedConfig {}

    /// Settings of a convolution.
    ConvConfig {
        /// Output channels; null stands for the number of classes.
        #[serde(default, skip_serializing_if = "is_default")]
        #[cfg_attr(feature = "app", schemars(range(min = 1, max = 65536)))]
        channels: Option<usize>,
        /// Rows and columns of the kernel.
        kernel: Side,
        /// Step of the kernel.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        stride: Side,
        /// Zeros around the feature maps, or `"same"`: as many as keep the size with stride 1.
        #[serde(default, skip_serializing_if = "is_default")]
        padding: Padding,
        /// Distance between neighbouring taps of the kernel.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        dilation: Side,
        /// Number of groups of channels that are convolved by themselves.
        #[serde(default = "unit", skip_serializing_if = "is_unit")]
        #[cfg_attr(feature = "app", schemars(range(min = 1, max = 65536)))]
        groups: usize,
        /// Add a learned value to each channel.
        #[serde(default = "yes", skip_serializing_if = "is_yes")]
        bias: bool,
        /// Initial weights.
        #[serde(default, skip_serializing_if = "is_default")]
        init: WeightInit,
    }

    /// Settings of a depthwise convolution.
    DepthwiseConvConfig {
        /// Rows and columns of the kernel.
        kernel: Side,
        /// Step of the kernel.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        stride: Side,
        /// Zeros around the feature maps, or `"same"`: as many as keep the size with stride 1.
        #[serde(default, skip_serializing_if = "is_default")]
        padding: Padding,
        /// Distance between neighbouring taps of the kernel.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        dilation: Side,
        /// Output channels per input channel.
        #[serde(default = "unit", skip_serializing_if = "is_unit")]
        #[cfg_attr(feature = "app", schemars(range(min = 1, max = 65536)))]
        multiplier: usize,
        /// Add a learned value to each channel.
        #[serde(default = "yes", skip_serializing_if = "is_yes")]
        bias: bool,
        /// Initial weights.
        #[serde(default, skip_serializing_if = "is_default")]
        init: WeightInit,
    }

    /// Settings of a batch normalization.
    BatchNormConfig {
        /// Added to the variance.
        #[serde(default = "defaults::batch_norm_epsilon", skip_serializing_if = "defaults::is_batch_norm_epsilon")]
        #[cfg_attr(feature = "app", schemars(range(min = 0.0, max = 1.0)))]
        epsilon: f64,
        /// Weight of a batch in the running mean and variance.
        #[serde(default = "defaults::momentum", skip_serializing_if = "defaults::is_momentum")]
        #[cfg_attr(feature = "app", schemars(range(min = 0.0, max = 1.0)))]
        momentum: f64,
    }

    /// Settings of a group normalization.
    GroupNormConfig {
        /// Number of groups of channels.
        #[cfg_attr(feature = "app", schemars(range(min = 1, max = 65536)))]
        groups: usize,
        /// Added to the variance.
        #[serde(default = "defaults::batch_norm_epsilon", skip_serializing_if = "defaults::is_batch_norm_epsilon")]
        #[cfg_attr(feature = "app", schemars(range(min = 0.0, max = 1.0)))]
        epsilon: f64,
    }

    /// Settings of a layer normalization.
    LayerNormConfig {
        /// Added to the variance.
        #[serde(default = "defaults::batch_norm_epsilon", skip_serializing_if = "defaults::is_batch_norm_epsilon")]
        #[cfg_attr(feature = "app", schemars(range(min = 0.0, max = 1.0)))]
        epsilon: f64,
    }

    /// Settings of a fully connected layer.
    LinearConfig {
        /// Output features; null stands for the number of classes.
        #[serde(default, skip_serializing_if = "is_default")]
        #[cfg_attr(feature = "app", schemars(range(min = 1, max = 1_048_576)))]
        features: Option<usize>,
        /// Add a learned value to each feature.
        #[serde(default = "yes", skip_serializing_if = "is_yes")]
        bias: bool,
        /// Initial weights.
        #[serde(default, skip_serializing_if = "is_default")]
        init: WeightInit,
    }

    /// Settings of a leaky ReLU.
    LeakyReluConfig {
        /// Factor of negative values.
        #[serde(default = "defaults::slope", skip_serializing_if = "defaults::is_slope")]
        #[cfg_attr(feature = "app", schemars(range(min = 0.0, max = 1.0)))]
        slope: f64,
    }

    /// Settings of a border of zeros.
    ZeroPadConfig {
        /// Rows above.
        #[serde(default, skip_serializing_if = "is_default")]
        #[cfg_attr(feature = "app", schemars(range(min = 0, max = 65536)))]
        top: usize,
        /// Rows below.
        #[serde(default, skip_serializing_if = "is_default")]
        #[cfg_attr(feature = "app", schemars(range(min = 0, max = 65536)))]
        bottom: usize,
        /// Columns on the left.
        #[serde(default, skip_serializing_if = "is_default")]
        #[cfg_attr(feature = "app", schemars(range(min = 0, max = 65536)))]
        left: usize,
        /// Columns on the right.
        #[serde(default, skip_serializing_if = "is_default")]
        #[cfg_attr(feature = "app", schemars(range(min = 0, max = 65536)))]
        right: usize,
    }

    /// Settings of a max pool.
    MaxPoolConfig {
        /// Rows and columns of the window.
        kernel: Side,
        /// Step of the window; null stands for its size.
        #[serde(default, skip_serializing_if = "is_default")]
        stride: Option<Side>,
        /// Border around the feature maps; at most half the window.
        #[serde(default, skip_serializing_if = "is_default")]
        padding: Padding,
        /// Windows may extend over the edge.
        #[serde(default, skip_serializing_if = "is_default")]
        ceil_mode: bool,
    }

    /// Settings of an average pool.
    AvgPoolConfig {
        /// Rows and columns of the window.
        kernel: Side,
        /// Step of the window; null stands for its size.
        #[serde(default, skip_serializing_if = "is_default")]
        stride: Option<Side>,
        /// Zeros around the feature maps; at most half the window.
        #[serde(default, skip_serializing_if = "is_default")]
        padding: Padding,
        /// Windows may extend over the edge.
        #[serde(default, skip_serializing_if = "is_default")]
        ceil_mode: bool,
        /// Whether zeros of the padding count in the mean.
        #[serde(default = "yes", skip_serializing_if = "is_yes")]
        count_include_pad: bool,
    }

    /// Settings of an adaptive average pool.
    AdaptiveAvgPoolConfig {
        /// Rows and columns of the output.
        size: Side,
    }

    /// Settings of a layer that turns a vector into feature maps.
    UnflattenConfig {
        /// Rows and columns of the feature maps; their channels follow from the length of the vector.
        size: Side,
    }

    /// Settings of dropout.
    DropoutConfig {
        /// Probability of setting a value to zero.
        #[cfg_attr(feature = "app", schemars(range(min = 0.0, max = 0.95)))]
        p: f64,
    }

    /// Settings of a squeeze-and-excitation block.
    SqueezeExciteConfig {
        /// Channels of the hidden layer.
        #[cfg_attr(feature = "app", schemars(range(min = 1, max = 65536)))]
        channels: usize,
        /// Non-linearity of the hidden layer.
        #[serde(default, skip_serializing_if = "is_default")]
        activation: GateActivation,
        /// Function that turns the result into factors.
        #[serde(default, skip_serializing_if = "is_default")]
        gate: Gate,
        /// Initial weights.
        #[serde(default, skip_serializing_if = "is_default")]
        init: WeightInit,
        /// Names of the two 1x1 convolutions.
        #[serde(default = "defaults::gate_names", skip_serializing_if = "defaults::is_gate_names")]
        names: [String; 2],
    }

    /// Settings of a scale.
    ScaleConfig {
        /// Initial value of the factors.
        #[serde(default = "defaults::scale", skip_serializing_if = "defaults::is_scale")]
        #[cfg_attr(feature = "app", schemars(range(min = -1e6, max = 1e6)))]
        initial: f64,
    }

    /// Settings of a rearrangement of channels as pixels.
    DepthToSpaceConfig {
        /// Rows and columns that a group of channels becomes.
        #[cfg_attr(feature = "app", schemars(range(min = 2, max = 64)))]
        block: usize,
        /// Order of the channels of a group: `"crd"` is PyTorch's `PixelShuffle`, `"dcr"` TensorFlow's `depth_to_space`.
        #[serde(default, skip_serializing_if = "is_default")]
        mode: DepthToSpaceMode,
    }

    /// Settings of self-attention.
    SelfAttentionConfig {
        /// Number of heads; divides the length of a token.
        #[cfg_attr(feature = "app", schemars(range(min = 1, max = 1024)))]
        heads: usize,
        /// Probability of setting an attention weight to zero in training.
        #[serde(default, skip_serializing_if = "is_default")]
        #[cfg_attr(feature = "app", schemars(range(min = 0.0, max = 0.95)))]
        dropout: f64,
    }
}

/// Non-linearity of the hidden layer of a squeeze-and-excitation block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "app", schemars(inline))]
pub enum GateActivation {
    /// max(0, x)
    #[default]
    Relu,
    /// x sigmoid(x)
    Silu,
}

/// Function whose results a squeeze-and-excitation block multiplies with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "app", schemars(inline))]
pub enum Gate {
    /// 1 / (1 + e^-x)
    #[default]
    Sigmoid,
    /// relu6(x + 3) / 6
    Hardsigmoid,
}

/// Which channel becomes which pixel of a block of `b` rows and columns, of `C` output channels; named as in ONNX's `DepthToSpace`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "app", schemars(inline))]
pub enum DepthToSpaceMode {
    /// Channel `(c b + i) b + j` becomes row `i`, column `j` of channel `c`, as in PyTorch's `PixelShuffle`.
    #[default]
    Crd,
    /// Channel `(i b + j) C + c` becomes row `i`, column `j` of channel `c`, as in TensorFlow's `depth_to_space`.
    Dcr,
}

/// Defaults that are not a type's own: PyTorch's.
mod defaults {
    pub fn batch_norm_epsilon() -> f64 {
        1e-5
    }

    pub fn is_batch_norm_epsilon(value: &f64) -> bool {
        *value == batch_norm_epsilon()
    }

    pub fn momentum() -> f64 {
        0.1
    }

    pub fn is_momentum(value: &f64) -> bool {
        *value == momentum()
    }

    pub fn slope() -> f64 {
        0.01
    }

    pub fn is_slope(value: &f64) -> bool {
        *value == slope()
    }

    pub fn scale() -> f64 {
        1.0
    }

    pub fn is_scale(value: &f64) -> bool {
        *value == scale()
    }

    /// torchvision's.
    pub fn gate_names() -> [String; 2] {
        ["fc1".into(), "fc2".into()]
    }

    pub fn is_gate_names(value: &[String; 2]) -> bool {
        *value == gate_names()
    }
}
