//! Kernels on random shapes: a few hundred of each, or as many as `KILN_SHAPES` says.

#[path = "../../common/random_cases.rs"]
pub mod cases;
mod convolutions;
mod inference;
mod layers;
mod threads;

use kiln::kernels::Activation;

/// Tolerance, of the largest value: sums of up to a few thousand products in another order, divided by deviations that are as well. A value
/// at a wrong place is off by more.
pub const CLOSE: f32 = 1e-4;

/// Multiply-adds of a case at most, so that ten thousand take a few minutes.
pub const WORK: usize = 1 << 21;

/// Where a function's slope jumps.
fn kinks(activation: Activation) -> &'static [f32] {
    match activation {
        Activation::Relu | Activation::LeakyRelu { .. } => &[0.0],
        Activation::Relu6 => &[0.0, 6.0],
        Activation::Hardswish | Activation::Hardsigmoid => &[-3.0, 3.0],
        _ => &[],
    }
}

/// 1 for each argument of a function that is not so close to a kink that rounding may take it to the other side, else 0.
fn away_from_kinks(arguments: &[f32], kinks: &[f32]) -> Vec<f32> {
    const NEAR: f32 = 1e-3;
    let is_away = |value: &f32| kinks.iter().all(|kink| (value - kink).abs() > NEAR);
    let found = arguments
        .iter()
        .map(|value| f32::from(u8::from(is_away(value))));
    found.collect()
}
