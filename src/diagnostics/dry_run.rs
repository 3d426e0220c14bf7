//! A dry run: what a run would do, found out with one batch and nothing written.
//!
//! Comes in: a [`Prepared`]. Goes out: a [`DryRun`] with the parameters, the first loss, and what memory and an epoch are likely
//! to take. The batch is a real one and goes forward, backward and through the optimizer, so that whatever would stop the
//! run's first step stops this.

use std::time::{Duration, Instant};

use burn::prelude::*;
use burn::train::{InferenceStep, Learner, TrainStep};

use super::bench;
use crate::config::OptimizerConfig;
use crate::kernels;
use crate::models::parameters::{self, Parameter};
use crate::shape::ImageShape;
use crate::training::TrainError;
use crate::training::prepare::Prepared;
use crate::training::{Batch, TrainModel};
use crate::training::{divergence, optimizer};

/// A weight is a 32-bit float.
const BYTES_PER_VALUE: u64 = 4;

/// What a dry run has found.
#[derive(Debug, Clone)]
pub struct DryRun {
    /// The network's tensors.
    pub parameters: Vec<Parameter>,
    /// Mean loss of the first batch.
    pub loss: f64,
    /// What memory the run is likely to take.
    pub memory: Memory,
    /// What an epoch is likely to take, validation included.
    pub epoch: Duration,
    /// Optimizer steps in an epoch.
    pub steps: usize,
}

/// Bytes, as far as they can be told.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Weights, gradients, the optimizer's state, the average and the weights that are kept.
    pub training: u64,
    /// Largest memory of this process so far, data and one batch included (Linux; 0 elsewhere).
    pub peak: u64,
}

/// One batch forward, backward and through the optimizer, twice: the second time is that of a step in the long run.
pub fn dry_run(prepared: &Prepared) -> Result<DryRun, TrainError> {
    let config = &prepared.experiment;
    let training = prepared.training_batches();
    let steps = training.loader.batches_per_epoch();
    let began = Instant::now();
    let batch = training.loader.batches(1).next().transpose()?;
    let reading = began.elapsed();
    let batch = batch.ok_or_else(|| TrainError::Mismatch("the data is empty".into()))?;
    let batch = training.upload(batch);
    let trainee =
        TrainModel::new(prepared.network.clone(), &config.loss).weighing(prepared.class_weights());
    let optimizer = optimizer::build(&config.optimizer);
    let mut learner = Learner::new(trainee, optimizer, config.optimizer.lr());
    let loss = step(&mut learner, batch.clone())?;
    let began = Instant::now();
    step(&mut learner, batch.clone())?;
    let stepping = began.elapsed();
    let began = Instant::now();
    let samples = batch.targets.dims()[0].max(1);
    validate(&learner, batch)?;
    let validating = began.elapsed().div_f64(samples as f64);
    // Batches are read while the one before trains.
    let training = stepping.max(reading) * u32::try_from(steps).unwrap_or(u32::MAX);
    let validation = validating.mul_f64(prepared.samples.valid as f64);
    Ok(DryRun {
        parameters: parameters::list(&prepared.network),
        loss,
        memory: memory(prepared),
        epoch: training + validation,
        steps,
    })
}

/// A training step, which must give a number; returns the mean loss.
fn step(learner: &mut Learner<TrainModel>, batch: Batch) -> Result<f64, TrainError> {
    let [images, channels, height, width] = batch.images.dims();
    let network = learner.model().network;
    let work = network
        .work(ImageShape::new(channels, height, width))
        .forward
        * images;
    kernels::in_pool(work, || {
        let output = TrainStep::step(&learner.model(), batch);
        learner.lr_step();
        let loss = read_back(output.item.loss)?;
        if !loss.is_finite() {
            return Err(TrainError::NotFinite {
                part: "training",
                epoch: 1,
                step: Some(1),
                learning_rate: learner.lr_current().base(),
                largest: divergence::largest(&network, &output.grads),
            });
        }
        learner.optimizer_step(output.grads);
        Ok(loss)
    })
}

fn validate(learner: &Learner<TrainModel>, batch: Batch) -> Result<(), TrainError> {
    let model = learner.model().valid();
    let batch = Batch {
        images: batch.images.without_autodiff(),
        targets: batch.targets,
        originals: batch.originals.map(Tensor::without_autodiff),
        ..batch
    };
    read_back(InferenceStep::step(&model, batch).loss).map(drop)
}

fn read_back(value: Tensor<1>) -> Result<f64, TrainError> {
    let value = value.without_autodiff().try_into_scalar::<f64>();
    value.map_err(|error| TrainError::Stopped(error.to_string()))
}

fn memory(prepared: &Prepared) -> Memory {
    let config = &prepared.experiment;
    let all: usize = parameters::list(&prepared.network)
        .iter()
        .map(Parameter::values)
        .sum();
    // The gradient, and what the optimizer remembers.
    let per_trained = 1 + match &config.optimizer {
        OptimizerConfig::Sgd(sgd) => u64::from(sgd.momentum > 0.0),
        OptimizerConfig::Adam(_) | OptimizerConfig::AdamW(_) => 2,
    };
    // The weights themselves, those that are kept, and the average.
    let per_value = 2 + u64::from(config.training.ema.is_some());
    let values = all as u64 * per_value + prepared.parameters as u64 * per_trained;
    Memory {
        training: values * BYTES_PER_VALUE,
        peak: bench::peak_mb() << 20,
    }
}
