//! The loop over epochs: burn-train's single-device loop with what it leaves out.
//!
//! Burn's own strategy restores model, optimizer and schedule, but neither the order of samples nor the random state of
//! dropout; it hands on the last weights, not the best; and its dashboard forgets why a run was stopped. This one
//! reseeds the device and the loader from (seed, epoch), keeps the best weights, writes a line per epoch, hands the rest of a
//! checkpoint over and remembers how the run ended. It is the only place that knows on how many devices a run trains.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use burn::data::dataloader::{DataLoader, Progress};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::train::metric::store::{Aggregate, EventStoreClient, Split};
use burn::train::{
    EventProcessorError, EventProcessorTraining, InferenceStep, Interrupter, Learner, LearnerEvent,
    SupervisedLearningStrategy, SupervisedTrainingEventProcessor, TrainLoader, TrainingComponents,
    TrainingItem, ValidLoader,
};

use super::average::Average;
use super::batches::EpochCounter;
use super::checkpointer::Assembly;
use super::divergence;
use super::features::FeatureCache;
use super::ledger::Ledger;
use super::run::TrainError;
use super::trainee::{Batch, Trainee};
use super::{EpochReport, Observer, measures};
use crate::config::experiment::{EarlyStoppingConfig, Keep};
use crate::data::seed;
use crate::files::{self, WriteError};
use crate::kernels;
use crate::metrics::{EpochRecord, Metrics};
use crate::models::Network;
use crate::run_dir::{RunDir, Status};

/// Mixed into the seed of the device's random generator, so that dropout does not repeat other draws.
const DEVICE_STREAM: u64 = 3;

/// The strategy; see the module.
pub struct EpochStrategy {
    /// Where to train.
    pub device: Device,
    /// Seed of the run.
    pub seed: u64,
    /// Tells the loaders the epoch.
    pub counter: EpochCounter,
    /// Name of the metric that decides which epoch is the best.
    pub measure: &'static str,
    /// Every epoch sees the same values of each training sample.
    pub training_is_fixed: bool,
    /// See [`TrainingConfig::ema`](crate::config::experiment::TrainingConfig::ema).
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
    pub ledger: Arc<Mutex<Ledger>>,
    /// Makes the checkpoints.
    pub assembly: Arc<Assembly>,
    /// The running average of the weights, of a run that goes on.
    pub average: Option<Average>,
}

type Processor = SupervisedTrainingEventProcessor<Trainee>;

/// Why an epoch was not completed.
enum Stop {
    Interrupted,
    Failed(TrainError),
}

impl SupervisedLearningStrategy<Trainee> for EpochStrategy {
    fn fit(
        &self,
        components: TrainingComponents<Trainee>,
        mut learner: Learner<Trainee>,
        train: TrainLoader<Trainee>,
        valid: ValidLoader<Trainee>,
        starting_epoch: usize,
    ) -> (Trainee, SupervisedTrainingEventProcessor<Trainee>) {
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
    fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
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
    fn enter(&self, record: &EpochRecord, network: Network) -> bool {
        let result = record.valid.get(self.measure).copied().unwrap_or(0.0);
        let early = self.early_stopping.as_ref();
        let min_delta = early.map_or(0.0, |config| config.min_delta);
        self.ledger()
            .enter(record, result, network, self.keep, min_delta)
    }
}

/// The parts that every epoch needs.
struct EpochLoop<'a> {
    strategy: &'a EpochStrategy,
    train: TrainLoader<Trainee>,
    valid: ValidLoader<Trainee>,
    interrupter: Interrupter,
    store: Arc<EventStoreClient>,
    processor: Processor,
    total_epochs: usize,
    began: Instant,
    starting_epoch: usize,
    average: Option<Average>,
    /// Of training and validation, while the layers that make them are frozen.
    features: [Option<FeatureCache>; 2],
}

