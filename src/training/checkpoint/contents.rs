//! What a checkpoint holds.

use std::path::PathBuf;

use burn::lr_scheduler::LrSchedulerRecord;
use burn::optim::OptimizerRecord;
use burn::store::ModuleRecord;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::Experiment;
use crate::device::BURN_VERSION;
use crate::files;
use crate::metrics::EpochRecord;

/// Versions, experiment and progress of the run that wrote a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Version of kiln.
    pub kiln: String,
    /// Version of Burn.
    pub burn: String,
    /// The experiment.
    pub experiment: Experiment,
    /// SHA-256 of the experiment as JSON, for people to compare.
    pub config_sha256: String,
    /// SHA-256 of the data's classes and labels.
    pub data_sha256: String,
    /// How far the run is.
    pub progress: Progress,
}

impl Header {
    /// The header of a run before its first epoch.
    pub fn new(experiment: &Experiment, data_sha256: String) -> Self {
        let json = serde_json::to_vec(experiment).unwrap_or_default();
        Self {
            kiln: env!("CARGO_PKG_VERSION").into(),
            burn: BURN_VERSION.into(),
            experiment: experiment.clone(),
            config_sha256: files::hexadecimal(&Sha256::digest(&json)),
            data_sha256,
            progress: Progress::default(),
        }
    }
}

/// The history of a run, without weights.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Completed epochs.
    pub epochs: Vec<EpochRecord>,
    /// Epoch and validation result of the best epoch.
    pub best: Option<(usize, f64)>,
    /// Epoch and validation result of the last improvement that early stopping counts.
    pub improved: Option<(usize, f64)>,
    /// The epoch whose weights are kept so far.
    pub kept: Option<usize>,
    /// Steps that the running average has taken.
    pub average_steps: usize,
}

/// The large parts of a checkpoint: weights, optimizer, schedule.
pub struct Parts {
    /// The network with its loss, in training.
    pub model: ModuleRecord,
    /// The optimizer.
    pub optimizer: OptimizerRecord,
    /// The schedule.
    pub schedule: LrSchedulerRecord,
    /// The running average of the weights, if there is one.
    pub average: Option<ModuleRecord>,
    /// The weights kept so far, if they are not those of this epoch.
    pub kept: Option<ModuleRecord>,
}

/// A checkpoint that was read from a file.
pub struct Checkpoint {
    /// Its file.
    pub path: PathBuf,
    /// Versions, experiment and progress.
    pub header: Header,
    /// Weights, optimizer, schedule.
    pub parts: Parts,
}

impl std::fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checkpoint")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Checkpoint {
    /// The epoch after which it was written, counted from 1.
    pub fn epoch(&self) -> usize {
        self.header.progress.epochs.len()
    }
}

impl Progress {
    /// Whether the epochs are numbered from 1, and every other epoch that is named is one of them.
    pub(super) fn is_consistent(&self) -> bool {
        let known = |epoch: usize| (1..=self.epochs.len()).contains(&epoch);
        let of = [self.best, self.improved].into_iter().flatten();
        let mut named = of.map(|(epoch, _)| epoch).chain(self.kept);
        let mut numbers = self.epochs.iter().zip(1..);
        !self.epochs.is_empty()
            && numbers.all(|(record, number)| record.epoch == number)
            && named.all(known)
    }
}
