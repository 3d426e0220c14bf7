//! The parameters of a block, and its batch norm as a scale and a shift.

use crate::kernels::simd::Real;

/// Parameters of the convolution and the batch norm after it.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Parameters<'a, T> {
    pub weight: &'a [T],
    pub bias: &'a [T],
    pub gamma: &'a [T],
    pub beta: &'a [T],
    pub epsilon: f64,
}

/// `scale` and `shift` with which `scale x + shift` is `gamma (x - mean) / sqrt(variance + epsilon) + beta`.
pub(super) fn scale_and_shift<T: Real>(
    mean: &[f64],
    variance: &[f64],
    gamma: &[T],
    beta: &[T],
    epsilon: f64,
) -> (Vec<T>, Vec<T>) {
    let pairs = mean.iter().zip(variance).zip(gamma.iter().zip(beta));
    pairs
        .map(|((mean, variance), (gamma, beta))| {
            let scale = gamma.wide() / (variance + epsilon).sqrt();
            (T::of(scale), T::of(beta.wide() - mean * scale))
        })
        .unzip()
}
