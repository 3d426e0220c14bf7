//! What an epoch measured, as files hold it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Metric name (`loss`, `accuracy`, `top5_accuracy`, `psnr`, ...) to value; rates are fractions of 1, PSNR is in dB.
pub type Metrics = BTreeMap<String, f64>;

/// One line of `metrics.jsonl`: the metrics of an epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: usize,
    /// The learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// Over the training samples as the steps saw them (augmented, with dropout, while the weights changed).
    pub train: Metrics,
    /// Over the validation samples, with the weights at the end of the epoch.
    pub valid: Metrics,
}
