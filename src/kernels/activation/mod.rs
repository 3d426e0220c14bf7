//! Non-linearities and their slopes.

pub(in crate::kernels) mod functions;

use std::ops::Range;

use super::simd::{Real, widest};
use super::threads;

pub(super) use functions::{Function, with_function};

/// The non-linearity after a layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// None.
    Identity,
    /// `max(0, x)`
    Relu,
    /// `min(max(0, x), 6)`
    Relu6,
    /// `x` where it is positive, else `slope x`.
    LeakyRelu {
        /// Factor of negative values.
        slope: f64,
    },
    /// `x` times the normal distribution function of `x` (Hendrycks and Gimpel 2016), by the error function itself.
    Gelu,
    /// `x sigmoid(x)`
    Silu,
    /// `x relu6(x + 3) / 6` (Howard et al. 2019)
    Hardswish,
    /// `relu6(x + 3) / 6`
    Hardsigmoid,
    /// `1 / (1 + exp(-x))`
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
}

impl Activation {
    /// Whether the slope at `x` is computed from the activation's value there, not from `x`.
    pub(super) fn slope_is_of_output(self) -> bool {
        matches!(
            self,
            Activation::Identity | Activation::Relu | Activation::Sigmoid | Activation::Tanh
        )
    }

    /// The part that keeps values between bounds, which kernels apply as they write sums, and what is left to do.
    pub(super) fn in_parts<T: Real>(self) -> (Option<[T; 2]>, Self) {
        let largest = match self {
            Activation::Relu => f64::INFINITY,
            Activation::Relu6 => 6.0,
            _ => return (None, self),
        };
        (Some([T::ZERO, T::of(largest)]), Activation::Identity)
    }
}

/// What a layer does to its sums.
#[derive(Clone, Copy)]
pub(super) struct Epilogue<'a, T> {
    /// Is added, for each channel.
    pub bias: &'a [T],
    /// `min(max(least, x), largest)`; NaN stays NaN.
    pub bounds: Option<[T; 2]>,
}

impl<'a, T: Real> Epilogue<'a, T> {
    /// The bounds, which are infinite if there are none.
    #[inline(always)]
    pub(super) fn least_and_largest(&self) -> [T; 2] {
        let none = [T::of(f64::NEG_INFINITY), T::of(f64::INFINITY)];
        self.bounds.unwrap_or(none)
    }

    /// Whether bounds are applied. Where code is downloaded, always: there is one kernel then.
    #[inline(always)]
    pub(super) fn is_clamped(&self) -> bool {
        cfg!(target_family = "wasm") || self.bounds.is_some()
    }

    /// A bias alone.
    pub(super) fn bias(bias: &'a [T]) -> Self {
        Self { bias, bounds: None }
    }
}

/// Values that a thread works on at a time.
const PART: usize = 1 << 15;

/// Applies the non-linearity in place; NaN stays NaN.
pub(super) fn activate<T: Real>(values: &mut [T], activation: Activation) {
    with_function!(activation, T, function => {
        widest::<T, _>(
            #[inline(always)]
            || {
                for value in values.iter_mut() {
                    *value = function.value(*value);
                }
            },
        );
    });
}

/// [`activate`] on some channels of each position: of `step`, those in `channels`.
pub(super) fn activate_channels<T: Real>(
    values: &mut [T],
    step: usize,
    channels: Range<usize>,
    activation: Activation,
) {
    with_function!(activation, T, function => {
        widest::<T, _>(
            #[inline(always)]
            || {
                for position in values.chunks_exact_mut(step) {
                    for value in &mut position[channels.clone()] {
                        *value = function.value(*value);
                    }
                }
            },
        );
    });
}

/// [`activate`] on all threads, of many values.
pub(super) fn activate_all<T: Real>(values: &mut [T], activation: Activation) {
    if activation == Activation::Identity {
        return;
    }
    let work = values.len();
    let parts = values.chunks_mut(PART).collect();
    threads::for_each(work, parts, || (), |(), part| activate(part, activation));
}

/// The gradient before the non-linearity: `gradient` times the slope at each of `inputs`.
pub(super) fn input_gradient<T: Real>(
    inputs: &[T],
    gradient: &[T],
    activation: Activation,
) -> Vec<T> {
    let mut found = gradient.to_vec();
    let parts: Vec<(&mut [T], &[T])> = found.chunks_mut(PART).zip(inputs.chunks(PART)).collect();
    threads::for_each(
        inputs.len(),
        parts,
        || (),
        |(), (to, inputs)| {
            with_function!(activation, T, function => {
                widest::<T, _>(
                    #[inline(always)]
                    || {
                        for (to, &x) in to.iter_mut().zip(inputs) {
                            *to = *to * function.slope(x);
                        }
                    },
                );
            });
        },
    );
    found
}
