//! Batch normalization.

use burn::backend::Dispatch;
use burn::backend::ops::FloatTensorOps;
use burn::module::{Initializer, Param, RunningState};
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
        gamma: Initializer::Ones.init([features], device),
        beta: Initializer::Zeros.init([features], device),
        training: Param::from_bool(true),
        running_mean: RunningState::new(Tensor::from_dispatch(mean)),
        running_var: RunningState::new(Tensor::from_dispatch(variance)),
        momentum,
        epsilon,
    }
}