impl EpochLoop<'_> {
    fn run(&mut self, learner: &mut Learner<Trainee>, epoch: usize) -> Result<(), Stop> {
        let start = Instant::now();
        if epoch == self.starting_epoch && epoch > 1 {
            self.recall_features(learner, epoch);
        }
        self.strategy.counter.store(epoch, Ordering::Relaxed);
        self.strategy.device.seed(seed::mix(&[
            self.strategy.seed,
            DEVICE_STREAM,
            epoch as u64,
        ]));
        if learner.model().thaws_with(epoch) {
            // A learner gives no other way to its model than a step, here one without gradients; see `Trainee::optimize`.
            learner.optimizer_step(GradientsParams::new());
        }
        self.train_epoch(learner, epoch).map_err(Stop::Failed)?;
        let training_time = start.elapsed();
        self.check_stop()?;
        self.valid_epoch(learner, epoch);
        self.note(|processor| processor.flush());
        self.check_stop()?;
        let record = EpochRecord {
            epoch,
            learning_rate: learner.lr_current().base(),
            train: self.metrics(epoch, Split::Train),
            valid: self.metrics(epoch, Split::Valid),
        };
        check_metrics(&record, self.strategy.measure).map_err(Stop::Failed)?;
        let is_best = self.strategy.enter(&record, self.judged(learner));
        let samples_per_second = self.train.num_items() as f64 / training_time.as_secs_f64();
        let report = EpochReport {
            record,
            epochs: self.total_epochs,
            duration: start.elapsed(),
            samples_per_second,
            time_left: self.time_left(epoch),
            is_best,
        };
        self.write_lines(&report)
            .map_err(|error| Stop::Failed(error.into()))?;
        self.strategy.observer.epoch(&report);
        Ok(())
    }

    fn train_epoch(
        &mut self,
        learner: &mut Learner<Trainee>,
        epoch: usize,
    ) -> Result<(), TrainError> {
        let loader = self.train.clone();
        let start = start_of(epoch, loader.num_items());
        self.note(|processor| processor.process_train(start));
        let mut work_per_image = None;
        let fixed = self.strategy.training_is_fixed;
        let mut features = self.features_of(learner, 0, fixed, loader.num_items());
        let mut average = self.average.take();
        let mut broken = None;
        let interrupter = self.interrupter.clone();
        self.for_each_batch(loader, |processor, batch: Batch, progress, iteration| {
            let [images, channels, height, width] = batch.images.dims();
            let work_per_image = *work_per_image.get_or_insert_with(|| {
                let network = learner.model().network;
                network.work([channels, height, width]).forward
            });
            let item = kernels::in_pool(work_per_image * images, || {
                let batch = match &mut features {
                    Some(features) => features.complete(&learner.model().network, batch),
                    None => batch,
                };
                let output = learner.train_step(batch);
                learner.lr_step();
                if !is_finite(&output.item.loss) {
                    let network = learner.model().network;
                    broken = Some((iteration, divergence::largest(&network, &output.grads)));
                    return None;
                }
                learner.optimizer_step(output.grads);
                if let Some(average) = &mut average {
                    average.update(&learner.model().network);
                }
                Some(output.item)
            });
            let Some(item) = item else {
                interrupter.stop(None);
                return Ok(());
            };
            let rate = Some(learner.lr_current());
            let item = TrainingItem::new(item, progress, Some(iteration), rate);
            processor.process_train(LearnerEvent::ProcessedItem(item))
        });
        (self.features[0], self.average) = (features, average);
        if let Some((step, largest)) = broken {
            return Err(TrainError::NotFinite {
                part: "training",
                epoch,
                step: Some(step),
                learning_rate: learner.lr_current().base(),
                largest,
            });
        }
        self.note(|processor| processor.process_train(LearnerEvent::EndSplit(epoch)));
        Ok(())
    }

    /// Computes the features that a run which never stopped would have kept: from the batches of its first epoch, because in
    /// another company a sample's last bits may differ.
    fn recall_features(&mut self, learner: &Learner<Trainee>, epoch: usize) {
        let loader = self.train.clone();
        let fixed = self.strategy.training_is_fixed && !learner.model().thaws_with(epoch);
        let Some(mut features) = self.features_of(learner, 0, fixed, loader.num_items()) else {
            return;
        };
        self.strategy.counter.store(1, Ordering::Relaxed);
        let network = learner.model().network;
        for batch in loader.iter() {
            match batch {
                Ok(batch) => drop(features.complete(&network, batch)),
                Err(error) => return self.interrupter.fail(error),
            }
            // There is no room for them, or no time.
            if features.is_empty() || self.interrupter.should_stop() {
                return;
            }
        }
        self.features[0] = Some(features);
    }

    /// The kept features of a split, if those of its samples stay the same.
    fn features_of(
        &mut self,
        learner: &Learner<Trainee>,
        split: usize,
        samples_are_fixed: bool,
        samples: usize,
    ) -> Option<FeatureCache> {
        let kept = self.features[split].take();
        let fixed = samples_are_fixed && learner.model().network.has_fixed_features();
        fixed.then(|| kept.unwrap_or_else(|| FeatureCache::new(samples)))
    }

    /// The weights that are validated and kept, ready for inference.
    fn judged(&self, learner: &Learner<Trainee>) -> Network {
        match &self.average {
            Some(average) => average.network(),
            None => learner.model().network.valid(),
        }
    }

    fn valid_epoch(&mut self, learner: &Learner<Trainee>, epoch: usize) {
        let mut model = learner.model().valid();
        model.network = self.judged(learner);
        let loader = self.valid.clone();
        let start = start_of(epoch, loader.num_items());
        self.note(|processor| processor.process_valid(start));
        let mut features = self.features_of(learner, 1, true, loader.num_items());
        self.for_each_batch(loader, |processor, mut batch, progress, iteration| {
            if let Some(features) = &mut features {
                batch = features.complete(&model.network, batch);
            }
            let output = InferenceStep::step(&model, batch);
            let item = TrainingItem::new(output, progress, Some(iteration), None);
            processor.process_valid(LearnerEvent::ProcessedItem(item))
        });
        self.features[1] = features;
        self.note(|processor| processor.process_valid(LearnerEvent::EndSplit(epoch)));
        self.note(|processor| processor.process_train(LearnerEvent::EndEpoch(epoch)));
    }

    /// Hands the loader's batches to `step` until the epoch ends or something stops the run.
    fn for_each_batch(
        &mut self,
        loader: Arc<dyn DataLoader<Batch>>,
        mut step: impl FnMut(&mut Processor, Batch, Progress, usize) -> Result<(), EventProcessorError>,
    ) {
        let mut batches = loader.iter();
        let mut iteration = 0;
        while let Some(batch) = batches.next() {
            let batch = match batch {
                Ok(batch) => batch,
                Err(error) => return self.interrupter.fail(error),
            };
            iteration += 1;
            let progress = batches.progress();
            self.note(|processor| step(processor, batch, progress, iteration));
            if self.interrupter.should_stop() {
                return;
            }
        }
    }

    /// Passes an event on; a failure stops the run.
    fn note(&mut self, event: impl FnOnce(&mut Processor) -> Result<(), EventProcessorError>) {
        let result = event(&mut self.processor);
        self.interrupter.fail_on_error(result);
    }

    fn check_stop(&self) -> Result<(), Stop> {
        match (self.failure(), self.interrupter.should_stop()) {
            (Some(failure), _) => Err(Stop::Failed(failure)),
            (None, true) => Err(Stop::Interrupted),
            (None, false) => Ok(()),
        }
    }

    /// What has failed in another thread, if anything has.
    fn failure(&self) -> Option<TrainError> {
        let error = self.interrupter.error()?;
        // Burn would only say that something was not written.
        Some(match self.strategy.assembly.failure() {
            Some(failure) => failure.into(),
            None => TrainError::Stopped(error.to_string()),
        })
    }

    fn metrics(&self, epoch: usize, split: Split) -> Metrics {
        measures::file_names()
            .into_iter()
            .filter_map(|(inside, name, factor)| {
                let value = self
                    .store
                    .find_metric(&inside, epoch, Aggregate::Mean, &split)?;
                Some((name.to_string(), value * factor))
            })
            .collect()
    }

    fn time_left(&self, epoch: usize) -> Duration {
        let done = (epoch + 1 - self.starting_epoch) as u32;
        let left = (self.total_epochs - epoch) as u32;
        self.began.elapsed() / done * left
    }

    fn write_lines(&self, report: &EpochReport) -> Result<(), WriteError> {
        let run_dir = &self.strategy.run_dir;
        let timing = serde_json::json!({
            "epoch": report.record.epoch,
            "seconds": report.duration.as_secs_f64(),
            "samples_per_second": report.samples_per_second,
        });
        append_line(&run_dir.metrics_file(), &report.record)?;
        append_line(&run_dir.timing_file(), &timing)
    }
}

