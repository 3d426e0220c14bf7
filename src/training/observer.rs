//! What a run reports while it trains.

use std::path::PathBuf;
use std::time::Duration;

use crate::metrics::EpochRecord;
use crate::run_dir::Samples;
use crate::weights::Taken;

/// A finished epoch.
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
    /// Whether it has the best validation result so far.
    pub is_best: bool,
}

/// A run that is about to train.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Folder of the run.
    pub run_dir: PathBuf,
    /// Samples for training, validation and test.
    pub samples: Samples,
    /// Number of trainable parameters.
    pub parameters: usize,
    /// The file that the initial weights were loaded from, and which weights were taken from it.
    pub weights: Option<(PathBuf, Taken)>,
    /// Epochs that are done already, of a resumed run.
    pub epochs_done: usize,
    /// Settings that are valid, but have no effect, and what reading the data has found.
    pub warnings: Vec<String>,
    /// How the files of the data were understood, and what of them is not used.
    pub notes: Vec<String>,
}

/// Receives the progress of a run. Methods are called from the training threads and must return quickly.
pub trait Observer: Send + Sync {
    /// Everything is checked and loaded; the first epoch is about to start.
    fn started(&self, _plan: &Plan) {}
    /// The dashboard is shown from now on, or not any more: it may be lost with its terminal.
    fn dashboard(&self, _is_shown: bool) {}
    /// Within an epoch: `done` of `total` samples of the training or validation part.
    fn progress(&self, _epoch: usize, _part: &str, _done: usize, _total: usize) {}
    /// An epoch has ended.
    fn epoch(&self, _report: &EpochReport) {}
    /// Training is over; the kept weights are being evaluated.
    fn finishing(&self) {}
    /// Something deserves a second look: the results of a complete run, or what reading the data has found.
    fn warning(&self, _warning: &str) {}
}
