//! The experiment: everything that one JSON file may say, with the one set of defaults.
//!
//! What the user wrote is JSON, checked against the schema of these types ([`super::schema`]); what it means is an
//! [`Experiment`], in which nothing is left open. A default is written here and nowhere else. Nothing in this file
//! reads data or knows Burn.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::data::DataConfig;

/// A whole run: data, model and how the one is trained on the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "kiln experiment")]
pub struct Experiment {
    /// Where editors find the JSON Schema that completes and checks keys.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Name of the run; run directories are `runs/<name>-<n>`. Default: the file's name without `.json`.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[A-Za-z0-9._-]*$"))]
    pub name: String,
    /// Seeds the initial weights, the order of samples, augmentation and dropout.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// The engine that computes: `flex` (CPU, default), `ndarray` (CPU) or `wgpu` (GPU).
    #[serde(default)]
    pub backend: Backend,
    /// Which images to train on, and how they are varied.
    pub data: DataConfig,
    /// The network.
    pub model: ModelConfig,
    /// What is minimised.
    #[serde(default)]
    pub loss: LossConfig,
    /// How the weights are moved.
    #[serde(default)]
    pub optimizer: OptimizerConfig,
    /// How the learning rate changes over the epochs.
    #[serde(default)]
    pub schedule: ScheduleConfig,
    /// How long, in what portions, and when to stop.
    #[serde(default)]
    pub training: TrainingConfig,
}

fn default_seed() -> u64 {
    1
}

/// The engine that computes.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Backend {
    /// Burn's pure-Rust CPU engine.
    #[default]
    Flex,
    /// Burn's older CPU engine (needs `--features ndarray`).
    Ndarray,
    /// GPU through Vulkan, Metal or DirectX (needs `--features wgpu`).
    Wgpu,
}

impl Backend {
    /// All backends that kiln knows, compiled in or not.
    pub const ALL: [Backend; 3] = [Backend::Flex, Backend::Ndarray, Backend::Wgpu];

    /// The name used in configs and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Backend::Flex => "flex",
            Backend::Ndarray => "ndarray",
            Backend::Wgpu => "wgpu",
        }
    }
}

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

/// The training objective: softmax cross-entropy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LossConfig {
    /// `mean` over the batch, or `sum` as in the course (the step then grows with the batch).
    pub reduction: Reduction,
    /// Share of the target that is spread evenly over all classes.
    #[schemars(range(min = 0.0, max = 0.9))]
    pub label_smoothing: f64,
}

impl Default for LossConfig {
    fn default() -> Self {
        Self {
            reduction: Reduction::Mean,
            label_smoothing: 0.0,
        }
    }
}

/// How the losses of a batch become one number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Reduction {
    /// Average over the samples of the batch.
    #[default]
    Mean,
    /// Sum over the samples of the batch.
    Sum,
}

/// How the weights are moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OptimizerConfig {
    /// Stochastic gradient descent, with momentum if asked for.
    Sgd(SgdConfig),
    /// Adam (Kingma and Ba 2015); weight decay is added to the gradient.
    Adam(AdamConfig),
    /// AdamW (Loshchilov and Hutter 2019); weight decay is applied to the weights.
    AdamW(AdamConfig),
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        OptimizerConfig::Adam(AdamConfig::default())
    }
}

impl OptimizerConfig {
    /// The base learning rate, before the schedule.
    pub fn lr(&self) -> f64 {
        match self {
            OptimizerConfig::Sgd(config) => config.lr,
            OptimizerConfig::Adam(config) | OptimizerConfig::AdamW(config) => config.lr,
        }
    }
}

/// Settings of stochastic gradient descent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SgdConfig {
    /// Learning rate.
    #[schemars(range(max = 100.0), extend("exclusiveMinimum" = 0.0))]
    pub lr: f64,
    /// Share of the last step that is carried on; 0 is plain descent.
    #[schemars(range(min = 0.0, max = 0.999))]
    pub momentum: f64,
    /// L2 penalty added to the gradient.
    #[schemars(range(min = 0.0, max = 10.0))]
    pub weight_decay: f64,
    /// Largest L2 norm of each parameter's gradient; null leaves gradients alone.
    #[schemars(range(min = 1e-9, max = 1e9))]
    pub clip_norm: Option<f64>,
}

