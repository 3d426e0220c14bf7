//! Dropout of many values.

use burn::nn::Dropout;
use burn::prelude::*;
use burn::tensor::Distribution;

use crate::kernels;

/// Up to so many values, Burn draws the mask: that takes no time, and gives the networks of kiln 0.1 the masks that they had.
const FEW: usize = 1 << 17;

/// Whether a dropout does something on this device.
pub fn is_active(dropout: &Dropout, device: &Device) -> bool {
    dropout.prob > 0.0 && dropout.training.is_enabled() && device.is_autodiff()
}

/// What [`Dropout::forward`] gives, where kernels compute with a mask that all threads draw: Burn draws a value in about 20 ns, on one thread.
pub fn dropout<const D: usize>(dropout: &Dropout, values: Tensor<D>) -> Tensor<D> {
    let (dims, device) = (values.dims(), values.device());
    let count = dims.iter().product();
    if !is_active(dropout, &device) || count <= FEW || !kernels::supported(&device) {
        return dropout.forward(values);
    }
    // From the device's generator, so that each call has a seed of its own.
    let halves = Distribution::Uniform(0.0, f64::from(i32::MAX));
    let halves = Tensor::<1, Int>::random([2], halves, &device).into_data();
    let seed = halves
        .iter::<i64>()
        .fold(0, |seed, half| seed << 32 | half as u64);
    let mask = kernels::dropout_mask(count, dropout.prob, seed);
    values * Tensor::from_data(TensorData::new(mask, dims), &device)
}
