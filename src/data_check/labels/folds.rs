//! The models of k folds: each answers for the samples that it has not learned from.

use std::sync::Arc;

use burn::prelude::*;
use burn::tensor::activation::softmax;
use rand::seq::SliceRandom;

use super::features::Inputs;
use super::fold_source::FoldSource;
use crate::config::{AdamConfig, CosineConfig, LossConfig, OptimizerConfig, ScheduleConfig};
use crate::data::loader::{Loader, Order};
use crate::data::{DataSource, Split};
use crate::data_check::error::CheckError;
use crate::models::{Network, Task};
use crate::progress::{Monitor, Stage};
use crate::rng;
use crate::training::divergence::{LossCheck, LossWatch};
use crate::training::schedule::EpochSchedule;
use crate::training::step::{TrainState, Workload};
use crate::training::{DeviceBatches, TrainError, TrainModel, optimizer};

/// Folds: each model learns from four fifths, and five models take minutes.
pub const FOLDS: usize = 5;

/// Multiply-adds that all folds may take for training, which is a few minutes of two cores.
const BUDGET: u64 = 6_000_000_000_000;

/// Minimum and maximum number of epochs of a fold, whatever the budget.
const EPOCHS: std::ops::RangeInclusive<u64> = 3..=30;

/// Samples of a step, and its learning rate: what `configs/` use for networks of this size.
const BATCH: usize = 32;
const LEARNING_RATE: f64 = 1e-3;

/// Seed component of the division.
const DIVISION: u64 = 4;

/// Trains a model for each fold, and returns the probabilities `[samples][classes]` that it gives to what it has not seen.
/// `groups` holds samples together that are one image.
pub fn probabilities(
    inputs: &Inputs,
    groups: &[usize],
    seed: u64,
    device: &Device,
    monitor: &Monitor,
) -> Result<Vec<Vec<f32>>, CheckError> {
    let folds = divide(inputs.source.as_ref(), groups, seed);
    let samples = inputs.source.len(Split::Train);
    let epochs = epochs(inputs, device);
    let stage = monitor.stage(
        "checking labels in folds",
        Some(samples * (FOLDS - 1) * epochs),
    );
    let mut rows = vec![Vec::new(); samples];
    for fold in 0..FOLDS {
        let of_fold = |held: bool| {
            let all = folds.iter().enumerate();
            all.filter(move |(_, of)| (**of == fold) == held)
                .map(|(index, _)| index)
                .collect::<Vec<usize>>()
        };
        let source = FoldSource {
            source: inputs.source.clone(),
            train: of_fold(false),
            held_out: of_fold(true),
        };
        if source.train.is_empty() || source.held_out.is_empty() {
            continue;
        }
        let held_out = source.held_out.clone();
        let seed = rng::mix(&[seed, fold as u64]);
        let fit = FoldFit {
            inputs,
            source: Arc::new(source),
            seed,
            epochs,
            device,
            monitor,
        };
        let answers = fit.answers(&stage)?;
        for (index, row) in held_out.into_iter().zip(answers) {
            rows[index] = row;
        }
    }
    Ok(rows)
}

/// The fold of each sample: classes are spread evenly, and samples of a group are in one fold.
fn divide(source: &dyn DataSource, groups: &[usize], seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.shuffle(&mut rng::seeded(&[seed, DIVISION]));
    let mut next = vec![0usize; source.classes().len()];
    let mut of_group = std::collections::HashMap::new();
    let mut folds = vec![0; groups.len()];
    for index in order {
        let label = source.label(Split::Train, index);
        let fold = *of_group.entry(groups[index]).or_insert_with(|| {
            next[label] += 1;
            // Classes begin at different folds, or the first would be the largest.
            (next[label] + label) % FOLDS
        });
        folds[index] = fold;
    }
    folds
}

/// The epochs that the budget allows.
fn epochs(inputs: &Inputs, device: &Device) -> usize {
    let shape = inputs.source.shape();
    let classes = inputs.source.classes().len();
    let work = Network::new(&inputs.model, shape, classes, device).work(shape);
    let sample = (work.forward + work.backward).max(1) as u64;
    let epoch = sample.saturating_mul((inputs.source.len(Split::Train) * (FOLDS - 1)) as u64);
    (BUDGET / epoch.max(1)).clamp(*EPOCHS.start(), *EPOCHS.end()) as usize
}

