//! The backward pass.

use std::ops::Range;

use super::forward::part;
use super::norm::{Norm, Statistics};
use super::passes::{Lines, Tables, channel_sums, residual_slopes, slope_sums, spread};
use super::period::Period;
use crate::kernels::activation::Activation;
use crate::kernels::conv::{Geometry, Needed};
use crate::kernels::engine;
use crate::kernels::memory::{filled, filled_part, room};
use crate::kernels::simd::Real;
use crate::kernels::threads;

/// What the backward pass needs of the forward pass.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Trace<'a, T> {
    pub input: &'a [T],
    pub weight: &'a [T],
    /// The convolution's output.
    pub convolved: &'a [T],
    pub norm: Norm<'a, T>,
    pub residual: Option<&'a [T]>,
    pub activation: Activation,
}

/// The gradients of a convolution with its norm.
pub(in crate::kernels) struct NormedGradients<T> {
    /// Of the input and of the weights, if they are needed.
    pub input: Option<Vec<T>>,
    pub weight: Option<Vec<T>>,
    /// Of the scale, or of gamma if the statistics are the batch's.
    pub scale: Vec<T>,
    pub beta: Vec<T>,
    /// Of a fixed mean.
    pub mean: Vec<T>,
    /// Of the residual, if there is one and it is not the gradient of the output itself.
    pub residual: Option<Vec<T>>,
}

/// The gradients. With `z` the gradient before residual and non-linearity, `xhat = (x - mean) / sigma` and `n` values per channel, for
/// the statistics of the batch (Ioffe and Szegedy 2015, section 3): `dbeta = sum z`, `dgamma = sum z xhat`,
/// `dx = gamma / sigma (z - dbeta / n - xhat dgamma / n)`, with the sums over the whole batch in `dx`, and those over
/// this part of it as the gradients of the parameters. For fixed ones: `dscale = sum z (x - mean)`, `dmean = -scale sum z`,
/// `dx = scale z`.
pub(in crate::kernels) fn backward<T: Real>(
    g: &Geometry,
    trace: Trace<T>,
    gradient: &[T],
    needed: Needed,
) -> NormedGradients<T> {
    let g = &g.merged();
    let tables = Tables::new(g.outputs, trace.norm.scale, trace.norm.shift);
    let ([beta, deviation], residual) = sums(g, &tables, &trace, gradient);
    let found = Found::new(g, &trace.norm, &beta, &deviation);
    let lines = found.lines(&tables.period);
    // With a residual, the slopes have passed the non-linearity already.
    let (slopes, activation) = match &residual {
        None => (gradient, trace.activation),
        Some(slopes) => (&slopes[..], Activation::Identity),
    };
    let (input, weight) = if needed.input || needed.weight {
        let found = engine::backward(g, trace.input, trace.weight, needed, |first, to| {
            let at = first..first + to.len();
            let (convolved, slopes) = (&trace.convolved[at.clone()], &slopes[at]);
            spread(&tables, &lines, convolved, slopes, activation, to);
        });
        (found.input, found.weight)
    } else {
        (None, None)
    };
    NormedGradients {
        input,
        weight,
        scale: found.scale.into_iter().map(T::of).collect(),
        beta: beta.into_iter().map(T::of).collect(),
        mean: found.mean.into_iter().map(T::of).collect(),
        residual,
    }
}

/// The sums of [`slope_sums`] over the batch, its parts added in order, and the gradient of the residual, if there is one and it
/// is not `gradient` itself.
#[allow(unsafe_code)]
fn sums<T: Real>(
    g: &Geometry,
    tables: &Tables<T>,
    trace: &Trace<T>,
    gradient: &[T],
) -> ([Vec<f64>; 2], Option<Vec<T>>) {
    let part = part(&tables.period);
    let mean = tables.period.repeated(trace.norm.mean);
    let values = gradient.len();
    let residual = trace
        .residual
        .filter(|_| trace.activation != Activation::Identity);
    let mut slopes = room(residual.map_or(0, <[T]>::len));
    let mut rooms = slopes.chunks_mut(part);
    let jobs: Vec<_> = (0..values)
        .step_by(part)
        .map(|first| (first..values.min(first + part), rooms.next()))
        .collect();
    let parts = threads::map(values, jobs, |(at, room): (Range<usize>, _)| {
        let (convolved, gradient) = (&trace.convolved[at.clone()], &gradient[at.clone()]);
        match (residual, room) {
            (Some(residual), Some(room)) => {
                let residual = &residual[at];
                residual_slopes(
                    tables,
                    convolved,
                    residual,
                    gradient,
                    trace.activation,
                    room,
                );
                // SAFETY: just written.
                let slopes = unsafe { filled_part(room) };
                slope_sums(tables, &mean, convolved, slopes, Activation::Identity)
            }
            _ => {
                let activation = if trace.residual.is_some() {
                    Activation::Identity
                } else {
                    trace.activation
                };
                slope_sums(tables, &mean, convolved, gradient, activation)
            }
        }
    });
    let mut all = [vec![0.0; g.outputs], vec![0.0; g.outputs]];
    for part in &parts {
        for (all, part) in all.iter_mut().zip(part) {
            for (sum, more) in all.iter_mut().zip(part) {
                *sum += more;
            }
        }
    }
    // SAFETY: the parts are the whole batch, and each has been written.
    let slopes = residual.map(|_| unsafe { filled(slopes) });
    (all, slopes)
}

