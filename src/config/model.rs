//! The `model` section of an experiment: which network.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shape::ImageShape;

/// The network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ModelConfig {
    /// Fully connected layers.
    Mlp(MlpConfig),
    /// Blocks of 3x3 convolution, batch norm, ReLU and 2x2 max pool, then one hidden layer.
    Cnn(CnnConfig),
    /// SqueezeNet 1.1 (Iandola et al. 2016) for images of at least 25 pixels a side.
    Squeezenet(SqueezenetConfig),
    /// Fully connected layers from the image over a few numbers back to the image.
    Autoencoder(AutoencoderConfig),
    /// Convolutions from the image to a few numbers, and from these back to the image.
    ConvAutoencoder(ConvAutoencoderConfig),
}

/// What a network is trained to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Name the class of an image.
    Classify,
    /// Give the image back.
    Reconstruct,
}

impl ModelConfig {
    /// The value of `model.kind`.
    pub fn kind(&self) -> &'static str {
        match self {
            ModelConfig::Mlp(_) => "mlp",
            ModelConfig::Cnn(_) => "cnn",
            ModelConfig::Squeezenet(_) => "squeezenet",
            ModelConfig::Autoencoder(_) => "autoencoder",
            ModelConfig::ConvAutoencoder(_) => "conv_autoencoder",
        }
    }

    /// What the network is trained to do.
    pub fn task(&self) -> Task {
        match self {
            ModelConfig::Mlp(_) | ModelConfig::Cnn(_) | ModelConfig::Squeezenet(_) => {
                Task::Classify
            }
            ModelConfig::Autoencoder(_) | ModelConfig::ConvAutoencoder(_) => Task::Reconstruct,
        }
    }

    /// Number of weights, biases and statistics for images of `shape`; `None` if it is beyond
    /// what a computer counts.
    pub fn values(&self, shape: ImageShape, classes: usize) -> Option<usize> {
        let channels = shape.channels;
        let pixels = shape.checked_values()?;
        match self {
            ModelConfig::Mlp(config) => {
                dense(&[&[pixels], config.hidden.as_slice(), &[classes]].concat())
            }
            ModelConfig::Cnn(config) => config.values(shape, classes),
            // 1.1 has 722,496 values before the classifier, 1,728 of them for three channels in.
            ModelConfig::Squeezenet(_) => (720_768usize)
                .checked_add(channels.checked_mul(576)?)?
                .checked_add(classes.checked_mul(513)?),
            ModelConfig::Autoencoder(config) => {
                dense(&[&[pixels], config.hidden.as_slice(), &[pixels]].concat())
            }
            ModelConfig::ConvAutoencoder(config) => config.values(shape),
        }
    }

    /// How many classes the head is asked to have; `None` means as many as the data.
    pub fn classes(&self) -> Option<usize> {
        match self {
            ModelConfig::Mlp(config) => config.classes,
            ModelConfig::Cnn(config) => config.classes,
            ModelConfig::Squeezenet(config) => config.classes,
            ModelConfig::Autoencoder(_) | ModelConfig::ConvAutoencoder(_) => None,
        }
    }

    /// The share of units that is silenced at each training step, to change it; `None` if the network has none.
    pub fn dropout(&mut self) -> Option<&mut f64> {
        match self {
            ModelConfig::Cnn(config) => Some(&mut config.dropout),
            ModelConfig::Squeezenet(config) => Some(&mut config.dropout),
            ModelConfig::Mlp(_) | ModelConfig::Autoencoder(_) | ModelConfig::ConvAutoencoder(_) => {
                None
            }
        }
    }

    /// Why images of this size are none for this network; `None` if they are.
    pub fn misfit(&self, height: usize, width: usize) -> Option<String> {
        let least = height.min(width);
        let blocks = match self {
            ModelConfig::Mlp(_) | ModelConfig::Autoencoder(_) => return None,
            ModelConfig::Squeezenet(_) => {
                return (least < SQUEEZENET_LEAST).then(|| {
                    format!(
                        "SqueezeNet takes images of at least {SQUEEZENET_LEAST} pixels a side, not {height}x{width}"
                    )
                });
            }
            ModelConfig::Cnn(config) => config.channels.len(),
            ModelConfig::ConvAutoencoder(config) => {
                let multiple = 1usize << config.channels.len().min(16);
                if !height.is_multiple_of(multiple) || !width.is_multiple_of(multiple) {
                    return Some(format!(
                        "{} blocks halve the image and double it again: {height}x{width} pixels must be multiples of \
                         {multiple}; use fewer blocks or another size",
                        config.channels.len()
                    ));
                }
                config.channels.len()
            }
        };
        let halvings = least.checked_ilog2().unwrap_or(0);
        (blocks > halvings as usize).then(|| {
            format!(
                "{blocks} blocks halve the image {blocks} times, but {height}x{width} pixels allow only {halvings}; \
                 use fewer blocks or larger images"
            )
        })
    }
}

/// Smallest side that leaves every pool of SqueezeNet 1.1 a whole window.
const SQUEEZENET_LEAST: usize = 25;

/// Values of fully connected layers between so many units.
fn dense(widths: &[usize]) -> Option<usize> {
    widths.windows(2).try_fold(0usize, |sum, pair| {
        sum.checked_add(pair[0].checked_add(1)?.checked_mul(pair[1])?)
    })
}

/// Values of a 3x3 convolution between so many channels: weights, a bias and four values of batch norm.
fn convolution(from: usize, to: usize) -> Option<usize> {
    from.checked_mul(9)?.checked_add(5)?.checked_mul(to)
}

