//! The training loop: epochs of training and validation, a line of metrics and a checkpoint after each.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use burn::prelude::*;
use burn::train::InferenceStep;
use serde::Serialize;

use super::events::{Events, Part, Position};
use super::history::History;
use super::profile::{Phase, Profile, timed};
use crate::config::TrainingConfig;
use crate::data::DataError;
use crate::error::FileError;
use crate::files;
use crate::kernels::ComputePrecision;
use crate::metrics::{EpochRecord, Metric, Metrics, Outputs};
use crate::models::Network;
use crate::parallel::{Group, Moment};
use crate::rng;
use crate::run_dir::{RunDir, Status};
use crate::training::batch::DeviceBatches;
use crate::training::checkpoint::{CheckpointWriter, Parts};
use crate::training::divergence::{LossCheck, LossWatch};
use crate::training::error::TrainError;
use crate::training::features::{FeatureCache, Layers, MAX_TRAIN_BYTES, MAX_VALID_BYTES, Memory};
use crate::training::observer::{EpochReport, Observer};
use crate::training::optimization::average::Average;
use crate::training::param_groups::Unfreeze;
use crate::training::ranks::{self, Stop};
use crate::training::step::{Stepped, TrainState};

/// Mixed into the seed of the device's random generator, so that dropout does not repeat other draws.
const DEVICE_STREAM: u64 = 3;

/// What a run decides about its loop.
#[derive(Debug, Clone)]
pub struct LoopConfig {
    /// Where to train.
    pub device: Device,
    /// Seed of the run.
    pub seed: u64,
    /// Epochs, early stopping and which weights to keep.
    pub training: TrainingConfig,
    /// The validation metric that decides which epoch is the best.
    pub ranking_metric: &'static Metric,
    /// The outputs of the network, which decide on the metrics.
    pub outputs: Outputs,
    /// How often the loss is checked.
    pub loss_check: LossCheck,
    /// Where features of frozen layers are kept.
    pub feature_memory: Memory,
    /// Frozen parameters that are unfrozen at the start of an epoch.
    pub unfreezes: Vec<Unfreeze>,
    /// Whether every epoch sees the same values of each training sample.
    pub training_is_fixed: bool,
    /// The network's layers.
    pub layers: Layers,
    /// Counts where time goes.
    pub profile: Option<Profile>,
}

/// Trains epoch by epoch.
pub struct TrainingLoop {
    /// See [`LoopConfig`].
    pub config: LoopConfig,
    /// The processes that train together; all but rank 0 write nothing.
    pub group: Arc<dyn Group>,
    /// What the steps change.
    pub state: TrainState,
    /// Training batches.
    pub train: DeviceBatches,
    /// Validation batches.
    pub valid: DeviceBatches,
    /// Filled epoch by epoch; shared, so that it outlives a panic in Burn.
    pub history: Arc<Mutex<History>>,
    /// Writes the checkpoints.
    pub checkpoints: CheckpointWriter,
    /// Where the lines of metrics go.
    pub run_dir: RunDir,
    /// Called after every epoch.
    pub observer: Arc<dyn Observer>,
    /// Features of the training and of the validation samples, while the layers that compute them are frozen.
    pub features: [Option<FeatureCache>; 2],
}

impl TrainingLoop {
    /// Trains from an epoch (counted from 1) to the last, and puts into the history how the run ended.
    pub fn run(&mut self, first: usize, events: &mut Events) {
        let ended = self.epochs(first, events);
        let written = self.checkpoints.finish();
        let kept = self.state.weights_to_keep();
        let mut history = self.history();
        history.kept.get_or_insert((0, kept));
        match ended {
            Ok(status) => {
                history.status = Some(status);
                let written = written.err().map(TrainError::from);
                history.failure = written.or_else(|| events.failure());
            }
            Err(failure) => history.failure = Some(failure),
        }
    }

