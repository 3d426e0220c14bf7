//! A dry run: trains on one batch to find out what a run would do, and writes nothing.
//!
//! The batch is a real one and takes the same step as in training, so that whatever would stop the first step of the run stops
//! this.

use std::time::{Duration, Instant};

use burn::prelude::*;
use burn::train::InferenceStep;

use super::memory::peak_mb;
use crate::config::OptimizerConfig;
use crate::data::Split;
use crate::models::parameters::{self, Parameter};
use crate::training::divergence::{LossCheck, LossWatch};
use crate::training::step::TrainState;
use crate::training::{Batch, Prepared, TrainError};

/// Bytes of a weight: a 32-bit float.
const BYTES_PER_VALUE: u64 = 4;

/// The result of a dry run.
#[derive(Debug, Clone)]
pub struct DryRun {
    /// The network's tensors.
    pub parameters: Vec<Parameter>,
    /// Mean loss per sample of the first batch.
    pub loss: f64,
    /// Estimated memory of the run.
    pub memory: Memory,
    /// Estimated time of an epoch, validation included.
    pub epoch: Duration,
    /// Optimizer steps in an epoch.
    pub steps: usize,
}

/// Memory in bytes, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Weights, gradients, the optimizer's state, the running average and the kept weights.
    pub training: u64,
    /// Largest memory of this process so far, data and one batch included (Linux; 0 elsewhere).
    pub peak: u64,
}

/// Trains on one batch, twice: the second step takes as long as those of a run.
///
/// # Errors
/// As those of the run's first step.
pub fn dry_run(prepared: &Prepared) -> Result<DryRun, TrainError> {
    let batches = prepared.batches(Split::Train);
    let steps = batches.loader.batches_per_epoch();
    let began = Instant::now();
    let batch = batches.epoch(1).next().transpose()?;
    let reading = began.elapsed();
    let batch = batch.ok_or_else(|| TrainError::Mismatch("the data is empty".into()))?;
    let mut state = prepared.train_state();
    let loss = step(&mut state, batch.clone())?;
    let began = Instant::now();
    step(&mut state, batch.clone())?;
    let stepping = began.elapsed();
    let began = Instant::now();
    let samples = batch.indices.len().max(1);
    validate(&state, batch)?;
    let validating = began.elapsed().div_f64(samples as f64);
    // The next batch is read during a step.
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

/// One training step; returns the mean loss per sample, which is finite.
fn step(state: &mut TrainState, batch: Batch) -> Result<f64, TrainError> {
    let mut losses = LossWatch::new(LossCheck::Every(1));
    let output = state.step(batch, None, &mut losses);
    let output = output.map_err(|divergence| TrainError::diverged(1, divergence))?;
    read_back(output.loss)
}

fn validate(state: &TrainState, batch: Batch) -> Result<(), TrainError> {
    let model = state.model().valid();
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
    // The gradient, and the optimizer's state.
    let per_trained = 1 + match &config.optimizer {
        OptimizerConfig::Sgd(sgd) => u64::from(sgd.momentum > 0.0),
        OptimizerConfig::Adam(_) | OptimizerConfig::AdamW(_) => 2,
    };
    // The weights themselves, those that are kept, and the average.
    let per_value = 2 + u64::from(config.training.ema.is_some());
    let values = all as u64 * per_value + prepared.parameters as u64 * per_trained;
    Memory {
        training: values * BYTES_PER_VALUE,
        peak: peak_mb() << 20,
    }
}
