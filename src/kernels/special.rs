//! Functions that the standard library lacks, or does not have in a form that compilers vectorize.

use std::f64::consts::FRAC_2_SQRT_PI;

/// The hyperbolic tangent of a number; `exp` is its exponential. Near zero the polynomial of Cephes' `tanhf` (S. L. Moshier).
#[inline(always)]
pub(super) fn tanh(x: f32, exp: impl Fn(f32) -> f32) -> f32 {
    /// Up to here the polynomial holds.
    const SMALL: f32 = 0.625;
    let square = x * x;
    let mut p = -5.704_988_7e-3;
    p = p * square + 2.063_908_8e-2;
    p = p * square - 5.373_971_6e-2;
    p = p * square + 1.333_144_2e-1;
    p = p * square - 3.333_328e-1;
    let near = x + x * square * p;
    let size = x.abs();
    let far = (1.0 - 2.0 / (exp(2.0 * size) + 1.0)).copysign(x);
    if size < SMALL { near } else { far }
}

/// The error function as a quotient of polynomials, with the coefficients of Eigen's `erf` for 32 bits.
#[inline(always)]
pub(super) fn erf(x: f32) -> f32 {
    /// From here on 1 is the nearest number.
    const ONE_FROM: f32 = 3.832_507;
    let x = x.clamp(-ONE_FROM, ONE_FROM);
    let square = x * x;
    let mut p = 2.290_506_6e-4;
    p = p * square + 3.408_291e-3;
    p = p * square + 5.095_569_5e-2;
    p = p * square + 1.852_083_2e-1;
    p = p * square + std::f32::consts::FRAC_2_SQRT_PI;
    let mut q = -1.179_160_3e-7;
    q = q * square + 2.354_796_6e-5;
    q = q * square + 1.017_962_5e-3;
    q = q * square + 1.407_047_e-2;
    q = q * square + 1.109_850_5e-1;
    q = q * square + 4.974_692_5e-1;
    q = q * square + 1.0;
    x * p / q
}

/// `x / (1 + 2^t)` with `t = -x / ln 2`, whose whole part goes into the exponent. Between -0.5 and 0.5, `2^t` is a polynomial with
/// its value and slope at 0 and the least relative error (1.1e-7; found by Lawson's algorithm). An [`exp`](super::simd::Real::exp) that is right to the
/// last places takes twice as long.
#[inline(always)]
pub(super) fn silu(x: f32) -> f32 {
    /// Added to a small number, leaves it rounded in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let t = (x * -std::f32::consts::LOG2_E).clamp(-126.0, 126.0);
    let shifted = t + ROUND;
    let rest = t - (shifted - ROUND);
    let mut p = 1.330_060_5e-3;
    p = p * rest + 9.669_691e-3;
    p = p * rest + 5.550_558_5e-2;
    p = p * rest + 2.402_228_3e-1;
    p = p * rest + std::f32::consts::LN_2;
    p = p * rest + 1.0;
    let power = f32::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 23));
    x / (1.0 + power)
}

/// The error function by its series `2 / sqrt(pi) exp(-x^2) sum (2 x^2)^n x / (1 3 5 ... (2n + 1))`, whose terms are all of one
/// sign (Abramowitz and Stegun 1964, 7.1.6).
pub(super) fn erf_series(x: f64) -> f64 {
    /// From here on 1 is the nearest number.
    const ONE_FROM: f64 = 6.0;
    if x.abs() >= ONE_FROM {
        return 1f64.copysign(x);
    }
    let square = x * x;
    let (mut term, mut sum, mut odd) = (x, x, 1.0);
    while term.abs() > f64::EPSILON * sum.abs() {
        odd += 2.0;
        term *= 2.0 * square / odd;
        sum += term;
    }
    FRAC_2_SQRT_PI * (-square).exp() * sum
}
