//! A step of a group, against gradients that are added up here.

use std::sync::Arc;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;
use kiln::config::{self, Experiment, ParallelConfig};
use kiln::data::Split;
use kiln::models::Network;
use kiln::parallel::{Group, Moment};
use kiln::progress::Monitor;
use kiln::training::divergence::{LossCheck, LossWatch};
use kiln::training::{Prepared, TrainModel, prepare};
use serde_json::{Value, json};

use crate::threads::{members, on_all};

/// All values of a network, or all of its gradients, one after the other.
#[derive(Default)]
struct Flat {
    gradients: Option<GradientsParams>,
    values: Vec<f32>,
}

impl ModuleVisitor for Flat {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = match &self.gradients {
            None => param.val().without_autodiff(),
            Some(gradients) => gradients.get::<D>(param.id).expect("a gradient"),
        };
        self.values.extend(tensor.into_data().iter::<f32>());
    }
}

fn weights(network: &Network) -> Vec<f32> {
    let mut flat = Flat::default();
    network.visit(&mut flat);
    flat.values
}

fn gradients(model: &TrainModel, objective: Tensor<1>) -> Vec<f32> {
    let gradients = GradientsParams::from_grads(objective.backward(), model);
    let mut flat = Flat {
        gradients: Some(gradients),
        values: Vec::new(),
    };
    model.network.visit(&mut flat);
    flat.values
}

/// A perceptron under plain gradient descent, so that a step is `w - rate * gradient`.
fn experiment(reduction: &str) -> Experiment {
    let config: Value = json!({
        "data": {"kind": "glyphs", "size": 16, "train": 72, "valid": 36, "test": 36},
        "model": {"kind": "mlp", "hidden": [8], "activation": "relu"},
        "loss": {"reduction": reduction},
        "optimizer": {"kind": "sgd", "lr": 0.0078125, "momentum": 0.0},
        "training": {"epochs": 1, "batch_size": 71},
    });
    let path = std::path::Path::new("config.json");
    config::parse(&config.to_string(), path, &[]).expect("a config")
}

/// The weights after a step of `group`, on its share of batch `number` of the first epoch.
fn after_a_step(prepared: &Prepared, group: &Arc<dyn Group>, number: usize) -> Vec<f32> {
    let batches = prepared.batches(Split::Train).shared_by(&**group);
    let parallel = ParallelConfig::default();
    let mut state = prepared.train_state().within(group, &batches, &parallel);
    let share = batches.shares(1).nth(number).expect("a batch");
    let mut losses = LossWatch::new(LossCheck::Every(1));
    let moment = Moment::Step { epoch: 1, step: 1 };
    let stepped = state.step_together(share.unwrap(), None, &mut losses, moment, &|| false);
    assert!(!stepped.expect("a finite loss").ends);
    weights(&state.model().network)
}

#[test]
fn a_step_of_a_group_is_one_on_the_gradients_of_its_shares_added_in_the_order_of_ranks() {
    for reduction in ["mean", "sum"] {
        let prepared = prepare(experiment(reduction), &Monitor::default()).expect("prepared");
        // Uneven shares of 71 samples, and a batch of one sample, which most ranks have no share of.
        for (size, number) in [(2, 0), (3, 0), (3, 1)] {
            let state = prepared.train_state();
            let (mut total, mut samples) = (vec![0.0f32; 0], 0.0f32);
            for group in members(size) {
                let batches = prepared.batches(Split::Train).shared_by(&*group);
                let share = batches.shares(1).nth(number).expect("a batch").unwrap();
                let Some(share) = share else { continue };
                let count = share.indices.len() as f32;
                let (objective, _) = state.model().objective(share);
                let mine = gradients(state.model(), objective);
                let scale = if reduction == "mean" { count } else { 1.0 };
                total.resize(mine.len(), 0.0);
                let sums = total.iter_mut().zip(mine);
                sums.for_each(|(sum, value)| *sum += value * scale);
                samples += count;
            }
            let mean = (1.0 / f64::from(samples)) as f32;
            let factor = if reduction == "mean" { mean } else { 1.0 };
            let before = weights(&state.model().network);
            let pairs = before.iter().zip(&total);
            let expected: Vec<f32> = pairs
                .map(|(weight, sum)| weight - sum * factor * 0.007_812_5)
                .collect();
            assert_ne!(before, expected);
            let found = on_all(size, |group| after_a_step(&prepared, &group, number));
            for (rank, found) in found.iter().enumerate() {
                assert!(*found == expected, "{reduction}, rank {rank} of {size}");
            }
        }
    }
}
