//! The backward pass in training.

use super::norm::Parameters;
use super::passes::{SlopeSums, Slopes, Spread, with_area};
use super::pool::Pool;
use crate::kernels::batch_part::WholeBatch;
use crate::kernels::conv::{Geometry, Gradients, Needed};
use crate::kernels::engine;
use crate::kernels::simd::Real;
use crate::kernels::threads;

/// What the backward pass needs of the forward pass.
pub(in crate::kernels) struct Trace<'a, T> {
    pub input: &'a [T],
    pub convolved: &'a [T],
    pub mean: &'a [T],
    pub variance: &'a [T],
    pub origin: &'a [T],
    /// What the statistics were taken over.
    pub whole: &'a WholeBatch,
}

/// The gradients of a block.
pub(in crate::kernels) struct BlockGradients<T> {
    /// Of the convolution. The biases' are zero: the norm subtracts the mean, and the bias with it.
    pub conv: Gradients<T>,
    pub gamma: Vec<T>,
    pub beta: Vec<T>,
}

/// Backward pass (Ioffe and Szegedy 2015, section 3). With `z` the gradient with respect to the norm's output, which is zero
/// except where an output came from, and `n` values per channel: `dbeta = sum z`, `dgamma = sum z xhat`,
/// `dx = gamma / sigma (z - dbeta / n - xhat dgamma / n)`, with the sums over the whole batch in `dx`, and those over
/// this part of it as the gradients of the parameters.
pub(in crate::kernels) fn backward<T: Real>(
    g: &Geometry,
    pool: Pool,
    trace: Trace<T>,
    p: Parameters<T>,
    output: &[T],
    needed: Needed,
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
    let lines = input_lines(g, &sums, &trace, p);
    let conv = engine::image_gradients(g, trace.input, p.weight, needed, |image, grid, to, _| {
        let (convolved, output, origin) = of_image(image);
        with_area!(
            pool,
            Spread {
                g,
                image: convolved,
                output,
                origin,
                factor: &lines.factor,
                slope: &lines.slope,
                offset: &lines.offset,
                grid,
                to,
            }
        );
    });
    BlockGradients {
        conv,
        gamma: lines.gamma,
        beta: lines.beta,
    }
}

/// The gradients of the norm's parameters, and per channel the gradient of the convolution's output as
/// `factor z + slope x + offset`.
struct Lines<T> {
    gamma: Vec<T>,
    beta: Vec<T>,
    factor: Vec<T>,
    slope: Vec<T>,
    offset: Vec<T>,
}

/// From the sums of all images, added in order.
fn input_lines<T: Real>(
    g: &Geometry,
    sums: &[Slopes],
    trace: &Trace<T>,
    p: Parameters<T>,
) -> Lines<T> {
    let sum = |of: fn(&Slopes) -> &Vec<f64>| {
        let of_channel = |channel: usize| sums.iter().map(|image| of(image)[channel]).sum::<f64>();
        (0..g.outputs).map(of_channel).collect::<Vec<f64>>()
    };
    let (betas, deviations) = (sum(|image| &image.beta), sum(|image| &image.deviation));
    let [all_betas, all_deviations] = trace.whole.sums([&betas, &deviations]);
    let count = trace.whole.count;
    let mut lines = Lines {
        gamma: Vec::with_capacity(g.outputs),
        beta: Vec::with_capacity(g.outputs),
        factor: Vec::with_capacity(g.outputs),
        slope: Vec::with_capacity(g.outputs),
        offset: Vec::with_capacity(g.outputs),
    };
    for channel in 0..g.outputs {
        let sigma = (trace.variance[channel].wide() + p.epsilon).sqrt();
        let gamma = all_deviations[channel] / sigma;
        let factor = p.gamma[channel].wide() / sigma;
        let slope = -factor * gamma / count / sigma;
        let offset = -factor * all_betas[channel] / count - slope * trace.mean[channel].wide();
        lines.gamma.push(T::of(deviations[channel] / sigma));
        lines.beta.push(T::of(betas[channel]));
        lines.factor.push(T::of(factor));
        lines.slope.push(T::of(slope));
        lines.offset.push(T::of(offset));
    }
    lines
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
