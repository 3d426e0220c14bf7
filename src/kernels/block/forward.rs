//! The forward pass in training.

use super::norm::{Parameters, scale_and_shift};
use super::passes::{NormPool, Sums, with_area};
use super::pool::Pool;
use crate::kernels::activation::Epilogue;
use crate::kernels::batch_part::WholeBatch;
use crate::kernels::conv::{Geometry, convolve_rows, in_panels, padded_rows, panels};
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
    let weights = panels(g, p.weight, None);
    let bias = in_panels(p.bias);
    let values = g.output_values();
    let mut convolved = vec![T::ZERO; g.batch * values];
    let images = convolved
        .chunks_mut(values.max(1))
        .zip(input.chunks(g.input_values().max(1)));
    let moments: Vec<Moments> =
        threads::map(g.multiply_adds(), images.collect(), |(output, image)| {
            let mut grid = Vec::new();
            let image = padded_rows(g, image, 0..g.output_height(), &mut grid);
            convolve_rows(
                g,
                image,
                &weights,
                Epilogue::bias(&bias),
                g.output_height(),
                g.outputs,
                output,
            );
            moments(g, output)
        });
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

/// The norm (a scale and a shift of each channel), ReLU and pool of a batch, with the origin of each output.
fn norm_and_pool<T: Real>(
    g: &Geometry,
    pool: Pool,
    convolved: &[T],
    (scale, shift): &(Vec<T>, Vec<T>),
) -> (Vec<T>, Vec<T>) {
    let [batch, rows, columns, outputs] = pool.output_shape(g);
    let pooled = rows * columns * outputs;
    let mut output = vec![T::ZERO; batch * pooled];
    let mut origin = vec![T::ZERO; batch * pooled];
    if pooled == 0 {
        return (output, origin);
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
    (output, origin)
}

/// The moments of one image.
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
