//! The experiment: everything that one JSON file may say, with the one set of defaults.
//!
//! What the user wrote is JSON, checked against the schema of these types ([`super::schema`]); what it means is an
//! [`Experiment`], in which nothing is left open. A default is written here and nowhere else. Nothing in this file
//! reads data or knows Burn.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::model::*;
use crate::data::DataConfig;

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
    /// Where the weights start, if not from chance.
    #[serde(default)]
    pub init: InitConfig,
    /// Parameters that are treated apart: frozen, or moved at another rate. A parameter belongs to the first that fits.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub parameters: Vec<ParameterConfig>,
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

/// Where the weights start, if not from chance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InitConfig {
    /// A run directory, a `.safetensors` file, or a `.pth` that PyTorch wrote, with the network's own names and shapes;
    /// relative to `KILN_DATA`, or else to the current folder.
    pub weights: Option<String>,
    /// Names of parameters that keep fresh values; `*` stands for any characters: `["classifier.*"]`.
    #[schemars(length(max = 64))]
    pub except: Vec<String>,
}

/// Parameters that are treated apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ParameterConfig {
    /// Names, as `kiln model info` lists them; `*` stands for any characters: `"features.*"`. Required.
    pub names: String,
    /// Factor of the learning rate.
    #[schemars(range(max = 1000.0), extend("exclusiveMinimum" = 0.0))]
    pub lr_factor: f64,
    /// Leave them as they are; batch norms among them then take their running statistics.
    pub frozen: bool,
    /// The epoch, counted from 1, with which frozen ones begin to train; null is never.
    #[schemars(range(min = 2, max = 100_000))]
    pub unfreeze_at: Option<usize>,
}

impl Default for ParameterConfig {
    fn default() -> Self {
        Self {
            names: String::new(),
            lr_factor: 1.0,
            frozen: false,
            unfreeze_at: None,
        }
    }
}

/// The training objective: softmax cross-entropy for classifiers; for autoencoders the squared error, summed over the pixels of
/// an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LossConfig {
    /// `mean` over the batch, or `sum` as in the course (the step then grows with the batch).
    pub reduction: Reduction,
    /// Share of the target that is spread evenly over all classes.
    #[schemars(range(min = 0.0, max = 0.9))]
    pub label_smoothing: f64,
    /// How much the samples of a class count in training.
    pub class_weights: ClassWeights,
}

/// How much the samples of a class count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ClassWeights {
    /// All samples alike.
    #[default]
    Equal,
    /// All classes alike: a sample counts the less, the more of its class there are.
    Balanced,
}

impl Default for LossConfig {
    fn default() -> Self {
        Self {
            reduction: Reduction::Mean,
            label_smoothing: 0.0,
            class_weights: ClassWeights::Equal,
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
    /// Average the weights over the steps, and validate and keep the average: the share of the old average that each step
    /// keeps (0.999 averages over about a thousand steps); null keeps the weights themselves.
    #[schemars(range(min = 0.5, max = 0.99999))]
    pub ema: Option<f64>,
    /// Stop when validation no longer improves; null trains all epochs.
    pub early_stopping: Option<EarlyStoppingConfig>,
    /// Hand on a classifier whose probabilities are calibrated: one temperature, fitted on the validation split.
    pub calibrate: bool,
    /// Hand on the weights of layers as numbers of 16 bits: half the file. Batch norm keeps 32.
    pub half: bool,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch_size: 64,
            reshuffle: true,
            keep: Keep::Best,
            ema: None,
            early_stopping: None,
            calibrate: false,
            half: false,
        }
    }
}

/// Which epoch's weights the run hands on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Keep {
    /// The epoch with the highest validation accuracy, for autoencoders PSNR (the earliest of equals).
    #[default]
    Best,
    /// The last epoch.
    Last,
}

/// When to stop early.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EarlyStoppingConfig {
    /// Epochs without a better validation accuracy (PSNR) before the run stops.
    #[schemars(range(min = 1, max = 100_000))]
    pub patience: usize,
    /// How much better (as a fraction of 1; in dB) counts as better.
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
