//! Values of tensors are read into main memory, and it is counted how often.
//!
//! On a device that computes while the program goes on, to read a value is to wait for everything that the device was given before. Training
//! reads its losses, metrics and features here and nowhere else, so that a test can say how often a run waits.

use std::sync::atomic::{AtomicUsize, Ordering};

use burn::prelude::*;
use burn::tensor::TensorReadError;
use burn::tensor::kind::Basic;

/// Steps of training or validation between two readings of the same kind on a device that computes asynchronously: often enough for
/// whoever watches a run, and to stop one soon that has diverged. Loss, and loss and metric in training, make three readings in so many
/// steps.
pub const ASYNCHRONOUS_INTERVAL: usize = 50;

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// How often values were read in this process so far.
pub fn count() -> usize {
    COUNT.load(Ordering::Relaxed)
}

/// The values of a tensor.
///
/// # Errors
/// The device fails, now or in what it computed before.
pub fn data<const D: usize, K: Basic>(tensor: Tensor<D, K>) -> Result<TensorData, TensorReadError> {
    COUNT.fetch_add(1, Ordering::Relaxed);
    Ok(tensor.try_into_data()?)
}

/// The value of a tensor that has one.
///
/// # Errors
/// The device fails, now or in what it computed before.
pub fn scalar(tensor: Tensor<1>) -> Result<f64, TensorReadError> {
    COUNT.fetch_add(1, Ordering::Relaxed);
    tensor.try_into_scalar::<f64>()
}
