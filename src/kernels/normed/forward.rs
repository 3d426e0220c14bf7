//! The forward passes.

use std::mem::MaybeUninit;

use super::moments::moments;
use super::norm::shift;
use super::passes::{Tables, add_and_activate, normalize};
use super::period::Period;
use crate::kernels::activation::{Activation, Epilogue};
use crate::kernels::batch_part::WholeBatch;
use crate::kernels::conv::{Geometry, in_panels};
use crate::kernels::engine::{self, Forward};
use crate::kernels::memory::{filled, filled_part, is_large, room, stream};
use crate::kernels::moments::Moments;
use crate::kernels::simd::{Real, padded};
use crate::kernels::threads;

/// The norm after a convolution, with the statistics of the batch.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct BatchNorm<'a, T> {
    pub gamma: &'a [T],
    pub beta: &'a [T],
    /// Added to the variance.
    pub epsilon: f64,
}

/// What the forward pass with the statistics of the batch yields.
pub(in crate::kernels) struct Trained<T> {
    pub output: Vec<T>,
    /// The convolution's output.
    pub convolved: Vec<T>,
    /// Mean and biased variance of the convolution's output per channel, over batch, rows and columns.
    pub mean: Vec<T>,
    pub variance: Vec<T>,
    /// `sqrt(variance + epsilon)`
    pub sigma: Vec<T>,
    /// With `shift`, the norm as `scale x + shift`.
    pub scale: Vec<T>,
    pub shift: Vec<T>,
    /// What the statistics were taken over.
    pub whole: WholeBatch,
}

/// The forward pass in training (Ioffe and Szegedy 2015, algorithm 1).
pub(in crate::kernels) fn train<T: Real>(
    g: &Geometry,
    input: &[T],
    weight: &[T],
    norm: BatchNorm<T>,
    residual: Option<&[T]>,
    activation: Activation,
) -> Trained<T> {
    let g = &g.merged();
    let weights = Forward::new(g, weight, None);
    let period = Period::new(g.outputs);
    let no_bias = vec![T::ZERO; padded(g.outputs)];
    let (convolved, parts) =
        engine::forward(g, &weights, input, Epilogue::bias(&no_bias), |_, values| {
            moments(&period, g.outputs, values)
        });
    let (whole, moments) = WholeBatch::of(Moments::together(g.outputs, &parts));
    let variance = moments.variance();
    let sigma: Vec<f64> = variance
        .iter()
        .map(|variance| (variance + norm.epsilon).sqrt())
        .collect();
    let scale = norm.gamma.iter().zip(&sigma);
    let scale: Vec<T> = scale
        .map(|(gamma, sigma)| T::of(gamma.wide() / sigma))
        .collect();
    let mean: Vec<T> = moments.mean.into_iter().map(T::of).collect();
    let shift = shift(&mean, &scale, norm.beta);
    let tables = Tables::new(g.outputs, &scale, &shift);
    Trained {
        output: normalized(&tables, &convolved, residual, activation),
        convolved,
        mean,
        variance: variance.into_iter().map(T::of).collect(),
        sigma: sigma.into_iter().map(T::of).collect(),
        scale,
        shift,
        whole,
    }
}

/// The forward pass with a fixed norm, `scale (x - mean) + beta`, for gradients: the output, the convolution's output and the
/// norm's shift.
pub(in crate::kernels) fn fixed<T: Real>(
    g: &Geometry,
    input: &[T],
    weight: &[T],
    [mean, scale, beta]: [&[T]; 3],
    residual: Option<&[T]>,
    activation: Activation,
) -> [Vec<T>; 3] {
    let g = &g.merged();
    let weights = Forward::new(g, weight, None);
    let no_bias = vec![T::ZERO; padded(g.outputs)];
    let (convolved, _) = engine::forward(g, &weights, input, Epilogue::bias(&no_bias), |_, _| ());
    let shift = shift(mean, scale, beta);
    let tables = Tables::new(g.outputs, scale, &shift);
    let output = normalized(&tables, &convolved, residual, activation);
    [output, convolved, shift]
}

/// The forward pass with a fixed norm, without what a backward pass needs.
pub(in crate::kernels) fn infer<T: Real>(
    g: &Geometry,
    input: &[T],
    weight: &[T],
    [mean, scale, beta]: [&[T]; 3],
    residual: Option<&[T]>,
    activation: Activation,
) -> Vec<T> {
    let g = &g.merged();
    let weights = Forward::new(g, weight, Some(scale));
    let bias = in_panels(&shift(mean, scale, beta));
    let (bounds, activation) = match residual {
        None => activation.in_parts(),
        Some(_) => (None, activation),
    };
    let epilogue = Epilogue {
        bias: &bias,
        bounds,
    };
    let (output, _) = engine::forward(g, &weights, input, epilogue, |first, values| {
        let residual = residual.map(|residual| &residual[first..first + values.len()]);
        add_and_activate(values, residual, activation);
    });
    output
}

/// The convolution plus bias, and nothing after it.
pub(in crate::kernels) fn plain<T: Real>(
    g: &Geometry,
    input: &[T],
    weight: &[T],
    bias: &[T],
) -> Vec<T> {
    let g = &g.merged();
    let weights = Forward::new(g, weight, None);
    engine::forward(
        g,
        &weights,
        input,
        Epilogue::bias(&in_panels(bias)),
        |_, _| (),
    )
    .0
}

/// [`normalize`] of a batch.
#[allow(unsafe_code)]
fn normalized<T: Real>(
    tables: &Tables<T>,
    convolved: &[T],
    residual: Option<&[T]>,
    activation: Activation,
) -> Vec<T> {
    let part = part(&tables.period);
    let mut output: Vec<MaybeUninit<T>> = room(convolved.len());
    let jobs: Vec<_> = output.chunks_mut(part).enumerate().collect();
    let is_large = is_large::<T>(convolved.len());
    threads::for_each(convolved.len(), jobs, Vec::new, |piece, (index, output)| {
        let at = index * part..index * part + output.len();
        let residual = residual.map(|residual| &residual[at.clone()]);
        let convolved = &convolved[at];
        if is_large {
            in_pieces(tables, convolved, residual, activation, piece, output);
        } else {
            normalize(tables, convolved, residual, activation, output);
        }
    });
    // SAFETY: the parts are the whole output, and each has been written.
    unsafe { filled(output) }
}

/// [`normalize`] into `piece`, which stays in the first-level cache, and from there to memory.
#[allow(unsafe_code)]
fn in_pieces<T: Real>(
    tables: &Tables<T>,
    convolved: &[T],
    residual: Option<&[T]>,
    activation: Activation,
    piece: &mut Vec<MaybeUninit<T>>,
    output: &mut [MaybeUninit<T>],
) {
    /// Values of a piece: whole tables.
    const VALUES: usize = 1 << 11;
    let size = VALUES.next_multiple_of(tables.period.length());
    piece.resize(size, MaybeUninit::uninit());
    for (index, output) in output.chunks_mut(size).enumerate() {
        let at = index * size..index * size + output.len();
        let residual = residual.map(|residual| &residual[at.clone()]);
        let piece = &mut piece[..output.len()];
        normalize(tables, &convolved[at], residual, activation, piece);
        // SAFETY: just written.
        stream(unsafe { filled_part(piece) }, output);
    }
}

/// Values that a thread takes at a time: whole tables, about an eighth of a megabyte of `f32`.
pub(super) fn part(period: &Period) -> usize {
    const VALUES: usize = 1 << 15;
    VALUES.next_multiple_of(period.length())
}
