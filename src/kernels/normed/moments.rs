//! Mean and squared deviations per channel, in one pass.

use super::period::Period;
use crate::kernels::moments::Moments;
use crate::kernels::simd::{Real, widest};

/// Values of a lane that are summed in its own type before they are added in `f64`.
pub(super) const LANE_VALUES: usize = 64;

/// Moments of `[position, channel]`: sums of the distances from the mean of the first positions, and of their squares.
pub(super) fn moments<T: Real>(period: &Period, channels: usize, values: &[T]) -> Moments {
    let count = (values.len() / channels) as f64;
    let few = &values[..values.len().min(LANE_VALUES.min(8) * period.length())];
    let positions = (few.len() / channels) as f64;
    let (first, _) = sums(period, few, &vec![T::ZERO; channels]);
    let pivot: Vec<T> = first.iter().map(|sum| T::of(sum / positions)).collect();
    let (distances, squares) = sums(period, values, &pivot);
    let mean = distances.iter().zip(&pivot);
    let squares = squares.iter().zip(&distances);
    Moments {
        count,
        mean: mean.map(|(d, pivot)| pivot.wide() + d / count).collect(),
        squares: squares.map(|(s, d)| (s - d * d / count).max(0.0)).collect(),
    }
}

/// The sums of the distances from `pivot`, and of their squares, per channel.
fn sums<T: Real>(period: &Period, values: &[T], pivot: &[T]) -> (Vec<f64>, Vec<f64>) {
    let length = period.length();
    let pivot = period.repeated(pivot);
    let mut all = [vec![0.0; length], vec![0.0; length]];
    let mut lanes = [vec![T::ZERO; length], vec![T::ZERO; length]];
    for values in values.chunks(LANE_VALUES * length) {
        let [distances, squares] = &mut lanes;
        widest::<T, _>(
            #[inline(always)]
            || {
                for values in values.chunks(length) {
                    add(values, &pivot, distances, squares);
                }
            },
        );
        flush(&mut lanes, &mut all);
    }
    let [distances, squares] = all;
    (period.folded(&distances), period.folded(&squares))
}

#[inline(always)]
fn add<T: Real>(values: &[T], pivot: &[T], distances: &mut [T], squares: &mut [T]) {
    let n = values.len();
    let (pivot, distances, squares) = (&pivot[..n], &mut distances[..n], &mut squares[..n]);
    for i in 0..n {
        let distance = values[i] - pivot[i];
        distances[i] += distance;
        squares[i] += distance * distance;
    }
}

/// Adds the lanes' sums to those in `f64`, and begins new ones.
pub(super) fn flush<T: Real>(lanes: &mut [Vec<T>; 2], all: &mut [Vec<f64>; 2]) {
    widest::<T, _>(
        #[inline(always)]
        || {
            for (lanes, all) in lanes.iter_mut().zip(all.iter_mut()) {
                for (lane, all) in lanes.iter_mut().zip(all) {
                    *all += lane.wide();
                    *lane = T::ZERO;
                }
            }
        },
    );
}
