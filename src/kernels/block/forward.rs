//! The forward pass in training.

use super::norm::{Parameters, scale_and_shift};
use super::passes::{NormPool, Sums, with_area};
use super::pool::Pool;
use crate::kernels::activation::Epilogue;
use crate::kernels::batch_part::WholeBatch;
use crate::kernels::conv::{Geometry, in_panels, output_rows, panels, winograd};
use crate::kernels::engine;
use crate::kernels::memory::{filled, room};
use crate::kernels::moments::Moments;
use crate::kernels::simd::{Real, by_channel};
use crate::kernels::threads;

/// What the forward pass in training yields.
pub(in crate::kernels) struct Forward<T> {
    pub output: Vec<T>,
    /// Mean and biased variance of the convolution's output per channel, over batch, rows and columns.
    pub mean: Vec<T>,
    pub variance: Vec<T>,
    /// The convolution's output.
    pub convolved: Vec<T>,
    /// For each output, which of its inputs (0, 1 in the upper row, 2, 3 in the lower) it came from, or [`NONE`](super::passes::NONE); in
    /// the values' own type, whose masks select them.
    pub origin: Vec<T>,
    /// What the statistics were taken over.
    pub whole: WholeBatch,
}

/// The forward pass in training (Ioffe and Szegedy 2015, algorithm 1).
pub(in crate::kernels) fn forward<T: Real>(
    g: &Geometry,
    pool: Pool,
    input: &[T],
    p: Parameters<T>,
) -> Forward<T> {
    let bias = in_panels(p.bias);
    let (convolved, moments) = if winograd::pays_in_f32(g) {
        let weights = engine::Forward::new(g, p.weight, None);
        engine::forward(g, &weights, input, Epilogue::bias(&bias), |_, values| {
            moments(g, values)
        })
    } else {
        directly(g, input, p.weight, &bias)
    };
    let (whole, moments) = WholeBatch::of(Moments::together(g.outputs, &moments));
    let (mean, variance) = (&moments.mean, moments.variance());
    let norm = scale_and_shift(mean, &variance, p.gamma, p.beta, p.epsilon);
    let (output, origin) = norm_and_pool(g, pool, &convolved, &norm);
    Forward {
        output,
        mean: mean.iter().copied().map(T::of).collect(),
        variance: variance.into_iter().map(T::of).collect(),
        convolved,
        origin,
        whole,
    }
}

/// The direct convolution of a batch, and the moments of each image.
#[allow(unsafe_code)]
fn directly<T: Real>(
    g: &Geometry,
    input: &[T],
    weight: &[T],
    bias: &[T],
) -> (Vec<T>, Vec<Moments>) {
    let weights = panels(g, weight, None);
    let values = g.output_values();
    let mut output = room(g.batch * values);
    let images = output.chunks_mut(values.max(1)).enumerate();
    let moments = threads::map_with(
        g.multiply_adds(),
        images.collect(),
        Vec::new,
        |grid, (index, output)| {
            let image = &input[index * g.input_values()..(index + 1) * g.input_values()];
            let (rows, epilogue) = (0..g.output_height(), Epilogue::bias(bias));
            let weights = weights.at_channel(0);
            moments(
                g,
                output_rows(g, image, rows, weights, epilogue, grid, output),
            )
        },
    );
    // SAFETY: all images have been written.
    (unsafe { filled(output) }, moments)
}

/// The norm (a scale and a shift of each channel), ReLU and pool of a batch, with the origin of each output.
#[allow(unsafe_code)]
fn norm_and_pool<T: Real>(
    g: &Geometry,
    pool: Pool,
    convolved: &[T],
    (scale, shift): &(Vec<T>, Vec<T>),
) -> (Vec<T>, Vec<T>) {
    let [batch, rows, columns, outputs] = pool.output_shape(g);
    let pooled = rows * columns * outputs;
    let mut output = room(batch * pooled);
    let mut origin = room(batch * pooled);
    if pooled == 0 {
        return (Vec::new(), Vec::new());
    }
    let images = output
        .chunks_mut(pooled)
        .zip(origin.chunks_mut(pooled))
        .zip(convolved.chunks(g.output_values()));
    threads::for_each(
        g.multiply_adds(),
        images.collect(),
        || (),
        |(), ((output, origin), convolved)| {
            with_area!(
                pool,
                NormPool {
                    g,
                    image: convolved,
                    scale,
                    shift,
                    output,
                    origin,
                }
            );
        },
    );
    // SAFETY: the pass has written both for every image.
    unsafe { (filled(output), filled(origin)) }
}

/// The moments of some rows of an image, or of several images.
fn moments<T: Real>(g: &Geometry, image: &[T]) -> Moments {
    let count = (image.len() / g.outputs) as f64;
    let mut mean = vec![0.0; g.outputs];
    by_channel(Sums {
        g,
        image,
        around: None,
        sums: &mut mean,
    });
    mean.iter_mut().for_each(|sum| *sum /= count);
    let rounded: Vec<T> = mean.iter().map(|&mean| T::of(mean)).collect();
    let mut squares = vec![0.0; g.outputs];
    by_channel(Sums {
        g,
        image,
        around: Some(&rounded),
        sums: &mut squares,
    });
    Moments {
        count,
        mean,
        squares,
    }
}