impl Default for SgdConfig {
    fn default() -> Self {
        Self {
            lr: 1e-2,
            momentum: 0.0,
            weight_decay: 0.0,
            clip_norm: None,
        }
    }
}

/// Settings of Adam and AdamW.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdamConfig {
    /// Learning rate.
    #[schemars(range(max = 100.0), extend("exclusiveMinimum" = 0.0))]
    pub lr: f64,
    /// Decay of the running mean of gradients.
    #[schemars(range(min = 0.0, max = 0.9999))]
    pub beta1: f64,
    /// Decay of the running mean of squared gradients.
    #[schemars(range(min = 0.0, max = 0.99999))]
    pub beta2: f64,
    /// Keeps the division finite.
    #[schemars(range(min = 1e-20, max = 1.0))]
    pub epsilon: f64,
    /// Weight decay; see the optimizer for where it is applied.
    #[schemars(range(min = 0.0, max = 10.0))]
    pub weight_decay: f64,
    /// Largest L2 norm of each parameter's gradient; null leaves gradients alone.
    #[schemars(range(min = 1e-9, max = 1e9))]
    pub clip_norm: Option<f64>,
}

impl Default for AdamConfig {
    fn default() -> Self {
        // Kingma and Ba 2015, section 2; PyTorch has the same.
        Self {
            lr: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            clip_norm: None,
        }
    }
}

/// How the learning rate changes; all lengths are in epochs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ScheduleConfig {
    /// The optimizer's rate throughout.
    Constant(ConstantConfig),
    /// Multiplied by `gamma` every `every` epochs.
    Step(StepConfig),
    /// Half a cosine from the optimizer's rate down to `final_factor` of it, after a linear warm-up.
    Cosine(CosineConfig),
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        ScheduleConfig::Constant(ConstantConfig {})
    }
}

/// The constant schedule has no settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConstantConfig {}

/// Settings of the step schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StepConfig {
    /// Epochs between two reductions.
    #[schemars(range(min = 1, max = 100_000))]
    pub every: usize,
    /// Factor of each reduction.
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub gamma: f64,
}

impl Default for StepConfig {
    fn default() -> Self {
        Self {
            every: 30,
            gamma: 0.5,
        }
    }
}

/// Settings of the cosine schedule (Loshchilov and Hutter 2017, without restarts).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CosineConfig {
    /// Epochs over which the rate rises linearly from zero.
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub warmup: f64,
    /// Where the rate ends, as a share of the optimizer's rate.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub final_factor: f64,
}

impl Default for CosineConfig {
    fn default() -> Self {
        Self {
            warmup: 0.0,
            final_factor: 0.0,
        }
    }
}

/// How long, in what portions, and when to stop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingConfig {
    /// Passes over the training set.
    #[schemars(range(min = 1, max = 100_000))]
    pub epochs: usize,
    /// Samples per step.
    #[schemars(range(min = 1, max = 65536))]
    pub batch_size: usize,
    /// Draw the order of samples anew in each epoch. `false` draws batches once, as the course does.
    pub reshuffle: bool,
    /// Which epoch's weights the run hands on.
    pub keep: Keep,
    /// Stop when validation no longer improves; null trains all epochs.
    pub early_stopping: Option<EarlyStoppingConfig>,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch_size: 64,
            reshuffle: true,
            keep: Keep::Best,
            early_stopping: None,
        }
    }
}

/// Which epoch's weights the run hands on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Keep {
    /// The epoch with the highest validation accuracy (the earliest of equals).
    #[default]
    Best,
    /// The last epoch.
    Last,
}

/// When to stop early.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EarlyStoppingConfig {
    /// Epochs without a better validation accuracy before the run stops.
    #[schemars(range(min = 1, max = 100_000))]
    pub patience: usize,
    /// How much better (as a fraction of 1) counts as better.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_delta: f64,
}

impl Default for EarlyStoppingConfig {
    fn default() -> Self {
        Self {
            patience: 10,
            min_delta: 0.0,
        }
    }
}
