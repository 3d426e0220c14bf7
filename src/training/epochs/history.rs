//! The history of a run: its epochs, the best one, the weights to keep, and how it ended.
//!
//! The training loop fills it. Checkpoints store it, so that a resumed run chooses its best epoch as if it had never stopped.

use crate::config::{EarlyStoppingConfig, Keep, TrainingConfig};
use crate::metrics::{self, EpochRecord};
use crate::models::Network;
use crate::run_dir::Status;
use crate::training::checkpoint::Progress;
use crate::training::error::TrainError;

/// Validation results that differ by less are equal: the same right answers, whose sum over the batches was rounded differently.
/// One answer more changes the accuracy of a million samples by a thousand times as much.
const ROUNDING: f64 = 1e-9;

/// Epochs, best epoch and kept weights of a run.
#[derive(Default)]
pub struct History {
    /// Completed epochs.
    pub epochs: Vec<EpochRecord>,
    /// The weights to keep, with their epoch (0: the first epoch was not completed).
    pub kept: Option<(usize, Network)>,
    /// Epoch and validation result of the best epoch.
    pub best: Option<(usize, f64)>,
    /// Epoch and validation result of the last improvement that early stopping counts.
    improved: Option<(usize, f64)>,
    /// How the run ended.
    pub status: Option<Status>,
    /// The error that stopped it, if one did.
    pub failure: Option<TrainError>,
}

impl History {
    /// The history of a resumed run, with the weights that it keeps so far.
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

    /// What a checkpoint stores, without the weights.
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

    /// Whether early stopping has waited long enough after `epoch` epochs.
    pub fn patience_is_over(&self, epoch: usize, config: Option<&EarlyStoppingConfig>) -> bool {
        let (Some(config), Some((last, _))) = (config, self.improved) else {
            return false;
        };
        epoch - last >= config.patience
    }

    /// Adds an epoch with its validation result (higher is better) and its weights; true if it is the best so far.
    pub fn add(
        &mut self,
        record: &EpochRecord,
        result: f64,
        network: Network,
        config: &TrainingConfig,
    ) -> bool {
        let is_best = self.is_better(record, result);
        if is_best {
            self.best = Some((record.epoch, result));
        }
        // By the result alone, as its settings say: a loss that goes on falling under an accuracy that stays would defer the stop.
        let early_stopping = config.early_stopping.as_ref();
        let min_delta = early_stopping.map_or(0.0, |early| early.min_delta);
        let improves = |(_, reference)| result > reference + min_delta;
        if self.improved.is_none_or(improves) {
            self.improved = Some((record.epoch, result));
        }
        if is_best || config.keep == Keep::Last {
            self.kept = Some((record.epoch, network));
        }
        self.epochs.push(record.clone());
        is_best
    }

    /// Whether an epoch is better than the best so far: by its validation result, and of equal ones by the lower validation loss.
    /// If that is equal too, the earlier epoch stays the best.
    fn is_better(&self, record: &EpochRecord, result: f64) -> bool {
        let Some((epoch, best)) = self.best else {
            return true;
        };
        if (result - best).abs() > ROUNDING {
            return result > best;
        }
        let loss = |record: &EpochRecord| record.valid.get(metrics::LOSS.name).copied();
        let best = self.epochs.iter().find(|record| record.epoch == epoch);
        let losses = (loss(record), best.and_then(loss));
        matches!(losses, (Some(now), Some(before)) if now < before)
    }
}
