//! The loop over epochs: burn-train's single-device loop with what it leaves out.
//!
//! Burn's own strategy restores model, optimizer and schedule, but neither the order of samples nor the random state of
//! dropout; it hands on the last weights, not the best; and its dashboard forgets why a run was stopped. This one
//! reseeds the device and the loader from (seed, epoch), keeps the best weights, writes a line per epoch, hands the rest of a
//! checkpoint over and remembers how the run ended. It is the only place that knows on how many devices a run trains.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use burn::prelude::*;
use burn::train::{
    Learner, SupervisedLearningStrategy, TrainLoader, TrainingComponents, ValidLoader,
};

use super::epoch::{EpochLoop, Processor, Stop};
use super::history::History;
use crate::config::{EarlyStoppingConfig, Keep};
use crate::metrics::{EpochRecord, Metric, Outputs};
use crate::models::Network;
use crate::run_dir::{RunDir, Status};
use crate::training::batch::EpochCounter;
use crate::training::checkpoint::collector::Assembly;
use crate::training::observer::Observer;
use crate::training::optimization::average::Average;
use crate::training::train_model::TrainModel;

/// The strategy; see the module.
pub struct EpochStrategy {
    /// Where to train.
    pub device: Device,
    /// Seed of the run.
    pub seed: u64,
    /// Tells the loaders the epoch.
    pub counter: EpochCounter,
    /// The metric that decides which epoch is the best.
    pub ranking: &'static Metric,
    /// What the network puts out, which decides what is measured.
    pub outputs: Outputs,
    /// Every epoch sees the same values of each training sample.
    pub training_is_fixed: bool,
    /// See [`TrainingConfig::ema`](crate::config::TrainingConfig::ema).
    pub ema: Option<f64>,
    /// Which weights to hand on.
    pub keep: Keep,
    /// When to stop early.
    pub early_stopping: Option<EarlyStoppingConfig>,
    /// Where the lines go.
    pub run_dir: RunDir,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
    /// What is left behind.
    pub ledger: Arc<Mutex<History>>,
    /// Makes the checkpoints.
    pub assembly: Arc<Assembly>,
    /// The running average of the weights, of a run that goes on.
    pub average: Option<Average>,
}

impl SupervisedLearningStrategy<TrainModel> for EpochStrategy {
    fn fit(
        &self,
        components: TrainingComponents<TrainModel>,
        mut learner: Learner<TrainModel>,
        train: TrainLoader<TrainModel>,
        valid: ValidLoader<TrainModel>,
        starting_epoch: usize,
    ) -> (TrainModel, Processor) {
        let mut epochs = EpochLoop {
            strategy: self,
            train: train.to_device(&self.device),
            valid: valid.to_device(&self.device.clone().inner()),
            interrupter: components.interrupter,
            store: components.event_store,
            processor: components.event_processor,
            total_epochs: components.num_epochs,
            began: Instant::now(),
            starting_epoch,
            average: None,
            features: Default::default(),
        };
        let mut checkpointer = components.checkpointer;
        learner.fork(&self.device);
        let network = learner.model().network;
        let fresh = |decay| Average::new(&network, decay);
        epochs.average = self.average.clone().or_else(|| self.ema.map(fresh));
        let mut status = Status::Finished;
        for epoch in starting_epoch..=components.num_epochs {
            // Before the epoch: a run that goes on may have waited long enough already.
            if self.patience_is_over(epoch - 1) {
                status = Status::StoppedEarly;
                break;
            }
            match epochs.run(&mut learner, epoch) {
                Ok(()) => {}
                Err(Stop::Interrupted) => {
                    status = Status::Interrupted;
                    break;
                }
                Err(Stop::Failed(error)) => {
                    self.ledger().failure = Some(error);
                    break;
                }
            }
            if let Some(checkpointer) = &mut checkpointer {
                self.begin_checkpoint(epochs.average.as_ref());
                checkpointer.checkpoint(&learner, epoch, &epochs.store);
            }
        }
        if status == Status::Finished && self.patience_is_over(components.num_epochs) {
            status = Status::StoppedEarly;
        }
        // Dropping the checkpointer waits for its files; only then is it known whether they were written.
        drop(checkpointer);
        let mut ledger = self.ledger();
        ledger.status = Some(status);
        if ledger.failure.is_none() {
            ledger.failure = epochs.failure();
        }
        if ledger.kept.is_none() {
            ledger.kept = Some((0, epochs.judged(&learner)));
        }
        drop(ledger);
        (learner.model(), epochs.processor)
    }
}

impl EpochStrategy {
    fn ledger(&self) -> std::sync::MutexGuard<'_, History> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn patience_is_over(&self, epoch: usize) -> bool {
        self.ledger()
            .patience_is_over(epoch, self.early_stopping.as_ref())
    }

    /// Hands over what the learner knows nothing of.
    fn begin_checkpoint(&self, average: Option<&Average>) {
        let ledger = self.ledger();
        self.assembly.begin(
            ledger.progress(average.map_or(0, Average::steps)),
            average.map(|average| average.network().into_record()),
            ledger.kept_earlier().map(Network::into_record),
        );
    }

    /// Takes the epoch into the ledger; true if it is the best so far.
    pub(super) fn enter(&self, record: &EpochRecord, network: Network) -> bool {
        let value = record.valid.get(self.ranking.name).copied();
        let result = value.map_or(f64::NEG_INFINITY, |value| self.ranking.merit(value));
        let early = self.early_stopping.as_ref();
        let min_delta = early.map_or(0.0, |config| config.min_delta);
        self.ledger()
            .enter(record, result, network, self.keep, min_delta)
    }
}
