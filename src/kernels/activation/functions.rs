//! The functions one by one, in a form that compilers vectorize.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

use crate::kernels::simd::Real;

/// A function of one value.
pub(in crate::kernels) trait Function<T: Real>: Copy + Send + Sync {
    /// The function of `x`; NaN stays NaN.
    fn value(self, x: T) -> T;

    /// Its slope at `x`; where it has a corner, that of PyTorch.
    fn slope(self, x: T) -> T;
}

/// `min(max(low, x), high)`; NaN stays NaN.
#[inline(always)]
fn clamped<T: Real>(x: T, low: T, high: T) -> T {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

/// Whether `x` is strictly between the bounds, as 1 or 0.
#[inline(always)]
fn within<T: Real>(x: T, low: T, high: T) -> T {
    let above = if x > low { T::ONE } else { T::ZERO };
    if x < high { above } else { T::ZERO }
}

#[inline(always)]
fn sigmoid<T: Real>(x: T) -> T {
    T::ONE / (T::ONE + (T::ZERO - x).exp())
}

/// The normal distribution function.
#[inline(always)]
fn normal<T: Real>(x: T) -> T {
    T::of(0.5) * (T::ONE + (x * T::of(FRAC_1_SQRT_2)).erf())
}

#[derive(Clone, Copy)]
pub(in crate::kernels) struct Identity;

impl<T: Real> Function<T> for Identity {
    #[inline(always)]
    fn value(self, x: T) -> T {
        x
    }

    #[inline(always)]
    fn slope(self, _: T) -> T {
        T::ONE
    }
}

#[derive(Clone, Copy)]
pub(in crate::kernels) struct Relu;

impl<T: Real> Function<T> for Relu {
    #[inline(always)]
    fn value(self, x: T) -> T {
        if x < T::ZERO { T::ZERO } else { x }
    }

    #[inline(always)]
    fn slope(self, x: T) -> T {
        if x > T::ZERO { T::ONE } else { T::ZERO }
    }
}

#[derive(Clone, Copy)]
pub(in crate::kernels) struct Relu6;

impl<T: Real> Function<T> for Relu6 {
    #[inline(always)]
    fn value(self, x: T) -> T {
        clamped(x, T::ZERO, T::of(6.0))
    }

    #[inline(always)]
    fn slope(self, x: T) -> T {
        within(x, T::ZERO, T::of(6.0))
    }
}

#[derive(Clone, Copy)]
pub(in crate::kernels) struct LeakyRelu<T>(pub T);

impl<T: Real> Function<T> for LeakyRelu<T> {
    #[inline(always)]
    fn value(self, x: T) -> T {
        if x > T::ZERO { x } else { self.0 * x }
    }

    #[inline(always)]
    fn slope(self, x: T) -> T {
        if x > T::ZERO { T::ONE } else { self.0 }
    }
}

#[derive(Clone, Copy)]
pub(in crate::kernels) struct Gelu;

impl<T: Real> Function<T> for Gelu {
    #[inline(always)]
    fn value(self, x: T) -> T {
        x * normal(x)
    }

    #[inline(always)]
    fn slope(self, x: T) -> T {
        let density = (T::of(-0.5) * x * x).exp() * T::of(1.0 / TAU.sqrt());
        normal(x) + x * density
    }
}

#[derive(Clone, Copy)]
pub(in crate::kernels) struct Silu;

impl<T: Real> Function<T> for Silu {
    #[inline(always)]
    fn value(self, x: T) -> T {
        x.silu()
    }

    #[inline(always)]
    fn slope(self, x: T) -> T {
        let s = sigmoid(x);
        s * (T::ONE + x * (T::ONE - s))
    }
}

#[derive(Clone, Copy)]
pub(in crate::kernels) struct Hardswish;

impl<T: Real> Function<T> for Hardswish {
    #[inline(always)]
    fn value(self, x: T) -> T {
        x * (clamped(x + T::of(3.0), T::ZERO, T::of(6.0)) * T::of(1.0 / 6.0))
    }

    #[inline(always)]
    fn slope(self, x: T) -> T {
        let middle = x * T::of(1.0 / 3.0) + T::of(0.5);
        let right = if x > T::of(3.0) { T::ONE } else { middle };
        if x < T::of(-3.0) { T::ZERO } else { right }
    }
}

#[derive(Clone, Copy)]
pub(in crate::kernels) struct Hardsigmoid;

impl<T: Real> Function<T> for Hardsigmoid {
    #[inline(always)]
    fn value(self, x: T) -> T {
        clamped(x + T::of(3.0), T::ZERO, T::of(6.0)) * T::of(1.0 / 6.0)
    }

    #[inline(always)]
    fn slope(self, x: T) -> T {
        within(x, T::of(-3.0), T::of(3.0)) * T::of(1.0 / 6.0)
    }
}

#[derive(Clone, Copy)]
pub(in crate::kernels) struct Sigmoid;

impl<T: Real> Function<T> for Sigmoid {
    #[inline(always)]
    fn value(self, x: T) -> T {
        sigmoid(x)
    }

    #[inline(always)]
    fn slope(self, x: T) -> T {
        let s = sigmoid(x);
        s * (T::ONE - s)
    }
}

#[derive(Clone, Copy)]
pub(in crate::kernels) struct Tanh;

impl<T: Real> Function<T> for Tanh {
    #[inline(always)]
    fn value(self, x: T) -> T {
        x.tanh()
    }

    #[inline(always)]
    fn slope(self, x: T) -> T {
        let t = x.tanh();
        T::ONE - t * t
    }
}

/// Runs `$body` with the function of an activation as `$function`, compiled for each.
macro_rules! with_function {
    ($activation:expr, $t:ty, $function:ident => $body:expr) => {{
        use $crate::kernels::activation::{Activation, functions};
        match $activation {
            Activation::Identity => {
                let $function = functions::Identity;
                $body
            }
            Activation::Relu => {
                let $function = functions::Relu;
                $body
            }
            Activation::Relu6 => {
                let $function = functions::Relu6;
                $body
            }
            Activation::LeakyRelu { slope } => {
                let $function = functions::LeakyRelu(<$t>::of(slope));
                $body
            }
            Activation::Gelu => {
                let $function = functions::Gelu;
                $body
            }
            Activation::Silu => {
                let $function = functions::Silu;
                $body
            }
            Activation::Hardswish => {
                let $function = functions::Hardswish;
                $body
            }
            Activation::Hardsigmoid => {
                let $function = functions::Hardsigmoid;
                $body
            }
            Activation::Sigmoid => {
                let $function = functions::Sigmoid;
                $body
            }
            Activation::Tanh => {
                let $function = functions::Tanh;
                $body
            }
        }
    }};
}
pub(in crate::kernels) use with_function;
