//! Numbers about predictions: pure functions of plain values, each with the source of its formula.
//!
//! Comes in: labels, predictions, texts. Goes out: rates as fractions of 1. Nothing here knows tensors or files.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub mod calibration;
pub mod classification;
pub mod image;
pub mod text;

/// Metric name (`loss`, `accuracy`, `top5_accuracy`, `psnr`, ...) to value; rates are fractions of 1, PSNR is in dB.
pub type Metrics = BTreeMap<String, f64>;

/// One line of `metrics.jsonl`: what an epoch gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: usize,
    /// The rate of the epoch's last step.
    pub learning_rate: f64,
    /// Over the training samples as the steps saw them (augmented, with dropout, while the weights moved).
    pub train: Metrics,
    /// Over the validation samples, with the weights at the end of the epoch.
    pub valid: Metrics,
}

/// The `k` of top-k accuracy.
pub const TOP_K: usize = 5;

/// Name of top-k accuracy in files.
pub const TOP_K_NAME: &str = "top5_accuracy";
