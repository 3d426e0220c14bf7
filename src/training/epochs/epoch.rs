//! One epoch: its batches through the learner, its metrics, its line in the files.
//!
//! Comes in: a learner and the number of the epoch. Goes out: the learner moved on and the epoch in the ledger, or why it was not
//! completed. The order of epochs, checkpoints and the end of a run are [`super::strategy`]'s business.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use burn::data::dataloader::{DataLoader, Progress};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::train::metric::store::{EventStoreClient, Split};
use burn::train::{
    EventProcessorError, EventProcessorTraining, InferenceStep, Interrupter, Learner, LearnerEvent,
    SupervisedTrainingEventProcessor, TrainLoader, TrainingItem, ValidLoader,
};

use super::features::FeatureCache;
use super::strategy::EpochStrategy;
use crate::error::FileError;
use crate::files;
use crate::kernels;
use crate::metrics::{EpochRecord, Metrics};
use crate::models::Network;
use crate::rng;
use crate::shape::ImageShape;
use crate::training::batch::Batch;
use crate::training::divergence;
use crate::training::error::TrainError;
use crate::training::monitor::metrics as epoch_metrics;
use crate::training::observer::EpochReport;
use crate::training::optimization::average::Average;
use crate::training::train_model::TrainModel;

/// Mixed into the seed of the device's random generator, so that dropout does not repeat other draws.
const DEVICE_STREAM: u64 = 3;

pub(super) type Processor = SupervisedTrainingEventProcessor<TrainModel>;

/// Why an epoch was not completed.
pub(super) enum Stop {
    Interrupted,
    Failed(TrainError),
}

/// The parts that every epoch needs.
pub(super) struct EpochLoop<'a> {
    pub(super) strategy: &'a EpochStrategy,
    pub(super) train: TrainLoader<TrainModel>,
    pub(super) valid: ValidLoader<TrainModel>,
    pub(super) interrupter: Interrupter,
    pub(super) store: Arc<EventStoreClient>,
    pub(super) processor: Processor,
    pub(super) total_epochs: usize,
    pub(super) began: Instant,
    pub(super) starting_epoch: usize,
    pub(super) average: Option<Average>,
    /// Of training and validation, while the layers that make them are frozen.
    pub(super) features: [Option<FeatureCache>; 2],
}

impl EpochLoop<'_> {
    /// Trains and validates an epoch.
    pub(super) fn run(
        &mut self,
        learner: &mut Learner<TrainModel>,
        epoch: usize,
    ) -> Result<(), Stop> {
        let start = Instant::now();
        if epoch == self.starting_epoch && epoch > 1 {
            self.recall_features(learner, epoch);
        }
        self.strategy.counter.store(epoch, Ordering::Relaxed);
        self.strategy
            .device
            .seed(rng::mix(&[self.strategy.seed, DEVICE_STREAM, epoch as u64]));
        if learner.model().thaws_with(epoch) {
            // A learner gives no other way to its model than a step, here one without gradients; see `TrainModel::optimize`.
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
        check_metrics(&record, self.strategy.ranking.name).map_err(Stop::Failed)?;
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
        learner: &mut Learner<TrainModel>,
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
                network
                    .work(ImageShape::new(channels, height, width))
                    .forward
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
    fn recall_features(&mut self, learner: &Learner<TrainModel>, epoch: usize) {
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
        learner: &Learner<TrainModel>,
        split: usize,
        samples_are_fixed: bool,
        samples: usize,
    ) -> Option<FeatureCache> {
        let kept = self.features[split].take();
        let fixed = samples_are_fixed && learner.model().network.has_fixed_features();
        fixed.then(|| kept.unwrap_or_else(|| FeatureCache::new(samples)))
    }

    /// The weights that are validated and kept, ready for inference.
    pub(super) fn judged(&self, learner: &Learner<TrainModel>) -> Network {
        match &self.average {
            Some(average) => average.network(),
            None => learner.model().network.valid(),
        }
    }

    fn valid_epoch(&mut self, learner: &Learner<TrainModel>, epoch: usize) {
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
    pub(super) fn failure(&self) -> Option<TrainError> {
        let error = self.interrupter.error()?;
        // Burn would only say that something was not written.
        Some(match self.strategy.assembly.failure() {
            Some(failure) => failure.into(),
            None => TrainError::Stopped(error.to_string()),
        })
    }

    fn metrics(&self, epoch: usize, split: Split) -> Metrics {
        epoch_metrics::of_epoch(&self.store, epoch, &split, self.strategy.outputs)
    }

    fn time_left(&self, epoch: usize) -> Duration {
        let done = (epoch + 1 - self.starting_epoch) as u32;
        let left = (self.total_epochs - epoch) as u32;
        self.began.elapsed() / done * left
    }

    fn write_lines(&self, report: &EpochReport) -> Result<(), FileError> {
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

fn append_line(path: &Path, value: &impl serde::Serialize) -> Result<(), FileError> {
    let line = serde_json::to_vec(value).map_err(|error| FileError::write(path, error.into()))?;
    files::append_line(path, &line)
}

fn check_metrics(record: &EpochRecord, metric: &str) -> Result<(), TrainError> {
    if !record.valid.contains_key(metric) {
        let problem = format!("the learner gave no validation {metric}");
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
