//! Convolution, batch norm, ReLU and (where asked for) 2x2 max pool as one operation, channels last: slices in, slices out.
//!
//! In training an image's statistics are taken while its convolution is in the cache, and the gradient behind the
//! convolution is made in the grid that the weights' and the input's gradients are computed from; it is never a tensor. In
//! inference the norm is folded into the weights, and a few rows are convolved, pooled and forgotten.

use super::conv::{self, Geometry, Wanted, gradients, in_panels, padded_rows, panels, row_parts};
use super::simd::{Real, by_channel};
use super::threads;

mod passes;

use passes::{NormPool, ReluPool, SlopeSums, Spread, Sums};

/// What stands behind the ReLU of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    /// Nothing.
    None,
    /// 2x2 max pool; an odd last row or column is left out, as in Burn and PyTorch.
    Halve,
}

impl Pool {
    /// Rows and columns of a window.
    fn side(self) -> usize {
        match self {
            Pool::None => 1,
            Pool::Halve => 2,
        }
    }

    /// `[batch, rows, columns, outputs]` behind the pool.
    pub(super) fn output_shape(self, g: &Geometry) -> [usize; 4] {
        let [batch, rows, columns, outputs] = g.output_shape();
        [batch, rows / self.side(), columns / self.side(), outputs]
    }
}

/// Runs a pass with the window's number of inputs as its constant.
macro_rules! with_area {
    ($pool:expr, $pass:ident { $($field:ident $(: $value:expr)?),* $(,)? }) => {
        match $pool {
            Pool::None => by_channel($pass::<_, 1> { $($field $(: $value)?),* }),
            Pool::Halve => by_channel($pass::<_, 4> { $($field $(: $value)?),* }),
        }
    };
}

/// Parameters of the convolution and the batch norm behind it.
#[derive(Clone, Copy)]
pub(super) struct Parameters<'a, T> {
    pub weight: &'a [T],
    pub bias: &'a [T],
    pub gamma: &'a [T],
    pub beta: &'a [T],
    pub epsilon: f64,
}

/// What the forward pass in training yields.
pub(super) struct Forward<T> {
    pub output: Vec<T>,
    /// Mean and biased variance of the convolution's output per channel, over batch, rows and columns.
    pub mean: Vec<T>,
    pub variance: Vec<T>,
    /// The convolution's output.
    pub convolved: Vec<T>,
    /// For each output, which of its inputs (0, 1 in the upper row, 2, 3 in the lower) it came from, or [`passes::NONE`]; in
    /// the values' own type, whose masks select them.
    pub origin: Vec<T>,
}

/// The forward pass in training (Ioffe and Szegedy 2015, algorithm 1).
pub(super) fn forward<T: Real>(
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
            conv::rows(
                g,
                image,
                &weights,
                &bias,
                g.output_height(),
                g.outputs,
                output,
            );
            moments(g, output)
        });
    let (mean, variance) = together(g, &moments);
    let (scale, shift) = scale_and_shift(&mean, &variance, p.gamma, p.beta, p.epsilon);
    let [batch, rows, columns, outputs] = pool.output_shape(g);
    let pooled = rows * columns * outputs;
    let mut output = vec![T::ZERO; batch * pooled];
    let mut origin = vec![T::ZERO; batch * pooled];
    if pooled > 0 {
        let images = output
            .chunks_mut(pooled)
            .zip(origin.chunks_mut(pooled))
            .zip(convolved.chunks(values));
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
                        scale: &scale,
                        shift: &shift,
                        output,
                        origin,
                    }
                );
            },
        );
    }
    Forward {
        output,
        mean: mean.into_iter().map(T::of).collect(),
        variance: variance.into_iter().map(T::of).collect(),
        convolved,
        origin,
    }
}

/// Mean and sum of squared deviations of one image, per channel.
struct Moments {
    mean: Vec<f64>,
    squares: Vec<f64>,
}

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
    Moments { mean, squares }
}

/// Mean and biased variance of all images, put together in their order (Chan, Golub and LeVeque 1983).
fn together(g: &Geometry, images: &[Moments]) -> (Vec<f64>, Vec<f64>) {
    let area = (g.output_height() * g.output_width()) as f64;
    let of_channel = |channel: usize| {
        let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
        for image in images {
            let both = count + area;
            let delta = image.mean[channel] - mean;
            mean += delta * area / both;
            squares += image.squares[channel] + delta * delta * count * area / both;
            count = both;
        }
        (mean, squares / count)
    };
    (0..g.outputs).map(of_channel).unzip()
}

/// `scale` and `shift` with which `scale x + shift` is `gamma (x - mean) / sqrt(variance + epsilon) + beta`.
fn scale_and_shift<T: Real>(
    mean: &[f64],
    variance: &[f64],
    gamma: &[T],
    beta: &[T],
    epsilon: f64,
) -> (Vec<T>, Vec<T>) {
    let pairs = mean.iter().zip(variance).zip(gamma.iter().zip(beta));
    pairs
        .map(|((mean, variance), (gamma, beta))| {
            let scale = gamma.wide() / (variance + epsilon).sqrt();
            (T::of(scale), T::of(beta.wide() - mean * scale))
        })
        .unzip()
}

