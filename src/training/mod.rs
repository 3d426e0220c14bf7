//! Training: an experiment becomes a run directory.
//!
//! [`prepare`] finds whatever can be wrong; [`run`] wires data, network, optimizer and schedule into burn-train's learner;
//! [`strategy`] is the loop over epochs and the only place that knows how many devices there are; [`checkpoint`]s are what
//! [`resume`] goes on from; [`renderer`] is what a person sees meanwhile. Nothing here prints: progress goes to an [`Observer`].

use std::time::Duration;

pub mod average;
pub mod batches;
pub mod checkpoint;
mod checkpointer;
pub mod divergence;
mod epoch;
pub mod error;
pub mod features;
pub mod finalize;
pub mod history;
pub mod logger;
pub mod measures;
pub mod optimizer;
mod page;
pub mod param_groups;
pub mod prepare;
pub mod renderer;
pub mod resume;
pub mod run;
pub mod schedule;
pub mod strategy;
pub mod train_model;

pub use error::TrainError;
pub use resume::Resumption;
pub use run::{Options, Outcome, resume, run};

use crate::metrics::EpochRecord;

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
    pub run_dir: std::path::PathBuf,
    /// Samples for training, validation and test.
    pub samples: crate::run_dir::Samples,
    /// Number of trainable parameters.
    pub parameters: usize,
    /// What the first weights were taken from, and which.
    pub weights: Option<(std::path::PathBuf, crate::weights::Taken)>,
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
