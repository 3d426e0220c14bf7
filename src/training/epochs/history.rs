//! What a run remembers of its epochs: the history, the best one, the weights to hand on, and how it ended.
//!
//! The loop over epochs writes it; checkpoints carry it, so that a run that goes on judges its epochs as if it had never
//! stopped.

use crate::config::{EarlyStoppingConfig, Keep};
use crate::metrics::EpochRecord;
use crate::models::Network;
use crate::run_dir::Status;
use crate::training::checkpoint::Progress;
use crate::training::error::TrainError;

/// What the loop leaves behind.
#[derive(Default)]
pub struct History {
    /// Completed epochs.
    pub epochs: Vec<EpochRecord>,
    /// The weights to hand on, with their epoch (0: the first epoch was not completed).
    pub kept: Option<(usize, Network)>,
    /// Epoch and validation result of the best epoch.
    pub best: Option<(usize, f64)>,
    /// Epoch and validation result of the last improvement that early stopping counts.
    improved: Option<(usize, f64)>,
    /// How the run ended.
    pub status: Option<Status>,
    /// What stopped it, if something failed.
    pub failure: Option<TrainError>,
}

impl History {
    /// The ledger of a run that goes on, with the weights that it would hand on so far.
    pub fn resumed(progress: Progress, kept: Option<(usize, Network)>) -> Self {
        Self {
            epochs: progress.epochs,
            kept,
            best: progress.best,
            improved: progress.improved,
            status: None,
            failure: None,
        }
    }

    /// What a checkpoint remembers, but for the weights.
    pub fn progress(&self, average_steps: usize) -> Progress {
        Progress {
            epochs: self.epochs.clone(),
            best: self.best,
            improved: self.improved,
            kept: self.kept.as_ref().map(|(epoch, _)| *epoch),
            average_steps,
        }
    }

    /// The kept weights, if they are those of an earlier epoch than the last.
    pub fn kept_earlier(&self) -> Option<Network> {
        let (epoch, network) = self.kept.as_ref()?;
        (*epoch != self.epochs.len()).then(|| network.clone())
    }

    /// Whether early stopping has waited long enough after so many epochs.
    pub fn patience_is_over(&self, epoch: usize, config: Option<&EarlyStoppingConfig>) -> bool {
        let (Some(config), Some((last, _))) = (config, self.improved) else {
            return false;
        };
        epoch - last >= config.patience
    }

    /// Takes an epoch with its result; true if it is the best so far.
    pub fn enter(
        &mut self,
        record: &EpochRecord,
        result: f64,
        network: Network,
        keep: Keep,
        min_delta: f64,
    ) -> bool {
        let is_best = self.best.is_none_or(|(_, best)| result > best);
        if is_best {
            self.best = Some((record.epoch, result));
        }
        let improves = |(_, reference)| result > reference + min_delta;
        if self.improved.is_none_or(improves) {
            self.improved = Some((record.epoch, result));
        }
        if is_best || keep == Keep::Last {
            self.kept = Some((record.epoch, network));
        }
        self.epochs.push(record.clone());
        is_best
    }
}
