//! What convolutions do to their sums as they write them.

use pulp::Simd;

use super::Activation;
use crate::kernels::simd::Real;

/// A bias to begin sums with, and limits of what is written.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Epilogue<'a, T> {
    /// A value for every channel, of some kernels for whole panels.
    pub bias: &'a [T],
    pub limits: Option<Limits<T>>,
}

/// The least and the largest value; NaN stays NaN.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Limits<T> {
    low: T,
    high: T,
}

impl<'a, T> Epilogue<'a, T> {
    /// Without limits.
    pub(in crate::kernels) fn of(bias: &'a [T]) -> Self {
        Self { bias, limits: None }
    }
}

impl<T: Real> Limits<T> {
    /// A function as limits; `None` where it is none or another one.
    pub(in crate::kernels) fn of(activation: Activation) -> Option<Self> {
        let (low, high) = match activation {
            Activation::Relu => (0.0, f64::INFINITY),
            Activation::Relu6 => (0.0, 6.0),
            _ => return None,
        };
        Some(Self {
            low: T::of(low),
            high: T::of(high),
        })
    }

    /// The same as the function of `x`.
    #[inline(always)]
    pub(in crate::kernels) fn value(self, x: T) -> T {
        let x = if self.low > x { self.low } else { x };
        if x > self.high { self.high } else { x }
    }

    /// [`value`](Self::value) of each lane.
    #[inline(always)]
    pub(in crate::kernels) fn apply<S: Simd>(self, simd: S, x: T::Vector<S>) -> T::Vector<S> {
        let (low, high) = (T::splat(simd, self.low), T::splat(simd, self.high));
        let x = T::select(simd, T::greater(simd, low, x), low, x);
        T::select(simd, T::greater(simd, x, high), high, x)
    }
}