fn halved(height: usize, width: usize, times: usize) -> (usize, usize) {
    let halved = |side: usize| {
        let times = u32::try_from(times).unwrap_or(u32::MAX);
        side.checked_shr(times).unwrap_or(0)
    };
    (halved(height), halved(width))
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
    /// Channels of a convolution before the blocks, at the image's full size; 0 is none.
    #[schemars(range(min = 0, max = 4096))]
    pub stem: usize,
    /// Channels of each block; every block halves height and width.
    #[schemars(length(min = 1, max = 8), inner(range(min = 1, max = 4096)))]
    pub channels: Vec<usize>,
    /// For each block, how many convolutions follow the one that halves; they keep the size. What the list lacks is 0.
    #[schemars(length(max = 8), inner(range(min = 0, max = 8)))]
    pub more: Vec<usize>,
    /// Add what those convolutions take to what they give (He et al. 2016).
    pub residual: bool,
    /// How the last block's maps become the features of the fully connected layers.
    pub gather: Gather,
    /// Width of the fully connected layer after the blocks; 0 is none.
    #[schemars(range(min = 0, max = 65536))]
    pub hidden: usize,
    /// Share of the hidden units (of the features, without a hidden layer) that is silenced at each training step.
    #[schemars(range(min = 0.0, max = 0.95))]
    pub dropout: f64,
    /// Number of classes; null takes it from the data.
    #[schemars(range(min = 2, max = 65536))]
    pub classes: Option<usize>,
}

impl CnnConfig {
    /// Convolutions behind the halving one of a block.
    pub fn more(&self, block: usize) -> usize {
        self.more.get(block).copied().unwrap_or(0)
    }

    /// Channels that the first block takes from images of `channels`.
    fn first(&self, channels: usize) -> usize {
        match self.stem {
            0 => channels,
            stem => stem,
        }
    }

    fn values(&self, shape: ImageShape, classes: usize) -> Option<usize> {
        let [channels, height, width] = shape.dims();
        let mut sum = match self.stem {
            0 => 0,
            stem => convolution(channels, stem)?,
        };
        let mut last = self.first(channels);
        for (block, &to) in self.channels.iter().enumerate() {
            let more = convolution(to, to)?.checked_mul(self.more(block))?;
            sum = sum.checked_add(convolution(last, to)?)?.checked_add(more)?;
            last = to;
        }
        let (height, width) = halved(height, width, self.channels.len());
        let features = match self.gather {
            Gather::Flatten => height.checked_mul(width)?.checked_mul(last)?,
            Gather::Average | Gather::Max => last,
        };
        let connected = match self.hidden {
            0 => dense(&[features, classes])?,
            hidden => dense(&[features, hidden, classes])?,
        };
        sum.checked_add(connected)
    }
}

impl Default for CnnConfig {
    fn default() -> Self {
        Self {
            stem: 0,
            channels: vec![32, 64, 128],
            more: Vec::new(),
            residual: false,
            gather: Gather::Flatten,
            hidden: 256,
            dropout: 0.5,
            classes: None,
        }
    }
}

/// How maps become features.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Gather {
    /// Every position of every map.
    #[default]
    Flatten,
    /// Each map's mean.
    Average,
    /// Each map's largest value.
    Max,
}

/// Settings of SqueezeNet 1.1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SqueezenetConfig {
    /// Share of the last feature maps' values that is silenced at each training step.
    #[schemars(range(min = 0.0, max = 0.95))]
    pub dropout: f64,
    /// Number of classes; null takes it from the data.
    #[schemars(range(min = 2, max = 65536))]
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

/// Settings of the fully connected autoencoder: ReLU behind every layer but the last, which has a sigmoid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AutoencoderConfig {
    /// Width of each layer between the image and the image; the smallest one is the code.
    #[schemars(length(min = 1, max = 16), inner(range(min = 1, max = 65536)))]
    pub hidden: Vec<usize>,
}

impl Default for AutoencoderConfig {
    fn default() -> Self {
        Self {
            hidden: vec![32, 32, 32],
        }
    }
}

/// Settings of the convolutional autoencoder: blocks that halve the image, a code, and steps that double it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConvAutoencoderConfig {
    /// Channels of each halving block; the way back has the same in reverse.
    #[schemars(length(min = 1, max = 8), inner(range(min = 1, max = 4096)))]
    pub channels: Vec<usize>,
    /// How many numbers an image becomes.
    #[schemars(range(min = 1, max = 65536))]
    pub code: usize,
}

impl ConvAutoencoderConfig {
    /// Channels into and out of each doubling step.
    pub fn steps_back(&self) -> impl Iterator<Item = (usize, usize)> {
        let last = self.channels.len() - 1;
        let channels = &self.channels;
        (0..=last)
            .rev()
            .map(move |step| (channels[step], channels[step.saturating_sub(1)]))
    }

    fn values(&self, shape: ImageShape) -> Option<usize> {
        let [channels, height, width] = shape.dims();
        let (height, width) = halved(height, width, self.channels.len());
        let features = height
            .checked_mul(width)?
            .checked_mul(*self.channels.last()?)?;
        let mut sum = dense(&[features, self.code])?.checked_add(dense(&[self.code, features])?)?;
        let mut from = channels;
        for &to in &self.channels {
            sum = sum.checked_add(convolution(from, to)?)?;
            from = to;
        }
        for (from, to) in self.steps_back() {
            // Four values for each pixel: the image doubles.
            sum = sum.checked_add(convolution(from, to.checked_mul(4)?)?)?;
        }
        // The last convolution has no batch norm.
        let image = self.channels.first()?.checked_mul(9)?.checked_add(1)?;
        sum.checked_add(image.checked_mul(channels)?)
    }
}

impl Default for ConvAutoencoderConfig {
    fn default() -> Self {
        Self {
            channels: vec![32, 64, 128],
            code: 32,
        }
    }
}
