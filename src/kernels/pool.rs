//! Batch norm, ReLU and 2x2 max pool as one pass over memory, forward and backward: slices in, slices out.
//!
//! A plane is one channel of one image; all passes go plane by plane, so that a plane is read from memory once and worked on
//! in the cache.

use rayon::prelude::*;

use super::conv::{Real, sum};

/// Marks an output through which ReLU let nothing: no input gets its gradient.
pub(super) const NONE: u8 = 4;

/// `[batch, channels, height / 2, width / 2]`; an odd last row or column is left out, as in Burn and PyTorch.
pub(super) fn output_shape(shape: [usize; 4]) -> [usize; 4] {
    let [batch, channels, height, width] = shape;
    [batch, channels, height / 2, width / 2]
}

/// Mean and biased variance per channel over batch, height and width.
///
/// Mean and squared deviations of each plane, then put together in the order of the images (Chan, Golub and LeVeque 1983).
pub(super) fn statistics<T: Real>(shape: [usize; 4], input: &[T]) -> (Vec<T>, Vec<T>) {
    let [batch, channels, height, width] = shape;
    let area = height * width;
    let planes: Vec<(f64, f64)> = input
        .par_chunks(area.max(1))
        .map(|plane| {
            let mean = sum(plane).wide() / area as f64;
            (mean, squared_deviations(plane, T::of(mean)).wide())
        })
        .collect();
    let of_channel = |channel: usize| {
        let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
        for image in 0..batch {
            let (plane_mean, plane_squares) = planes[image * channels + channel];
            let both = count + area as f64;
            let delta = plane_mean - mean;
            mean += delta * area as f64 / both;
            squares += plane_squares + delta * delta * count * area as f64 / both;
            count = both;
        }
        (T::of(mean), T::of(squares / count))
    };
    (0..channels).map(of_channel).unzip()
}

/// Sum of `(x - mean)^2`, in an order that depends on the length alone.
fn squared_deviations<T: Real>(values: &[T], mean: T) -> T {
    const LANES: usize = 16;
    let mut lanes = [T::ZERO; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            let deviation = value - mean;
            *lane += deviation * deviation;
        }
    }
    let mut total = sum(&lanes);
    for &value in rest {
        let deviation = value - mean;
        total += deviation * deviation;
    }
    total
}

/// `scale` and `shift` with which `scale x + shift` is `gamma (x - mean) / sqrt(variance + epsilon) + beta`.
pub(super) fn scale_and_shift<T: Real>(
    mean: &[T],
    variance: &[T],
    gamma: &[T],
    beta: &[T],
    epsilon: f64,
) -> (Vec<T>, Vec<T>) {
    let pairs = mean.iter().zip(variance).zip(gamma.iter().zip(beta));
    pairs
        .map(|((mean, variance), (gamma, beta))| {
            let scale = gamma.wide() / (variance.wide() + epsilon).sqrt();
            (T::of(scale), T::of(beta.wide() - mean.wide() * scale))
        })
        .unzip()
}

/// `max(0, scale x + shift)` and 2x2 max pool. With `origins`, also says for each output which of its four inputs (0, 1 in
/// the upper row, 2, 3 in the lower) it came from, the first of equals, or [`NONE`].
pub(super) fn apply<T: Real>(
    shape: [usize; 4],
    input: &[T],
    scale: &[T],
    shift: &[T],
    origins: bool,
) -> (Vec<T>, Vec<u8>) {
    let [batch, channels, height, width] = shape;
    let (rows, columns) = (height / 2, width / 2);
    let count = batch * channels * rows * columns;
    let mut output = vec![T::ZERO; count];
    let mut origin = vec![NONE; if origins { count } else { 0 }];
    let plane = rows * columns;
    if plane == 0 {
        return (output, origin);
    }
    let pool = |index: usize, out: &mut [T], mut origin: Option<&mut [u8]>| {
        let (scale, shift) = (scale[index % channels], shift[index % channels]);
        let input = &input[index * height * width..(index + 1) * height * width];
        for row in 0..rows {
            let upper = &input[2 * row * width..][..2 * columns];
            let lower = &input[(2 * row + 1) * width..][..2 * columns];
            let out = &mut out[row * columns..(row + 1) * columns];
            let quads = upper.chunks_exact(2).zip(lower.chunks_exact(2));
            match origin.as_deref_mut() {
                None => {
                    for (out, (upper, lower)) in out.iter_mut().zip(quads) {
                        *out = best(upper, lower, scale, shift).0;
                    }
                }
                Some(origin) => {
                    let origin = &mut origin[row * columns..(row + 1) * columns];
                    for ((out, origin), (upper, lower)) in out.iter_mut().zip(origin).zip(quads) {
                        (*out, *origin) = best(upper, lower, scale, shift);
                    }
                }
            }
        }
    };
    match origins {
        false => output
            .par_chunks_mut(plane)
            .enumerate()
            .for_each(|(index, out)| pool(index, out, None)),
        true => output
            .par_chunks_mut(plane)
            .zip(origin.par_chunks_mut(plane))
            .enumerate()
            .for_each(|(index, (out, origin))| pool(index, out, Some(origin))),
    }
    (output, origin)
}

