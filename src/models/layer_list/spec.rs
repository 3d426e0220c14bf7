//! A layer in a config: its kind, and the layers that hold others.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::settings::{
    AdaptiveAvgPoolConfig, AvgPoolConfig, BatchNormConfig, ConvConfig, DepthToSpaceConfig,
    DepthwiseConvConfig, DropoutConfig, GroupNormConfig, LayerNormConfig, LeakyReluConfig,
    LinearConfig, MaxPoolConfig, NamedConfig, ScaleConfig, SelfAttentionConfig,
    SqueezeExciteConfig, UnflattenConfig, ZeroPadConfig, is_default, layer_settings,
};

/// A layer, as an object with its `kind` and settings, or only its kind if it needs none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LayerConfig {
    /// Convolution.
    Conv(ConvConfig),
    /// Convolution of each channel by itself.
    DepthwiseConv(DepthwiseConvConfig),
    /// Batch normalization (Ioffe and Szegedy 2015).
    BatchNorm(BatchNormConfig),
    /// Group normalization (Wu and He 2018).
    GroupNorm(GroupNormConfig),
    /// Layer normalization over the last dimension, or over the channels of feature maps (Ba et al. 2016).
    LayerNorm(LayerNormConfig),
    /// Fully connected layer, applied to the last dimension.
    Linear(LinearConfig),
    /// max(0, x)
    Relu(NamedConfig),
    /// min(max(0, x), 6)
    Relu6(NamedConfig),
    /// max(0, x) + slope min(0, x)
    LeakyRelu(LeakyReluConfig),
    /// x times the normal distribution function of x (Hendrycks and Gimpel 2016), exact.
    Gelu(NamedConfig),
    /// x sigmoid(x)
    Silu(NamedConfig),
    /// x relu6(x + 3) / 6 (Howard et al. 2019)
    Hardswish(NamedConfig),
    /// relu6(x + 3) / 6
    Hardsigmoid(NamedConfig),
    /// 1 / (1 + e^-x)
    Sigmoid(NamedConfig),
    /// Hyperbolic tangent.
    Tanh(NamedConfig),
    /// Zeros around the feature maps.
    ZeroPad(ZeroPadConfig),
    /// Largest value of each window.
    MaxPool(MaxPoolConfig),
    /// Mean of each window.
    AvgPool(AvgPoolConfig),
    /// Mean of each map; gives one value per channel.
    GlobalAvgPool(NamedConfig),
    /// Largest value of each map; gives one value per channel.
    GlobalMaxPool(NamedConfig),
    /// Means of as many windows as the output has positions.
    AdaptiveAvgPool(AdaptiveAvgPoolConfig),
    /// All values as one vector, channel by channel.
    Flatten(NamedConfig),
    /// A vector as feature maps.
    Unflatten(UnflattenConfig),
    /// Sets values to zero at random in training (Srivastava et al. 2014).
    Dropout(DropoutConfig),
    /// Adds the input of a list of layers to its output (He et al. 2016).
    Residual(ResidualConfig),
    /// Lists of layers side by side on the same input; their channels are concatenated.
    Branches(BranchesConfig),
    /// Weights channels by a small network of their means (Hu et al. 2018).
    SqueezeExcite(SqueezeExciteConfig),
    /// The same list several times, each with its own weights.
    Repeat(RepeatConfig),
    /// A list under one name.
    Group(GroupConfig),
    /// Multiplies each channel by a weight of its own (layer scale, Touvron et al. 2021).
    Scale(ScaleConfig),
    /// Groups of channels as neighbouring pixels (sub-pixel convolution, Shi et al. 2016), as PyTorch's `PixelShuffle` by default.
    DepthToSpace(DepthToSpaceConfig),
    /// Maps with their channels as the last dimension, for layers that work on it.
    ChannelsLast(NamedConfig),
    /// Back from `channels_last`.
    ChannelsFirst(NamedConfig),
    /// The positions of feature maps as a sequence of tokens, row by row (Dosovitskiy et al. 2021).
    Tokens(NamedConfig),
    /// Puts a learned token in front of a sequence.
    ClassToken(NamedConfig),
    /// Adds a learned vector to each token of a sequence.
    PositionEmbedding(NamedConfig),
    /// Multi-head self-attention (Vaswani et al. 2017).
    SelfAttention(SelfAttentionConfig),
    /// The first token of a sequence.
    FirstToken(NamedConfig),
}

/// How a config writes a layer: as an object, or as its kind alone.
pub struct LayerForm;

