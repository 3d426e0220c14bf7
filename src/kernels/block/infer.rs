//! The block in inference, with fixed statistics.

use std::mem::MaybeUninit;

use super::norm::{Parameters, scale_and_shift};
use super::passes::{ReluPool, with_area};
use super::pool::Pool;
use crate::kernels::activation::Epilogue;
use crate::kernels::conv::{Geometry, cut, in_panels, output_rows, panels, row_parts};
use crate::kernels::simd::Real;
use crate::kernels::threads;

/// The block with fixed statistics.
pub(in crate::kernels) fn infer<T: Real>(
    g: &Geometry,
    pool: Pool,
    input: &[T],
    p: Parameters<T>,
    mean: &[T],
    variance: &[T],
) -> Vec<T> {
    let wide = |values: &[T]| {
        values
            .iter()
            .map(|value| value.wide())
            .collect::<Vec<f64>>()
    };
    let (scale, shift) = scale_and_shift(&wide(mean), &wide(variance), p.gamma, p.beta, p.epsilon);
    let weights = panels(g, p.weight, Some(&scale));
    let bias: Vec<T> = (0..g.outputs)
        .map(|channel| scale[channel] * p.bias[channel] + shift[channel])
        .collect();
    let bias = in_panels(&bias);
    let [batch, rows, columns, outputs] = pool.output_shape(g);
    let mut output = vec![T::ZERO; batch * rows * columns * outputs];
    if output.is_empty() {
        return output;
    }
    let side = pool.side();
    let parts = row_parts(g, side)
        .into_iter()
        .map(|part| part.start / side..(part.end / side).min(rows))
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>();
    threads::for_each(
        g.multiply_adds(),
        cut(&mut output, batch, &parts, columns * outputs),
        || (Vec::new(), Vec::new()),
        |(grid, convolved), (image, part, output)| {
            let image = &input[image * g.input_values()..(image + 1) * g.input_values()];
            let rows = side * part.start..side * part.end;
            let count = rows.len() * g.output_width() * outputs;
            convolved.resize(count, MaybeUninit::uninit());
            let (weights, epilogue) = (weights.at_channel(0), Epilogue::bias(&bias));
            let convolved = output_rows(g, image, rows, weights, epilogue, grid, convolved);
            relu_pool(g, pool, convolved, output);
        },
    );
    output
}

/// ReLU and the pool of some rows of an image's convolution.
pub(in crate::kernels) fn relu_pool<T: Real>(
    g: &Geometry,
    pool: Pool,
    image: &[T],
    output: &mut [T],
) {
    with_area!(pool, ReluPool { g, image, output });
}