fn start_of<T>(epoch: usize, samples: usize) -> LearnerEvent<T> {
    LearnerEvent::StartSplit {
        epoch_number: epoch,
        total_items: samples,
    }
}

/// Whether a loss is a number. A device that fails says so at the next step.
fn is_finite(loss: &Tensor<1>) -> bool {
    let value = loss.clone().without_autodiff().try_into_scalar::<f64>();
    value.map_or(true, f64::is_finite)
}

fn append_line(path: &std::path::Path, value: &impl serde::Serialize) -> Result<(), WriteError> {
    let line = serde_json::to_vec(value).map_err(|error| WriteError::new(path, error.into()))?;
    files::append_line(path, &line)
}

fn check_metrics(record: &EpochRecord, measure: &str) -> Result<(), TrainError> {
    if !record.valid.contains_key(measure) {
        let problem = format!("the learner gave no validation {measure}");
        return Err(TrainError::Stopped(problem));
    }
    let bad = [("training", &record.train), ("validation", &record.valid)]
        .into_iter()
        .find(|(_, metrics)| metrics.values().any(|value| !value.is_finite()));
    match bad {
        None => Ok(()),
        Some((part, _)) => Err(TrainError::NotFinite {
            part,
            epoch: record.epoch,
            step: None,
            learning_rate: record.learning_rate,
            largest: None,
        }),
    }
}
