//! The backward pass image by image, directly or by Winograd's method.

use std::mem::MaybeUninit;

use super::backward::backward;
use crate::kernels::conv::{Geometry, GradientGrid, Gradients, Needed, gradients, winograd};
use crate::kernels::simd::Real;

/// The gradients of a convolution, by Winograd's method where it [pays](winograd::pays_in_f32), else directly. `fill(image, grid, values of
/// the grid, bias sums)` writes the output's gradient of an image into the grid, and adds it to the sums. Gradients of weights and biases
/// that are not needed are zeros.
pub(in crate::kernels) fn image_gradients<T: Real>(
    g: &Geometry,
    input: &[T],
    weight: &[T],
    needed: Needed,
    fill: impl Fn(usize, &GradientGrid, &mut [MaybeUninit<T>], &mut [f64]) + Sync + Send,
) -> Gradients<T> {
    if !winograd::pays_in_f32(g) {
        return gradients(g, input, weight, needed, fill);
    }
    // Channels fill whole panels, so that the positions lie side by side.
    let (grid, values) = (g.gradient_grid(false), g.output_values());
    let found = backward(g, input, weight, needed, |first, to| {
        assert!(first.is_multiple_of(values) && to.len().is_multiple_of(values));
        let mut bias = vec![0.0; g.outputs];
        for (index, to) in to.chunks_exact_mut(values).enumerate() {
            fill(first / values + index, &grid, to, &mut bias);
        }
        bias
    });
    let mut bias = vec![0.0; g.outputs];
    for part in found.found {
        for (sum, more) in bias.iter_mut().zip(part) {
            *sum += more;
        }
    }
    Gradients {
        input: found.input,
        weight: (found.weight).unwrap_or_else(|| vec![T::ZERO; weight.len()]),
        bias: bias.into_iter().map(T::of).collect(),
    }
}
