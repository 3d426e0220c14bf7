//! What a run reports while it trains.

use std::path::PathBuf;
use std::time::Duration;

use crate::metrics::EpochRecord;
use crate::run_dir::Samples;
use crate::weights::Taken;

/// What a finished epoch tells, for a line of text.
#[derive(Debug, Clone)]
pub struct EpochReport {
    /// Metrics and learning rate.
    pub record: EpochRecord,
    /// Epochs of the whole run.
    pub epochs: usize,
    /// Wall time of the epoch, validation included.
    pub duration: Duration,
    /// Training samples per second of the training part.
    pub samples_per_second: f64,
    /// Estimated wall time until the last epoch ends.
    pub time_left: Duration,
    /// Whether no earlier epoch was better on validation.
    pub is_best: bool,
}

/// What a run is about to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Folder of the run.
    pub run_dir: PathBuf,
    /// Samples for training, validation and test.
    pub samples: Samples,
    /// Number of trainable parameters.
    pub parameters: usize,
    /// What the first weights were taken from, and which.
    pub weights: Option<(PathBuf, Taken)>,
    /// Epochs that are done already, of a run that goes on.
    pub epochs_done: usize,
}

/// Someone who watches a run. Methods are called from the training threads and must be quick.
pub trait Observer: Send + Sync {
    /// Everything is checked and loaded; the first epoch is about to start.
    fn started(&self, _plan: &Plan) {}
    /// Within an epoch: `done` of `total` samples of the training or validation part.
    fn progress(&self, _epoch: usize, _part: &str, _done: usize, _total: usize) {}
    /// An epoch has ended.
    fn epoch(&self, _report: &EpochReport) {}
    /// Training is over; the weights that are kept are evaluated.
    fn finishing(&self) {}
}