/// The training of one fold.
struct FoldFit<'a> {
    inputs: &'a Inputs,
    source: Arc<FoldSource>,
    seed: u64,
    epochs: usize,
    device: &'a Device,
    monitor: &'a Monitor,
}

impl FoldFit<'_> {
    /// Probabilities of the samples that are held out, in order.
    fn answers(&self, stage: &Stage) -> Result<Vec<Vec<f32>>, CheckError> {
        let network = self.trained(stage)?;
        let batches = self.batches(Split::Valid, self.device.clone());
        let workload = Workload::new(&network, self.source.shape()).on(self.device);
        let mut rows = Vec::new();
        for batch in batches.epoch(0) {
            let batch = batch?;
            let count = batch.indices.len();
            let output = workload.run(count, || {
                softmax(network.forward(batch.images), 1).try_into_data()
            });
            let output = output.map_err(|error| TrainError::Stopped(error.to_string()))?;
            let values: Vec<f32> = output.iter::<f32>().collect();
            rows.extend(
                values
                    .chunks(values.len() / count.max(1))
                    .map(<[f32]>::to_vec),
            );
        }
        Ok(rows)
    }

    fn trained(&self, stage: &Stage) -> Result<Network, CheckError> {
        let device = self.device.clone().autodiff();
        device.seed(self.seed);
        let shape = self.source.shape();
        let classes = self.source.classes().len();
        let network = Network::new(&self.inputs.model, shape, classes, &device);
        let batches = self.batches(Split::Train, device.clone());
        let schedule = EpochSchedule::new(
            &ScheduleConfig::Cosine(CosineConfig {
                warmup: 0.0,
                final_factor: 0.0,
            }),
            LEARNING_RATE,
            self.epochs,
            batches.loader.batches_per_epoch(),
        );
        let mut state = TrainState::new(
            TrainModel::new(network, &LossConfig::default()),
            optimizer::build(&OptimizerConfig::Adam(AdamConfig::default())),
            schedule,
            shape,
            &device,
        );
        for epoch in 1..=self.epochs {
            let mut losses = LossWatch::new(LossCheck::Every(1));
            for batch in batches.epoch(epoch) {
                let batch = batch?;
                let count = batch.indices.len();
                let stepped = state.step(batch, None, &mut losses);
                stepped.map_err(|divergence| TrainError::diverged(epoch, divergence))?;
                stage.advance(count)?;
            }
        }
        Ok(state.weights_to_keep())
    }

    fn batches(&self, split: Split, device: Device) -> DeviceBatches {
        let is_training = split == Split::Train;
        let order = if is_training {
            Order::EachEpoch
        } else {
            Order::Stored
        };
        let loader = Loader {
            order,
            augment: self.inputs.augment.clone().filter(|_| is_training),
            seed: self.seed,
            cancel: self.monitor.cancel().clone(),
            ..Loader::plain(self.source.clone(), split, BATCH)
        };
        let normalize = self.inputs.normalize.clone();
        DeviceBatches::new(loader, normalize, device, Task::Classify)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::MemorySource;
    use crate::shape::ImageShape;

    #[test]
    fn folds_have_as_many_of_each_class_and_keep_groups_together() {
        let shape = ImageShape::new(1, 1, 1);
        let classes = vec!["a".into(), "b".into()];
        let mut source = MemorySource::new(shape, classes);
        let labels: Vec<usize> = (0..100).map(|index| index % 2).collect();
        source.extend(Split::Train, &labels, &[0; 100]);
        // Samples 0 and 1 are one image.
        let mut groups: Vec<usize> = (0..100).collect();
        groups[1] = 0;
        let folds = divide(&source, &groups, 7);
        assert_eq!(folds[0], folds[1]);
        for fold in 0..FOLDS {
            for class in 0..2 {
                let members = folds.iter().zip(&labels);
                let count = members.filter(|(f, l)| **f == fold && **l == class).count();
                assert!((9..=11).contains(&count), "{count} of {class} in {fold}");
            }
        }
        assert_eq!(folds, divide(&source, &groups, 7));
    }
}