/// The gradients of the norm, and the gradient with respect to the convolution's output as `factor z + slope x + offset`, per channel.
struct Found {
    scale: Vec<f64>,
    mean: Vec<f64>,
    factor: Vec<f64>,
    slope: Vec<f64>,
    offset: Vec<f64>,
}

impl Found {
    fn new<T: Real>(g: &Geometry, norm: &Norm<T>, beta: &[f64], deviation: &[f64]) -> Self {
        let batch = match norm.statistics {
            Statistics::Batch { whole, .. } => Some((whole.count, whole.sums([beta, deviation]))),
            Statistics::Fixed => None,
        };
        let mut found = Self {
            scale: Vec::with_capacity(g.outputs),
            mean: Vec::with_capacity(g.outputs),
            factor: Vec::with_capacity(g.outputs),
            slope: Vec::with_capacity(g.outputs),
            offset: Vec::with_capacity(g.outputs),
        };
        for channel in 0..g.outputs {
            let (factor, mean) = (norm.scale[channel].wide(), norm.mean[channel].wide());
            let (scale, slope, offset) = match (norm.statistics, &batch) {
                (Statistics::Batch { sigma, .. }, Some((count, [betas, deviations]))) => {
                    let sigma = sigma[channel].wide();
                    let gamma = deviations[channel] / sigma;
                    let slope = -factor * gamma / count / sigma;
                    let offset = -factor * betas[channel] / count - slope * mean;
                    (deviation[channel] / sigma, slope, offset)
                }
                _ => (deviation[channel], 0.0, 0.0),
            };
            found.scale.push(scale);
            found.mean.push(-factor * beta[channel]);
            found.factor.push(factor);
            found.slope.push(slope);
            found.offset.push(offset);
        }
        found
    }

    fn lines<T: Real>(&self, period: &Period) -> Lines<T> {
        let table = |values: &[f64]| {
            let values: Vec<T> = values.iter().map(|&value| T::of(value)).collect();
            period.repeated(&values)
        };
        Lines {
            factor: table(&self.factor),
            slope: table(&self.slope),
            offset: table(&self.offset),
        }
    }
}

/// The gradients of a convolution with a bias and nothing after it.
pub(in crate::kernels) struct PlainGradients<T> {
    pub input: Option<Vec<T>>,
    pub weight: Option<Vec<T>>,
    pub bias: Vec<T>,
}

/// The gradients of a convolution with a bias and nothing after it, from that of its output.
pub(in crate::kernels) fn plain_backward<T: Real>(
    g: &Geometry,
    input: &[T],
    weight: &[T],
    gradient: &[T],
    needed: Needed,
) -> PlainGradients<T> {
    let g = &g.merged();
    let period = Period::new(g.outputs);
    let parts: Vec<&[T]> = gradient.chunks(part(&period)).collect();
    let parts = threads::map(gradient.len(), parts, |part| channel_sums(&period, part));
    let mut bias = vec![0.0; g.outputs];
    for part in parts {
        for (bias, more) in bias.iter_mut().zip(part) {
            *bias += more;
        }
    }
    let found = engine::backward(g, input, weight, needed, |first, to| {
        to.write_copy_of_slice(&gradient[first..first + to.len()]);
    });
    PlainGradients {
        input: found.input,
        weight: found.weight,
        bias: bias.into_iter().map(T::of).collect(),
    }
}
