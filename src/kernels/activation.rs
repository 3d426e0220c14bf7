//! Non-linearities, in place.

use super::simd::{Real, widest};

/// The non-linearity behind a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// None.
    Identity,
    /// `max(0, x)`
    Relu,
    /// `1 / (1 + exp(-x))`
    Sigmoid,
}

/// Applies the non-linearity; NaN stays NaN.
pub(super) fn activate<T: Real>(values: &mut [T], activation: Activation) {
    match activation {
        Activation::Identity => {}
        Activation::Relu => widest(
            #[inline(always)]
            || {
                for value in values.iter_mut() {
                    *value = if *value < T::ZERO { T::ZERO } else { *value };
                }
            },
        ),
        Activation::Sigmoid => widest(
            #[inline(always)]
            || {
                for value in values.iter_mut() {
                    *value = T::ONE / (T::ONE + (T::ZERO - *value).exp());
                }
            },
        ),
    }
}
