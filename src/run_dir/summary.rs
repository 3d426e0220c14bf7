//! `summary.json`: the results of a run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::Backend;
use crate::metrics::Metrics;
use crate::metrics::classification::Calibration;
use crate::metrics::classification::{ClassReport, ConfusedPair};
use crate::shape::ImageShape;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All epochs were trained.
    Finished,
    /// Validation no longer improved.
    StoppedEarly,
    /// By Ctrl-C or from the dashboard.
    Interrupted,
    /// By an error after at least one completed epoch, whose weights are kept.
    Failed,
}

/// `summary.json`: the results of a run. Without times, so that reruns agree to the byte.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Version of kiln that made the run.
    pub kiln: String,
    /// Name of the experiment.
    pub name: String,
    /// Seed of the run.
    pub seed: u64,
    /// Backend that computed it.
    pub backend: Backend,
    /// How it ended.
    pub status: Status,
    /// Number of trainable parameters.
    pub parameters: usize,
    /// Class names in the order of the logits.
    pub classes: Vec<String>,
    /// Shape of one input image.
    pub input: ImageShape,
    /// Number of samples per split.
    pub samples: Samples,
    /// Number of files and folders of the data that were not used, by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub passed_over: BTreeMap<String, usize>,
    /// Completed epochs.
    pub epochs: usize,
    /// The epoch of the weights in `model.safetensors`; 0 if the first was never completed.
    pub best_epoch: usize,
    /// Validation metrics of those weights; empty if the first epoch was never completed.
    pub valid: Metrics,
    /// Test metrics of those weights; null if there is no test split, or if the run was interrupted.
    pub test: Option<Metrics>,
    /// Of a calibrated classifier: the effect of its temperature on the validation split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// Precision, recall and F1 of each class on the test split (on validation if there is no test).
    pub per_class: Vec<ClassReport>,
    /// The most frequent confusions.
    pub most_confused: Vec<ConfusedPair>,
}

/// Number of samples per split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Samples {
    /// Training.
    pub train: usize,
    /// Validation.
    pub valid: usize,
    /// Test.
    pub test: usize,
}