/// What the backward pass needs of the forward pass.
pub(super) struct Trace<'a, T> {
    pub input: &'a [T],
    pub convolved: &'a [T],
    pub mean: &'a [T],
    pub variance: &'a [T],
    pub origin: &'a [T],
}

/// The gradients of a block.
pub(super) struct BlockGradients<T> {
    /// Of the convolution. The biases' are zero: the norm takes the mean away, and what it adds with it.
    pub conv: conv::Gradients<T>,
    pub gamma: Vec<T>,
    pub beta: Vec<T>,
}

/// Backward pass (Ioffe and Szegedy 2015, section 3). With `z` the gradient behind pool and ReLU, which is zero except where
/// an output came from, and `n` values per channel: `dbeta = sum z`, `dgamma = sum z xhat`,
/// `dx = gamma / sigma (z - dbeta / n - xhat dgamma / n)`.
pub(super) fn backward<T: Real>(
    g: &Geometry,
    pool: Pool,
    trace: Trace<T>,
    p: Parameters<T>,
    output: &[T],
    wanted: Wanted,
) -> BlockGradients<T> {
    let [batch, rows, columns, outputs] = pool.output_shape(g);
    let (pooled, values) = (rows * columns * outputs, g.output_values());
    let of_image = |image: usize| {
        (
            &trace.convolved[image * values..(image + 1) * values],
            &output[image * pooled..(image + 1) * pooled],
            &trace.origin[image * pooled..(image + 1) * pooled],
        )
    };
    let sums: Vec<Slopes> = threads::map(g.multiply_adds(), (0..batch).collect(), |image| {
        let (convolved, output, origin) = of_image(image);
        slopes(g, pool, convolved, output, origin, trace.mean)
    });
    let sigma: Vec<f64> = trace
        .variance
        .iter()
        .map(|variance| (variance.wide() + p.epsilon).sqrt())
        .collect();
    let sum = |channel: usize, of: fn(&Slopes) -> &Vec<f64>| {
        sums.iter().map(|image| of(image)[channel]).sum::<f64>()
    };
    let beta: Vec<f64> = (0..outputs).map(|c| sum(c, |s| &s.beta)).collect();
    let gamma: Vec<f64> = (0..outputs)
        .map(|c| sum(c, |s| &s.deviation) / sigma[c])
        .collect();
    // dx = factor z + slope x + offset
    let count = (batch * g.output_height() * g.output_width()) as f64;
    let mut factors = Vec::with_capacity(outputs);
    let mut lines = (Vec::with_capacity(outputs), Vec::with_capacity(outputs));
    for channel in 0..outputs {
        let factor = p.gamma[channel].wide() / sigma[channel];
        let slope = -factor * gamma[channel] / count / sigma[channel];
        let offset = -factor * beta[channel] / count - slope * trace.mean[channel].wide();
        factors.push(T::of(factor));
        lines.0.push(T::of(slope));
        lines.1.push(T::of(offset));
    }
    let conv = gradients(g, trace.input, p.weight, wanted, |image, grid, to, _| {
        let (convolved, output, origin) = of_image(image);
        with_area!(
            pool,
            Spread {
                g,
                image: convolved,
                output,
                origin,
                factor: &factors,
                slope: &lines.0,
                offset: &lines.1,
                grid,
                to,
            }
        );
    });
    BlockGradients {
        conv,
        gamma: gamma.into_iter().map(T::of).collect(),
        beta: beta.into_iter().map(T::of).collect(),
    }
}

/// `sum z` and `sum z (x - mean)` of one image, per channel.
struct Slopes {
    beta: Vec<f64>,
    deviation: Vec<f64>,
}

fn slopes<T: Real>(
    g: &Geometry,
    pool: Pool,
    image: &[T],
    output: &[T],
    origin: &[T],
    mean: &[T],
) -> Slopes {
    let mut slopes = Slopes {
        beta: vec![0.0; g.outputs],
        deviation: vec![0.0; g.outputs],
    };
    let to = &mut slopes;
    with_area!(
        pool,
        SlopeSums {
            g,
            image,
            output,
            origin,
            mean,
            slopes: to,
        }
    );
    slopes
}

/// The block with fixed statistics.
pub(super) fn infer<T: Real>(
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
        conv::cut(&mut output, batch, &parts, columns * outputs),
        || (Vec::new(), Vec::new()),
        |(grid, convolved), (image, part, output)| {
            let image = &input[image * g.input_values()..(image + 1) * g.input_values()];
            let image = padded_rows(g, image, side * part.start..side * part.end, grid);
            convolved.resize(side * part.len() * g.output_width() * outputs, T::ZERO);
            let rows = side * part.len();
            conv::rows(g, image, &weights, &bias, rows, outputs, convolved);
            with_area!(
                pool,
                ReluPool {
                    g,
                    image: convolved,
                    output,
                }
            );
        },
    );
    output
}