    fn epochs(&mut self, first: usize, events: &mut Events) -> Result<Status, TrainError> {
        let last = self.config.training.epochs;
        let clock = Clock {
            began: Instant::now(),
            first,
            last,
        };
        for epoch in first..=last {
            // Before the epoch: a resumed run may have waited long enough already.
            if self.patience_is_over(epoch - 1) {
                return Ok(Status::StoppedEarly);
            }
            if epoch == first {
                let refilled = self.refill_features(epoch, events);
                ranks::agree_or_fail(&*self.group, Moment::Epoch(epoch), refilled)?;
            }
            match self.epoch(epoch, events, &clock) {
                Ok(()) => {}
                Err(Stop::Interrupted) => return Ok(Status::Interrupted),
                Err(Stop::Failed(error)) => return Err(error),
            }
        }
        Ok(if self.patience_is_over(last) {
            Status::StoppedEarly
        } else {
            Status::Finished
        })
    }

    /// Trains and validates one epoch, and records it.
    fn epoch(&mut self, epoch: usize, events: &mut Events, clock: &Clock) -> Result<(), Stop> {
        let began = Instant::now();
        self.config.device.seed(self.device_seed(epoch));
        for unfreeze in self.config.unfreezes.iter().filter(|u| u.epoch == epoch) {
            self.state.unfreeze(&unfreeze.group);
        }
        let trained = self.train(epoch, events);
        let training_time = began.elapsed();
        let trained = self.unless_stopped(epoch, trained, events)?;
        self.state.average_statistics(&*self.group, epoch);
        ranks::same_weights(&*self.group, epoch, &self.state.model().network)?;
        let profile = self.config.profile.clone();
        let validated = timed(profile.as_ref(), Phase::Validation, || {
            self.validate(epoch, events)
        });
        if validated.is_ok() {
            events.end_epoch(epoch);
        }
        let validated = self.unless_stopped(epoch, validated, events)?;
        let record = EpochRecord {
            epoch,
            learning_rate: self.state.learning_rate(),
            train: self.metrics(Part::Train, epoch, trained, events),
            valid: self.metrics(Part::Valid, epoch, validated, events),
        };
        let is_best = self.record(&record)?;
        let report = EpochReport {
            record,
            epochs: self.config.training.epochs,
            duration: began.elapsed(),
            samples_per_second: self.train.samples() as f64 / training_time.as_secs_f64(),
            time_left: clock.time_left(epoch),
            is_best,
        };
        let written = self.write_lines(&report).map_err(Stop::from);
        ranks::agree(&*self.group, Moment::Epoch(epoch), written)?;
        self.observer.epoch(&report);
        for warning in self.train.loader.source.warnings() {
            self.observer.warning(&warning);
        }
        self.write_checkpoint();
        if let Some(profile) = profile {
            profile.end_epoch(began.elapsed(), trained);
        }
        Ok(())
    }

    /// Seeds dropout, which every rank draws for samples of its own.
    fn device_seed(&self, epoch: usize) -> u64 {
        let parts = [
            self.config.seed,
            DEVICE_STREAM,
            epoch as u64,
            self.group.rank() as u64,
        ];
        let parts = if self.group.rank() == 0 {
            &parts[..3]
        } else {
            &parts
        };
        rng::mix(parts)
    }

    /// The result of a part of an epoch, unless the run is to stop, on this rank or another.
    fn unless_stopped<T>(
        &self,
        epoch: usize,
        part: Result<T, Stop>,
        events: &Events,
    ) -> Result<T, Stop> {
        let part = part.and_then(|done| self.check_stop(events).map(|()| done));
        ranks::agree(&*self.group, Moment::Epoch(epoch), part)
    }

    /// The metrics of a part of an epoch, over the samples of all ranks; this one had `samples`.
    fn metrics(&self, part: Part, epoch: usize, samples: usize, events: &Events) -> Metrics {
        let metrics = events.metrics(part, epoch, self.config.outputs);
        ranks::totals(&*self.group, Moment::Epoch(epoch), samples, metrics)
    }