#[cfg(feature = "app")]
impl schemars::JsonSchema for LayerForm {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Layer".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let object = generator.subschema_for::<LayerConfig>();
        schemars::json_schema!({
            "description": "A layer: an object with its kind and settings, or its kind alone where no setting is needed.",
            "anyOf": [object, { "type": "string", "enum": kinds_without_settings() }],
        })
    }
}

/// All kinds of layers.
pub const KINDS: [&str; 38] = [
    "conv",
    "depthwise_conv",
    "batch_norm",
    "group_norm",
    "layer_norm",
    "linear",
    "relu",
    "relu6",
    "leaky_relu",
    "gelu",
    "silu",
    "hardswish",
    "hardsigmoid",
    "sigmoid",
    "tanh",
    "zero_pad",
    "max_pool",
    "avg_pool",
    "global_avg_pool",
    "global_max_pool",
    "adaptive_avg_pool",
    "flatten",
    "unflatten",
    "dropout",
    "residual",
    "branches",
    "squeeze_excite",
    "repeat",
    "group",
    "scale",
    "depth_to_space",
    "channels_last",
    "channels_first",
    "tokens",
    "class_token",
    "position_embedding",
    "self_attention",
    "first_token",
];

/// The kinds that need no settings: those that a list may have as a name.
pub fn kinds_without_settings() -> Vec<String> {
    let is_complete = |kind: &&&str| {
        let layer = serde_json::json!({ "kind": kind });
        serde_json::from_value::<LayerConfig>(layer).is_ok()
    };
    KINDS
        .iter()
        .filter(is_complete)
        .map(|kind| kind.to_string())
        .collect()
}

/// Makes objects of names, in every list of layers below `layers`.
pub fn expand_names(layers: &mut Value) {
    let Value::Array(layers) = layers else {
        return;
    };
    for layer in layers {
        match layer {
            Value::String(kind) => *layer = serde_json::json!({ "kind": kind }),
            Value::Object(map) => {
                for key in ["body", "shortcut", "layers"] {
                    map.get_mut(key).into_iter().for_each(expand_names);
                }
                if let Some(Value::Array(branches)) = map.get_mut("branches") {
                    branches.iter_mut().for_each(expand_names);
                }
            }
            _ => {}
        }
    }
}

impl LayerConfig {
    /// The layer's own name, if the config gives one.
    pub fn name(&self) -> Option<&str> {
        let name = match self {
            LayerConfig::Conv(config) => &config.name,
            LayerConfig::DepthwiseConv(config) => &config.name,
            LayerConfig::BatchNorm(config) => &config.name,
            LayerConfig::GroupNorm(config) => &config.name,
            LayerConfig::LayerNorm(config) => &config.name,
            LayerConfig::Linear(config) => &config.name,
            LayerConfig::Relu(config) => &config.name,
            LayerConfig::Relu6(config) => &config.name,
            LayerConfig::LeakyRelu(config) => &config.name,
            LayerConfig::Gelu(config) => &config.name,
            LayerConfig::Silu(config) => &config.name,
            LayerConfig::Hardswish(config) => &config.name,
            LayerConfig::Hardsigmoid(config) => &config.name,
            LayerConfig::Sigmoid(config) => &config.name,
            LayerConfig::Tanh(config) => &config.name,
            LayerConfig::ZeroPad(config) => &config.name,
            LayerConfig::MaxPool(config) => &config.name,
            LayerConfig::AvgPool(config) => &config.name,
            LayerConfig::GlobalAvgPool(config) => &config.name,
            LayerConfig::GlobalMaxPool(config) => &config.name,
            LayerConfig::AdaptiveAvgPool(config) => &config.name,
            LayerConfig::Flatten(config) => &config.name,
            LayerConfig::Unflatten(config) => &config.name,
            LayerConfig::Dropout(config) => &config.name,
            LayerConfig::Residual(config) => &config.name,
            LayerConfig::Branches(config) => &config.name,
            LayerConfig::SqueezeExcite(config) => &config.name,
            LayerConfig::Repeat(config) => &config.name,
            LayerConfig::Group(config) => &config.name,
            LayerConfig::Scale(config) => &config.name,
            LayerConfig::DepthToSpace(config) => &config.name,
            LayerConfig::ChannelsLast(config) => &config.name,
            LayerConfig::ChannelsFirst(config) => &config.name,
            LayerConfig::Tokens(config) => &config.name,
            LayerConfig::ClassToken(config) => &config.name,
            LayerConfig::PositionEmbedding(config) => &config.name,
            LayerConfig::SelfAttention(config) => &config.name,
            LayerConfig::FirstToken(config) => &config.name,
        };
        name.as_deref()
    }

