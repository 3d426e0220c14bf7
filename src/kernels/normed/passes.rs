//! The passes after a convolution, over runs of positions and channels.

#![allow(clippy::needless_range_loop)] // Ranges over slices of one length, which compilers vectorize.

use std::mem::MaybeUninit;

use super::moments::{LANE_VALUES, flush};
use super::period::Period;
use crate::kernels::activation::{Activation, Function, with_function};
use crate::kernels::simd::{Real, widest};

/// Tables of [`Norm`](super::Norm).
pub(super) struct Tables<T> {
    pub period: Period,
    pub scale: Vec<T>,
    pub shift: Vec<T>,
}

impl<T: Real> Tables<T> {
    pub(super) fn new(channels: usize, scale: &[T], shift: &[T]) -> Self {
        let period = Period::new(channels);
        Self {
            period,
            scale: period.repeated(scale),
            shift: period.repeated(shift),
        }
    }
}

/// The norm, the residual and the non-linearity of some positions.
pub(super) fn normalize<T: Real>(
    tables: &Tables<T>,
    convolved: &[T],
    residual: Option<&[T]>,
    activation: Activation,
    output: &mut [MaybeUninit<T>],
) {
    let length = tables.period.length();
    with_function!(activation, T, function => {
        widest::<T, _>(
            #[inline(always)]
            || {
                for (index, to) in output.chunks_mut(length).enumerate() {
                    let at = index * length..index * length + to.len();
                    let residual = residual.map(|residual| &residual[at.clone()]);
                    let (scale, shift) = (&tables.scale[..to.len()], &tables.shift[..to.len()]);
                    normalize_run(&convolved[at], residual, scale, shift, to, function);
                }
            },
        );
    });
}

#[inline(always)]
fn normalize_run<T: Real>(
    x: &[T],
    residual: Option<&[T]>,
    scale: &[T],
    shift: &[T],
    to: &mut [MaybeUninit<T>],
    function: impl Function<T>,
) {
    let n = to.len();
    match residual {
        None => {
            for i in 0..n {
                to[i].write(function.value(scale[i] * x[i] + shift[i]));
            }
        }
        Some(residual) => {
            for i in 0..n {
                to[i].write(function.value(scale[i] * x[i] + shift[i] + residual[i]));
            }
        }
    }
}

/// The residual and the non-linearity, in place.
pub(in crate::kernels) fn add_and_activate<T: Real>(
    values: &mut [T],
    residual: Option<&[T]>,
    activation: Activation,
) {
    with_function!(activation, T, function => {
        widest::<T, _>(
            #[inline(always)]
            || match residual {
                None => {
                    for value in values.iter_mut() {
                        *value = function.value(*value);
                    }
                }
                Some(residual) => {
                    for (value, &residual) in values.iter_mut().zip(residual) {
                        *value = function.value(*value + residual);
                    }
                }
            },
        );
    });
}

/// The gradient before residual and non-linearity: `gradient` times the slope at `scale x + shift + residual`.
pub(super) fn residual_slopes<T: Real>(
    tables: &Tables<T>,
    convolved: &[T],
    residual: &[T],
    gradient: &[T],
    activation: Activation,
    slopes: &mut [MaybeUninit<T>],
) {
    let length = tables.period.length();
    with_function!(activation, T, function => {
        widest::<T, _>(
            #[inline(always)]
            || {
                for (index, to) in slopes.chunks_mut(length).enumerate() {
                    let n = to.len();
                    let at = index * length..index * length + n;
                    let (x, gradient) = (&convolved[at.clone()], &gradient[at.clone()]);
                    let (scale, shift) = (&tables.scale[..n], &tables.shift[..n]);
                    let residual = &residual[at];
                    for i in 0..n {
                        let z = scale[i] * x[i] + shift[i] + residual[i];
                        to[i].write(gradient[i] * function.slope(z));
                    }
                }
            },
        );
    });
}