    /// Trains for an epoch; returns the number of this rank's samples.
    fn train(&mut self, epoch: usize, events: &mut Events) -> Result<usize, Stop> {
        let total = self.train.samples();
        events.begin(Part::Train, epoch, total);
        let mut features = self.features_of(Part::Train);
        let mut losses = LossWatch::new(self.config.loss_check);
        let diverged = |divergence| TrainError::diverged(epoch, divergence);
        let mut samples = 0;
        for (step, share) in (1..).zip(until_cancelled(self.train.shares(epoch))) {
            let (share, failure) = match share {
                Ok(share) => (share, None),
                Err(error) => (None, Some(error)),
            };
            samples += share.as_ref().map_or(0, |share| share.indices.len());
            let ends =
                || failure.is_some() || events.should_stop() || self.checkpoints.has_failed();
            let (state, moment) = (&mut self.state, Moment::Step { epoch, step });
            let stepped = state.step_together(share, features.as_mut(), &mut losses, moment, &ends);
            let Stepped { output, ends } = stepped.map_err(diverged)?;
            if let Some(error) = failure {
                return Err(error.into());
            }
            let position = Position::after(step, &self.train, total);
            if let Some(output) = output {
                timed(self.config.profile.as_ref(), Phase::Metrics, || {
                    events.step(Part::Train, output, position, Some(self.state.rates()));
                });
            }
            if ends {
                break;
            }
        }
        losses.finish().map_err(diverged)?;
        self.features[Part::Train as usize] = features;
        events.end(Part::Train, epoch);
        Ok(samples)
    }

    /// Validates after an epoch; returns the number of this rank's samples.
    fn validate(&mut self, epoch: usize, events: &mut Events) -> Result<usize, Stop> {
        let total = self.valid.samples();
        events.begin(Part::Valid, epoch, total);
        let mut model = self.state.model().valid();
        model.network = self.state.weights_to_keep();
        let mut features = self.features_of(Part::Valid);
        let mut samples = 0;
        for (step, share) in (1..).zip(until_cancelled(self.valid.shares(epoch))) {
            let Some(mut batch) = share? else {
                continue;
            };
            samples += batch.indices.len();
            if let Some(features) = &mut features {
                batch = features.complete(&model.network, batch);
            }
            let output = InferenceStep::step(&model, batch);
            let position = Position::after(step, &self.valid, total);
            events.step(Part::Valid, output, position, None);
            if events.should_stop() || self.checkpoints.has_failed() {
                break;
            }
        }
        self.features[Part::Valid as usize] = features;
        events.end(Part::Valid, epoch);
        Ok(samples)
    }

    /// The features of a part, while the layers that compute them are frozen.
    fn features_of(&mut self, part: Part) -> Option<FeatureCache> {
        let cached = self.features[part as usize].take();
        let network = &self.state.model().network;
        if cached.is_some() && network.has_fixed_features() {
            return cached;
        }
        let (batches, max_bytes) = match part {
            Part::Train if !self.config.training_is_fixed => (&self.train, None),
            Part::Train => (&self.train, Some(MAX_TRAIN_BYTES)),
            Part::Valid => (&self.valid, Some(MAX_VALID_BYTES)),
        };
        let precision = match part {
            Part::Train => self.config.training.precision.into(),
            Part::Valid => ComputePrecision::F32,
        };
        let config = &self.config;
        FeatureCache::of(
            network,
            &config.layers,
            &config.device,
            batches.samples(),
            max_bytes,
            config.feature_memory,
            precision,
        )
    }

    /// Computes the features that a run which never stopped would have cached: from the batches of epoch 1, because in another
    /// batch the last bits of a sample's features may differ.
    fn refill_features(&mut self, epoch: usize, events: &Events) -> Result<(), TrainError> {
        let unfreezes_now = self.config.unfreezes.iter().any(|u| u.epoch == epoch);
        if epoch == 1 || unfreezes_now {
            return Ok(());
        }
        let Some(mut features) = self.features_of(Part::Train) else {
            return Ok(());
        };
        if features.is_independent_of_batches() {
            return Ok(());
        }
        for batch in until_cancelled(self.train.epoch(1)) {
            drop(features.complete(&self.state.model().network, batch?));
            // There is not enough room for them, or the run is being stopped.
            if features.is_empty() || events.should_stop() {
                return Ok(());
            }
        }
        self.features[Part::Train as usize] = Some(features);
        Ok(())
    }