    /// The layer under a name.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        *self.name_mut() = Some(name.into());
        self
    }

    fn name_mut(&mut self) -> &mut Option<String> {
        match self {
            LayerConfig::Conv(config) => &mut config.name,
            LayerConfig::DepthwiseConv(config) => &mut config.name,
            LayerConfig::BatchNorm(config) => &mut config.name,
            LayerConfig::GroupNorm(config) => &mut config.name,
            LayerConfig::LayerNorm(config) => &mut config.name,
            LayerConfig::Linear(config) => &mut config.name,
            LayerConfig::Relu(config) => &mut config.name,
            LayerConfig::Relu6(config) => &mut config.name,
            LayerConfig::LeakyRelu(config) => &mut config.name,
            LayerConfig::Gelu(config) => &mut config.name,
            LayerConfig::Silu(config) => &mut config.name,
            LayerConfig::Hardswish(config) => &mut config.name,
            LayerConfig::Hardsigmoid(config) => &mut config.name,
            LayerConfig::Sigmoid(config) => &mut config.name,
            LayerConfig::Tanh(config) => &mut config.name,
            LayerConfig::ZeroPad(config) => &mut config.name,
            LayerConfig::MaxPool(config) => &mut config.name,
            LayerConfig::AvgPool(config) => &mut config.name,
            LayerConfig::GlobalAvgPool(config) => &mut config.name,
            LayerConfig::GlobalMaxPool(config) => &mut config.name,
            LayerConfig::AdaptiveAvgPool(config) => &mut config.name,
            LayerConfig::Flatten(config) => &mut config.name,
            LayerConfig::Unflatten(config) => &mut config.name,
            LayerConfig::Dropout(config) => &mut config.name,
            LayerConfig::Residual(config) => &mut config.name,
            LayerConfig::Branches(config) => &mut config.name,
            LayerConfig::SqueezeExcite(config) => &mut config.name,
            LayerConfig::Repeat(config) => &mut config.name,
            LayerConfig::Group(config) => &mut config.name,
            LayerConfig::Scale(config) => &mut config.name,
            LayerConfig::DepthToSpace(config) => &mut config.name,
            LayerConfig::ChannelsLast(config) => &mut config.name,
            LayerConfig::ChannelsFirst(config) => &mut config.name,
            LayerConfig::Tokens(config) => &mut config.name,
            LayerConfig::ClassToken(config) => &mut config.name,
            LayerConfig::PositionEmbedding(config) => &mut config.name,
            LayerConfig::SelfAttention(config) => &mut config.name,
            LayerConfig::FirstToken(config) => &mut config.name,
        }
    }
}

layer_settings! {
    /// Settings of a residual connection.
    ResidualConfig {
        /// Layers whose output is added to the shortcut's.
        #[cfg_attr(feature = "app", schemars(with = "Vec<LayerForm>", length(min = 1, max = 1024)))]
        body: Vec<LayerConfig>,
        /// Layers from the input to the sum; empty for the input itself.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(feature = "app", schemars(with = "Vec<LayerForm>", length(max = 1024)))]
        shortcut: Vec<LayerConfig>,
        /// Probability of leaving out the body for an image in training (stochastic depth, Huang et al. 2016).
        #[serde(default, skip_serializing_if = "is_default")]
        #[cfg_attr(feature = "app", schemars(range(min = 0.0, max = 0.95)))]
        drop_path: f64,
    }

    /// Settings of branches.
    BranchesConfig {
        /// Lists of layers, whose outputs must have the same height and width.
        #[cfg_attr(feature = "app", schemars(with = "Vec<Vec<LayerForm>>", length(min = 1, max = 64), inner(length(max = 1024))))]
        branches: Vec<Vec<LayerConfig>>,
    }

    /// Settings of a repetition.
    RepeatConfig {
        /// How many times.
        #[cfg_attr(feature = "app", schemars(range(min = 1, max = 1024)))]
        times: usize,
        /// The layers.
        #[cfg_attr(feature = "app", schemars(with = "Vec<LayerForm>", length(min = 1, max = 1024)))]
        layers: Vec<LayerConfig>,
    }

    /// Settings of a group.
    GroupConfig {
        /// The layers.
        #[cfg_attr(feature = "app", schemars(with = "Vec<LayerForm>", length(min = 1, max = 1024)))]
        layers: Vec<LayerConfig>,
    }
}