/// The largest of four values after scale, shift and ReLU, and which it is.
#[inline(always)]
fn best<T: Real>(upper: &[T], lower: &[T], scale: T, shift: T) -> (T, u8) {
    let mut value = T::ZERO;
    let mut origin = NONE;
    let mut take = |x: T, place: u8| {
        let x = scale * x + shift;
        let larger = x > value;
        value = if larger { x } else { value };
        origin = if larger { place } else { origin };
    };
    take(upper[0], 0);
    take(upper[1], 1);
    take(lower[0], 2);
    take(lower[1], 3);
    (value, origin)
}

/// What the backward pass needs of the batch norm.
pub(super) struct Norm<'a, T> {
    pub mean: &'a [T],
    pub variance: &'a [T],
    pub gamma: &'a [T],
    pub epsilon: f64,
}

/// Gradients of batch norm, ReLU and pool.
pub(super) struct Gradient<T> {
    /// Of the input, if it was asked for.
    pub input: Option<Vec<T>>,
    pub gamma: Vec<T>,
    pub beta: Vec<T>,
}

/// Backward pass (Ioffe and Szegedy 2015, section 3). With `z` the gradient behind pool and ReLU, which is zero except where
/// an output came from, and `n` values per channel: `dbeta = sum z`, `dgamma = sum z xhat`,
/// `dx = gamma / sigma (z - dbeta / n - xhat dgamma / n)`.
pub(super) fn backward<T: Real>(
    shape: [usize; 4],
    input: &[T],
    norm: &Norm<T>,
    origin: &[u8],
    output: &[T],
    with_input: bool,
) -> Gradient<T> {
    let [batch, channels, height, width] = shape;
    let (rows, columns) = (height / 2, width / 2);
    let (area, plane) = (height * width, rows * columns);
    let sigma = |channel: usize| (norm.variance[channel].wide() + norm.epsilon).sqrt();
    // Sums per plane in parallel, then over the images in their order.
    let sums: Vec<(f64, f64)> = (0..batch * channels)
        .into_par_iter()
        .map(|index| {
            let mean = norm.mean[index % channels];
            let input = &input[index * area..(index + 1) * area];
            let mut total = (T::ZERO, T::ZERO);
            each_origin(
                columns,
                width,
                &origin[index * plane..(index + 1) * plane],
                |at, from| {
                    let z = output[index * plane + at];
                    total.0 += z;
                    total.1 += z * (input[from] - mean);
                },
            );
            (total.0.wide(), total.1.wide())
        })
        .collect();
    let (beta, gamma): (Vec<f64>, Vec<f64>) = (0..channels)
        .map(|channel| {
            let planes = (0..batch).map(|image| sums[image * channels + channel]);
            let (beta, deviation) =
                planes.fold((0.0, 0.0), |sum, plane| (sum.0 + plane.0, sum.1 + plane.1));
            (beta, deviation / sigma(channel))
        })
        .unzip();
    let gradient = with_input.then(|| {
        let count = (batch * area) as f64;
        let mut gradient = vec![T::ZERO; input.len()];
        gradient
            .par_chunks_mut(area.max(1))
            .enumerate()
            .for_each(|(index, gradient)| {
                let channel = index % channels;
                let sigma = sigma(channel);
                let factor = norm.gamma[channel].wide() / sigma;
                let slope = -factor * gamma[channel] / count / sigma;
                let offset = -factor * beta[channel] / count - slope * norm.mean[channel].wide();
                let (factor, slope, offset) = (T::of(factor), T::of(slope), T::of(offset));
                let input = &input[index * area..(index + 1) * area];
                for (gradient, &x) in gradient.iter_mut().zip(input) {
                    *gradient = slope * x + offset;
                }
                each_origin(
                    columns,
                    width,
                    &origin[index * plane..(index + 1) * plane],
                    |at, from| {
                        gradient[from] += factor * output[index * plane + at];
                    },
                );
            });
        gradient
    });
    Gradient {
        input: gradient,
        gamma: gamma.into_iter().map(T::of).collect(),
        beta: beta.into_iter().map(T::of).collect(),
    }
}

/// Visits the outputs of a plane that came from somewhere: place of the output, place of the input.
#[inline(always)]
fn each_origin(columns: usize, width: usize, origin: &[u8], mut visit: impl FnMut(usize, usize)) {
    if columns == 0 {
        return;
    }
    for (row, origins) in origin.chunks(columns).enumerate() {
        for (column, &place) in origins.iter().enumerate() {
            if place != NONE {
                let place = usize::from(place);
                let from = (2 * row + place / 2) * width + 2 * column + place % 2;
                visit(row * columns + column, from);
            }
        }
    }
}
