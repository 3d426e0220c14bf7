//! Batch normalization.

use burn::backend::Dispatch;
use burn::backend::ops::FloatTensorOps;
#[cfg(not(target_arch = "wasm32"))]
use burn::module::Initializer;
use burn::module::{Param, RunningState};
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::prelude::*;

/// [`BatchNormConfig::init`] that leaves the device's number type open. Burn fixes it with the first tensor that it creates; so
/// far a network holds no other, and a config may be checked before a program chooses 64-bit floats.
pub fn batch_norm(config: &BatchNormConfig, device: &Device) -> BatchNorm {
    let BatchNormConfig {
        num_features: features,
        epsilon,
        momentum,
    } = *config;
    let number = device.settings().float_dtype;
    let device_id = device.as_dispatch();
    let mean = Dispatch::float_zeros([features].into(), device_id, number);
    let variance = Dispatch::float_ones([features].into(), device_id, number);
    BatchNorm {
        #[cfg(target_arch = "wasm32")]
        gamma: super::undrawn::parameter([features], device),
        #[cfg(target_arch = "wasm32")]
        beta: super::undrawn::parameter([features], device),
        #[cfg(not(target_arch = "wasm32"))]
        gamma: Initializer::Ones.init([features], device),
        #[cfg(not(target_arch = "wasm32"))]
        beta: Initializer::Zeros.init([features], device),
        training: Param::from_bool(true),
        running_mean: RunningState::new(Tensor::from_dispatch(mean)),
        running_var: RunningState::new(Tensor::from_dispatch(variance)),
        momentum,
        epsilon,
    }
}

/// Moves the running statistics towards those of a batch.
///
/// As in Burn's batch norm; but there an update counts only once its own thread comes by again, and the next step may run on
/// another one.
pub fn update_statistics(norm: &BatchNorm, mean: Tensor<1>, variance: Tensor<1>) {
    for (running, batch) in [(&norm.running_mean, mean), (&norm.running_var, variance)] {
        let kept = running.value_sync().to_device(&batch.device());
        let moved = kept.mul_scalar(1.0 - norm.momentum) + batch.mul_scalar(norm.momentum);
        running.update(moved.detach());
        running.value_sync();
    }
}