    /// Adds an epoch to the history; true if it is the best so far.
    fn record(&mut self, record: &EpochRecord) -> Result<bool, TrainError> {
        let metric = self.config.ranking_metric;
        let Some(&value) = record.valid.get(metric.name) else {
            let problem = format!("the validation {} is missing", metric.name);
            return Err(TrainError::Stopped(problem));
        };
        let parts = [("training", &record.train), ("validation", &record.valid)];
        let bad = parts
            .into_iter()
            .find(|(_, metrics)| metrics.values().any(|value| !value.is_finite()));
        if let Some((part, _)) = bad {
            return Err(TrainError::NotFinite {
                part,
                epoch: record.epoch,
                step: None,
                learning_rate: record.learning_rate,
                largest: None,
            });
        }
        let weights = self.state.weights_to_keep();
        let mut history = self.history();
        Ok(history.add(record, metric.merit(value), weights, &self.config.training))
    }

    fn write_lines(&self, report: &EpochReport) -> Result<(), FileError> {
        if !self.group.writes() {
            return Ok(());
        }
        let timing = serde_json::json!({
            "epoch": report.record.epoch,
            "seconds": report.duration.as_secs_f64(),
            "samples_per_second": report.samples_per_second,
        });
        append_json(&self.run_dir.metrics_file(), &report.record)?;
        append_json(&self.run_dir.timing_file(), &timing)
    }

    /// Hands the state after an epoch to the thread that writes it.
    fn write_checkpoint(&mut self) {
        if !self.group.writes() {
            return;
        }
        let (model, optimizer, schedule) = self.state.records();
        let average = self.state.average();
        let history = self.history();
        let parts = Parts {
            model,
            optimizer,
            schedule,
            average: average.map(|average| average.network().into_record()),
            kept: history.kept_earlier().map(Network::into_record),
        };
        let progress = history.progress(average.map_or(0, Average::steps));
        drop(history);
        self.checkpoints.write(progress, parts);
    }

    fn check_stop(&self, events: &Events) -> Result<(), Stop> {
        if let Some(error) = self.checkpoints.failure() {
            return Err(Stop::Failed(error.into()));
        }
        if let Some(failure) = events.failure() {
            return Err(Stop::Failed(failure));
        }
        if events.should_stop() {
            return Err(Stop::Interrupted);
        }
        Ok(())
    }

    fn patience_is_over(&self, epoch: usize) -> bool {
        let config = self.config.training.early_stopping.as_ref();
        self.history().patience_is_over(epoch, config)
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The batches of an epoch, or those until the run is cancelled; whoever takes them asks [`Events::should_stop`] afterwards.
fn until_cancelled<B>(
    batches: impl Iterator<Item = Result<B, DataError>>,
) -> impl Iterator<Item = Result<B, DataError>> {
    batches.take_while(|batch| !matches!(batch, Err(DataError::Cancelled(_))))
}

/// Estimates how long the rest of a run takes.
struct Clock {
    began: Instant,
    /// The epoch that the clock started with.
    first: usize,
    /// The last epoch of the run.
    last: usize,
}

impl Clock {
    /// Time until the last epoch ends, at the end of an epoch.
    fn time_left(&self, epoch: usize) -> Duration {
        let done = (epoch + 1 - self.first) as f64;
        let left = (self.last - epoch) as f64;
        self.began.elapsed().mul_f64(left / done)
    }
}

fn append_json(path: &Path, value: &impl Serialize) -> Result<(), FileError> {
    let line = serde_json::to_vec(value).map_err(|error| FileError::io(path, error.into()))?;
    files::append_line(path, &line)
}
