//! The `model` section of an experiment: which network.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ModelConfig {
    /// Fully connected layers.
    Mlp(MlpConfig),
    /// Blocks of 3x3 convolution, batch norm, ReLU and 2x2 max pool, then one hidden layer.
    Cnn(CnnConfig),
}

impl ModelConfig {
    /// The value of `model.kind`.
    pub fn kind(&self) -> &'static str {
        match self {
            ModelConfig::Mlp(_) => "mlp",
            ModelConfig::Cnn(_) => "cnn",
        }
    }

    /// Number of weights, biases and statistics for images of `shape` (channels, height, width); `None` if it is beyond
    /// what a computer counts.
    pub fn values(&self, shape: (usize, usize, usize), classes: usize) -> Option<usize> {
        let (channels, height, width) = shape;
        let dense = |widths: &[usize]| {
            widths.windows(2).try_fold(0usize, |sum, pair| {
                sum.checked_add(pair[0].checked_add(1)?.checked_mul(pair[1])?)
            })
        };
        match self {
            ModelConfig::Mlp(config) => {
                let inputs = channels.checked_mul(height)?.checked_mul(width)?;
                dense(&[&[inputs], config.hidden.as_slice(), &[classes]].concat())
            }
            ModelConfig::Cnn(config) => {
                let blocks = [&[channels], config.channels.as_slice()].concat();
                let halvings = u32::try_from(config.channels.len()).ok()?;
                let halved = |side: usize| side.checked_shr(halvings).unwrap_or(0);
                let features = halved(height)
                    .checked_mul(halved(width))?
                    .checked_mul(*blocks.last()?)?;
                // 3x3 weights, a bias, and four values of batch norm for each channel.
                let convolutions = blocks.windows(2).try_fold(0usize, |sum, pair| {
                    let inputs = pair[0].checked_mul(9)?.checked_add(5)?;
                    sum.checked_add(inputs.checked_mul(pair[1])?)
                })?;
                convolutions.checked_add(dense(&[features, config.hidden, classes])?)
            }
        }
    }

    /// How many classes the head is asked to have; `None` means as many as the data.
    pub fn classes(&self) -> Option<usize> {
        match self {
            ModelConfig::Mlp(config) => config.classes,
            ModelConfig::Cnn(config) => config.classes,
        }
    }
}

/// Settings of the multi-layer perceptron.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MlpConfig {
    /// Width of each hidden layer; `[]` is a linear classifier.
    #[schemars(length(max = 16), inner(range(min = 1, max = 65536)))]
    pub hidden: Vec<usize>,
    /// What stands between the layers.
    pub activation: Activation,
    /// How the weights start.
    pub init: Init,
    /// Number of classes; null takes it from the data.
    #[schemars(range(min = 2, max = 65536))]
    pub classes: Option<usize>,
}

impl Default for MlpConfig {
    fn default() -> Self {
        Self {
            hidden: vec![64],
            activation: Activation::Sigmoid,
            init: Init::XavierUniform,
            classes: None,
        }
    }
}

/// The non-linearity between fully connected layers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Activation {
    /// 1 / (1 + e^-x)
    #[default]
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// max(0, x)
    Relu,
}

/// How the weights of the fully connected layers start; biases start at zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Init {
    /// Uniform in +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010).
    #[default]
    XavierUniform,
    /// All zero: every unit of a layer learns the same. For seeing that it fails.
    Zeros,
}

/// Settings of the convolutional network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CnnConfig {
    /// Channels of each block; every block halves height and width.
    #[schemars(length(min = 1, max = 8), inner(range(min = 1, max = 4096)))]
    pub channels: Vec<usize>,
    /// Width of the fully connected layer after the blocks.
    #[schemars(range(min = 1, max = 65536))]
    pub hidden: usize,
    /// Share of the hidden units that is silenced at each training step.
    #[schemars(range(min = 0.0, max = 0.95))]
    pub dropout: f64,
    /// Number of classes; null takes it from the data.
    #[schemars(range(min = 2, max = 65536))]
    pub classes: Option<usize>,
}

impl CnnConfig {
    /// Whether images of this size have a pixel left after every block has halved them.
    pub fn takes(&self, height: usize, width: usize) -> bool {
        let halvings = height.min(width).checked_ilog2().unwrap_or(0);
        self.channels.len() <= halvings as usize
    }
}

impl Default for CnnConfig {
    fn default() -> Self {
        Self {
            channels: vec![32, 64, 128],
            hidden: 256,
            dropout: 0.5,
            classes: None,
        }
    }
}