/// The sums over some positions, per channel, of the gradient before the non-linearity, and of its product with the distance from
/// `mean`, a table. The gradient is `gradient` times the slope at `scale x + shift`.
pub(super) fn slope_sums<T: Real>(
    tables: &Tables<T>,
    mean: &[T],
    convolved: &[T],
    gradient: &[T],
    activation: Activation,
) -> [Vec<f64>; 2] {
    let length = tables.period.length();
    let mut all = [vec![0.0; length], vec![0.0; length]];
    let mut lanes = [vec![T::ZERO; length], vec![T::ZERO; length]];
    let parts = convolved.chunks(LANE_VALUES * length);
    for (x, gradient) in parts.zip(gradient.chunks(LANE_VALUES * length)) {
        let [sums, deviations] = &mut lanes;
        with_function!(activation, T, function => {
            widest::<T, _>(
                #[inline(always)]
                || {
                    for (x, gradient) in x.chunks(length).zip(gradient.chunks(length)) {
                        add_slopes(tables, mean, x, gradient, sums, deviations, function);
                    }
                },
            );
        });
        flush(&mut lanes, &mut all);
    }
    all.map(|table| tables.period.folded(&table))
}

#[inline(always)]
fn add_slopes<T: Real>(
    tables: &Tables<T>,
    mean: &[T],
    x: &[T],
    gradient: &[T],
    sums: &mut [T],
    deviations: &mut [T],
    function: impl Function<T>,
) {
    let n = x.len();
    let (scale, shift, mean) = (&tables.scale[..n], &tables.shift[..n], &mean[..n]);
    let (gradient, sums, deviations) = (&gradient[..n], &mut sums[..n], &mut deviations[..n]);
    for i in 0..n {
        let slope = gradient[i] * function.slope(scale[i] * x[i] + shift[i]);
        sums[i] += slope;
        deviations[i] += slope * (x[i] - mean[i]);
    }
}

/// The gradient with respect to the convolution's output as `factor z + slope x + offset` with `z` as in [`slope_sums`]; tables.
pub(super) struct Lines<T> {
    pub factor: Vec<T>,
    pub slope: Vec<T>,
    pub offset: Vec<T>,
}

/// The gradient with respect to the convolution's output.
pub(super) fn spread<T: Real>(
    tables: &Tables<T>,
    lines: &Lines<T>,
    convolved: &[T],
    gradient: &[T],
    activation: Activation,
    to: &mut [MaybeUninit<T>],
) {
    let length = tables.period.length();
    with_function!(activation, T, function => {
        widest::<T, _>(
            #[inline(always)]
            || {
                for (index, to) in to.chunks_mut(length).enumerate() {
                    let at = index * length..index * length + to.len();
                    let (x, gradient) = (&convolved[at.clone()], &gradient[at]);
                    spread_run(tables, lines, x, gradient, to, function);
                }
            },
        );
    });
}

#[inline(always)]
fn spread_run<T: Real>(
    tables: &Tables<T>,
    lines: &Lines<T>,
    x: &[T],
    gradient: &[T],
    to: &mut [MaybeUninit<T>],
    function: impl Function<T>,
) {
    let n = to.len();
    let (scale, shift) = (&tables.scale[..n], &tables.shift[..n]);
    let (factor, line, offset) = (&lines.factor[..n], &lines.slope[..n], &lines.offset[..n]);
    let (x, gradient) = (&x[..n], &gradient[..n]);
    for i in 0..n {
        let slope = gradient[i] * function.slope(scale[i] * x[i] + shift[i]);
        to[i].write(factor[i] * slope + (line[i] * x[i] + offset[i]));
    }
}

/// The sums of `[position, channel]` over the positions, per channel.
pub(super) fn channel_sums<T: Real>(period: &Period, values: &[T]) -> Vec<f64> {
    let length = period.length();
    let mut all = vec![0.0; length];
    for values in values.chunks(LANE_VALUES * length) {
        let mut lanes = vec![T::ZERO; length];
        widest::<T, _>(
            #[inline(always)]
            || {
                for values in values.chunks(length) {
                    for (lane, &value) in lanes.iter_mut().zip(values) {
                        *lane += value;
                    }
                }
            },
        );
        for (all, lane) in all.iter_mut().zip(lanes) {
            *all += lane.wide();
        }
    }
    period.folded(&all)
}
