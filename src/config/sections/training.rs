//! The `training` section: how long a run takes, and which weights it keeps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::log::LogTarget;

/// Number of epochs, batch size, stopping, and which weights are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingConfig {
    /// Number of passes over the training set.
    #[schemars(range(min = 1, max = 100_000))]
    pub epochs: usize,
    /// Number of samples per training step.
    #[schemars(range(min = 1, max = 65536))]
    pub batch_size: usize,
    /// Shuffle the samples before every epoch. With `false` the batches are drawn once and used in every epoch.
    pub reshuffle: bool,
    /// Which epoch's weights go into the model: `best` or `last`.
    pub keep: Keep,
    /// Decay of the exponential moving average (EMA) of the weights; validation and the saved model use the EMA
    /// (0.999 averages over about a thousand steps). null disables it.
    #[schemars(range(min = 0.5, max = 0.99999))]
    pub ema: Option<f64>,
    /// Stop when validation no longer improves; null always trains all epochs.
    pub early_stopping: Option<EarlyStoppingConfig>,
    /// Calibrate the classifier's probabilities with one temperature fitted on the validation split (Guo et al. 2017).
    pub calibrate: bool,
    /// Store the weights of the final model as 16-bit floats, which halves the file; batch norm stays at 32 bits.
    pub half: bool,
    /// In which precision convolutions are multiplied: `f32`, or `bf16`, which is faster on processors with AVX512-BF16. Weights, sums,
    /// statistics, loss and optimizer have 32 bits in both.
    #[serde(skip_serializing_if = "Precision::is_default")]
    pub precision: Precision,
    /// Where the metrics go besides the run directory's own files: `"tensorboard"`, or `{"mlflow": "http://localhost:5000"}`. The
    /// results don't depend on it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub log: Vec<LogTarget>,
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
            precision: Precision::F32,
            log: Vec::new(),
        }
    }
}

/// In which precision training multiplies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// Products of bfloat16 values (8 bits of precision), sums in 32 bits: convolutions, but for depthwise ones and those of an odd number of
    /// input channels with an odd stride, and their gradients. On the backend flex.
    Bf16,
}

impl Precision {
    fn is_default(&self) -> bool {
        *self == Self::F32
    }
}

/// Which epoch's weights go into the model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Keep {
    /// The epoch with the highest validation accuracy (PSNR for autoencoders); on a tie the one with the lowest validation loss, then the
    /// earliest.
    #[default]
    Best,
    /// The last epoch.
    Last,
}

/// When to stop early.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EarlyStoppingConfig {
    /// Number of epochs without a better validation accuracy (PSNR for autoencoders) after which the run stops.
    #[schemars(range(min = 1, max = 100_000))]
    pub patience: usize,
    /// Smallest increase that counts as an improvement: a fraction of 1 for accuracy, dB for PSNR.
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
