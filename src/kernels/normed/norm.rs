//! A batch norm as a scale and a shift per channel.

use crate::kernels::batch_part::WholeBatch;
use crate::kernels::simd::Real;

/// Where a norm's mean and variance come from.
#[derive(Debug, Clone, Copy)]
pub(in crate::kernels) enum Statistics<'a, T> {
    /// The batch itself.
    Batch {
        /// `sqrt(variance + epsilon)` of each channel.
        sigma: &'a [T],
        /// It, or the batch that it is a part of.
        whole: &'a WholeBatch,
    },
    /// Elsewhere: they don't depend on the input.
    Fixed,
}

/// `scale x + shift` of each channel, which is `scale (x - mean) + beta`.
#[derive(Debug, Clone, Copy)]
pub(in crate::kernels) struct Norm<'a, T> {
    pub statistics: Statistics<'a, T>,
    pub mean: &'a [T],
    pub scale: &'a [T],
    pub shift: &'a [T],
}

/// `beta - mean scale`
pub(super) fn shift<T: Real>(mean: &[T], scale: &[T], beta: &[T]) -> Vec<T> {
    let pairs = mean.iter().zip(scale).zip(beta);
    pairs
        .map(|((mean, scale), beta)| T::of(beta.wide() - mean.wide() * scale.wide()))
        .collect()
}
