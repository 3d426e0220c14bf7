//! The experiment: everything that a config can set, and its defaults.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sections::{
    InitConfig, LossConfig, OptimizerConfig, ParallelConfig, ScheduleConfig, TrainingConfig,
};
use crate::data::DataConfig;
use crate::models::ModelConfig;

/// A training run: the data, the model, and how the model is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "kiln experiment")]
pub struct Experiment {
    /// Path or URL of the JSON Schema with which editors complete and check this file; kiln ignores it.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Name of the run: run directories are `runs/<name>-<n>`. Default: the name of the config file without `.json`.
    #[serde(default)]
    #[schemars(
        regex(pattern = r"^[A-Za-z0-9._-]*$"),
        extend("patternErrorMessage" = "allowed are letters, digits and . _ -")
    )]
    pub name: String,
    /// Seed of the initial weights, the order of samples, augmentation and dropout.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// Compute backend: `flex` (CPU, the default), `ndarray` (CPU), or `wgpu`, `vulkan` or `cuda` (GPU).
    #[serde(default)]
    pub backend: Backend,
    /// Number of the backend's device, as `kiln devices` lists them; null takes the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 255))]
    pub device: Option<usize>,
    /// The images, and how they are augmented.
    pub data: DataConfig,
    /// The network.
    pub model: ModelConfig,
    /// Initial weights; random unless a file is given.
    #[serde(default)]
    pub init: InitConfig,
    /// Groups of parameters that are frozen or have their own learning rate. The first group whose pattern matches applies.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub parameters: Vec<ParameterConfig>,
    /// What training minimises.
    #[serde(default)]
    pub loss: LossConfig,
    /// The update rule for the weights.
    #[serde(default)]
    pub optimizer: OptimizerConfig,
    /// How the learning rate changes over the epochs.
    #[serde(default)]
    pub schedule: ScheduleConfig,
    /// Number of epochs, batch size, stopping, and which weights are kept.
    #[serde(default)]
    pub training: TrainingConfig,
    /// Several processes, on one machine or many, that train the run together.
    #[serde(default, skip_serializing_if = "ParallelConfig::is_default")]
    pub parallel: ParallelConfig,
}

impl Experiment {
    /// The learning rate before the schedule: the optimizer's, scaled by the number of parts of a batch if that is wanted.
    pub fn learning_rate(&self) -> f64 {
        self.optimizer.lr() * self.parallel.lr_factor()
    }
}

fn default_seed() -> u64 {
    1
}

/// A compute backend.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Backend {
    /// Burn's pure-Rust CPU backend, with kiln's kernels.
    #[default]
    Flex,
    /// Burn's older CPU backend (requires `--features ndarray`).
    Ndarray,
    /// GPU through Vulkan, Metal or DirectX (requires `--features wgpu`).
    Wgpu,
    /// GPU through Vulkan alone, with its own compiler of shaders (requires `--features vulkan`).
    Vulkan,
    /// NVIDIA's GPUs through CUDA (requires `--features cuda`).
    Cuda,
}

impl Backend {
    /// All backends that kiln knows, compiled in or not.
    pub const ALL: [Backend; 5] = [
        Backend::Flex,
        Backend::Ndarray,
        Backend::Wgpu,
        Backend::Vulkan,
        Backend::Cuda,
    ];

    /// The name used in configs and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Backend::Flex => "flex",
            Backend::Ndarray => "ndarray",
            Backend::Wgpu => "wgpu",
            Backend::Vulkan => "vulkan",
            Backend::Cuda => "cuda",
        }
    }

    /// Whether it computes while the program goes on: to read a value waits for everything that it was given before.
    pub fn is_asynchronous(self) -> bool {
        match self {
            Backend::Flex | Backend::Ndarray => false,
            Backend::Wgpu | Backend::Vulkan | Backend::Cuda => true,
        }
    }
}

/// A group of parameters that is frozen or has its own learning rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ParameterConfig {
    /// Pattern of parameter names as listed by `kiln model info`; `*` matches any characters, as in `"features.*"`. Required.
    pub names: String,
    /// Factor by which the learning rate is multiplied for these parameters.
    #[schemars(range(max = 1000.0), extend("exclusiveMinimum" = 0.0))]
    pub lr_factor: f64,
    /// Do not train these parameters; batch norms among them use their running statistics.
    pub frozen: bool,
    /// Epoch, counted from 1, at which frozen parameters start to train; null never unfreezes them.
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
