//! Optimizers and schedules, against PyTorch and hand calculations.

use burn::module::{Module, Param};
use burn::prelude::*;
use kiln::config::{
    AdamConfig, CosineConfig, OptimizerConfig, ScheduleConfig, SgdConfig, StepConfig,
};
use kiln::training::optimizer;
use kiln::training::schedule::learning_rate;
use proptest::prelude::*;

use super::{alone, close, device, values};

// ---- Optimizers ----

/// Five steps on `sum(w^2 * [1, 3])` from `[1, -2]`.
fn five_steps(config: OptimizerConfig) -> Vec<f32> {
    let _turn = alone();
    let device = device();
    #[derive(Module, Debug)]
    struct Weights {
        w: Param<Tensor<1>>,
    }
    let mut weights = Weights {
        w: Param::from_tensor(Tensor::from_floats([1.0, -2.0], &device)),
    };
    let mut optimizer = optimizer::build(&config);
    for _ in 0..5 {
        let w = weights.w.val();
        let loss = (w.clone() * w * Tensor::from_floats([1.0, 3.0], &device)).sum();
        let grads = burn::optim::GradientsParams::from_grads(loss.backward(), &weights);
        weights = optimizer.step(config.lr(), weights, grads);
    }
    values(weights.w.val())
}

#[test]
fn sgd_with_momentum_and_weight_decay_is_that_of_pytorch() {
    let found = five_steps(OptimizerConfig::Sgd(SgdConfig {
        lr: 0.02,
        momentum: 0.9,
        weight_decay: 0.1,
        clip_norm: None,
    }));
    close(&found, &SGD, 1e-5);
}

#[test]
fn adam_with_weight_decay_is_that_of_pytorch() {
    let found = five_steps(OptimizerConfig::Adam(AdamConfig {
        lr: 0.1,
        weight_decay: 0.1,
        ..AdamConfig::default()
    }));
    close(&found, &ADAM, 1e-5);
}

#[test]
fn adam_w_is_that_of_pytorch() {
    let found = five_steps(OptimizerConfig::AdamW(AdamConfig {
        lr: 0.1,
        weight_decay: 0.1,
        ..AdamConfig::default()
    }));
    close(&found, &ADAM_W, 1e-5);
}

#[test]
fn clipping_bounds_the_norm_of_a_step() {
    let found = five_steps(OptimizerConfig::Sgd(SgdConfig {
        lr: 0.1,
        clip_norm: Some(1.0),
        ..SgdConfig::default()
    }));
    // Each step has length at most 0.1, and the first gradients are longer than 1.
    let moved = ((found[0] - 1.0).powi(2) + (found[1] + 2.0).powi(2)).sqrt();
    assert!(moved <= 0.5 + 1e-6 && moved > 0.49, "moved {moved}");
}

// torch.optim in float64 on the same function (torch 2.15).
const SGD: [f32; 2] = [0.500_767_9, 0.373_606_8];

const ADAM: [f32; 2] = [0.507_963_66, -1.502_955_8];

const ADAM_W: [f32; 2] = [0.469_952_64, -1.415_566_4];

// ---- Schedules ----

fn rates(schedule: &ScheduleConfig, epochs: usize, steps: usize, at: &[usize]) -> Vec<f32> {
    at.iter()
        .map(|&step| learning_rate(schedule, 0.8, epochs, steps, step) as f32)
        .collect()
}

#[test]
fn a_constant_rate_stays() {
    assert_eq!(
        rates(&ScheduleConfig::default(), 5, 10, &[0, 7, 49]),
        [0.8; 3]
    );
}

#[test]
fn a_step_schedule_halves_after_every_so_many_epochs() {
    let schedule = ScheduleConfig::Step(StepConfig {
        every: 2,
        gamma: 0.5,
    });
    // Ten steps an epoch: epochs 1 and 2 at 0.8, 3 and 4 at 0.4, 5 at 0.2.
    close(
        &rates(&schedule, 5, 10, &[0, 19, 20, 39, 40]),
        &[0.8, 0.8, 0.4, 0.4, 0.2],
        1e-7,
    );
}

#[test]
fn a_cosine_schedule_warms_up_falls_to_its_half_in_the_middle_and_ends_at_its_factor() {
    let schedule = ScheduleConfig::Cosine(CosineConfig {
        warmup: 1.0,
        final_factor: 0.1,
    });
    // Five epochs of ten steps: the warm-up has steps 0 to 9, the middle of the rest is step 30.
    let middle = 0.8 * (0.1 + 0.9 * 0.5);
    close(
        &rates(&schedule, 5, 10, &[0, 4, 9, 10, 30, 50, 99]),
        &[0.08, 0.4, 0.8, 0.8, middle, 0.08, 0.08],
        1e-6,
    );
}

proptest! {
    #[test]
    fn a_rate_is_never_above_the_base_nor_negative(
        warmup in 0f64..3.0, factor in 0f64..1.0, step in 0usize..200
    ) {
        let schedule = ScheduleConfig::Cosine(CosineConfig { warmup, final_factor: factor });
        let rate = learning_rate(&schedule, 1.0, 5, 20, step);
        prop_assert!((0.0..=1.0 + 1e-12).contains(&rate), "{rate}");
    }
}
