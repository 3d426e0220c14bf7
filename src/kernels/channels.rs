//! Means of channels, and factors for them, of each image, channels last, on slices: squeeze and excitation (Hu et al. 2018).

#![allow(clippy::needless_range_loop)] // Ranges over slices of one length, which compilers vectorize.

use std::mem::MaybeUninit;

use super::memory::{filled, room};
use super::simd::{Real, widest};
use super::threads;

/// Positions whose values are summed in their own type before they are added in `f64`.
pub(super) const POSITIONS: usize = 64;

/// Images of `[position, channel]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Maps {
    pub batch: usize,
    pub positions: usize,
    pub channels: usize,
}

impl Maps {
    fn values(&self) -> usize {
        self.positions * self.channels
    }

    /// Runs `job` for each image with the values to write; what it finds is returned in order.
    #[allow(unsafe_code)]
    fn write<T: Real, R: Send>(
        &self,
        job: impl Fn(usize, &mut [MaybeUninit<T>]) -> R + Sync + Send,
    ) -> (Vec<T>, Vec<R>) {
        let mut output = room(self.batch * self.values());
        let images: Vec<_> = output
            .chunks_mut(self.values().max(1))
            .enumerate()
            .collect();
        let found = threads::map(self.batch * self.values(), images, |(image, to)| {
            job(image, to)
        });
        // SAFETY: the images are the whole output, and each job below writes all of its image.
        (unsafe { filled(output) }, found)
    }
}

/// The values times their image's factor of the channel, `[image, channel]`.
pub(super) fn scale<T: Real>(maps: Maps, values: &[T], factors: &[T]) -> Vec<T> {
    let (output, _) = maps.write(|image, to| {
        let values = &values[image * maps.values()..][..maps.values()];
        let factors = &factors[image * maps.channels..][..maps.channels];
        scale_image(values, factors, to);
    });
    output
}

/// The values `[position, channel]` of an image times the factors of their channels.
pub(super) fn scale_image<T: Real>(values: &[T], factors: &[T], to: &mut [MaybeUninit<T>]) {
    let channels = factors.len();
    widest::<T, _>(
        #[inline(always)]
        || {
            let positions = values.chunks_exact(channels);
            for (to, values) in to.chunks_exact_mut(channels).zip(positions) {
                for ((to, &value), &factor) in to.iter_mut().zip(values).zip(factors) {
                    to.write(value * factor);
                }
            }
        },
    );
}

/// The gradients of [`scale`]: of the values, and of the factors.
pub(super) fn scale_backward<T: Real>(
    maps: Maps,
    values: &[T],
    factors: &[T],
    gradient: &[T],
) -> (Vec<T>, Vec<T>) {
    let (found, sums) = maps.write(|image, to| {
        let at = image * maps.values()..(image + 1) * maps.values();
        let factors = &factors[image * maps.channels..][..maps.channels];
        image_backward(&values[at.clone()], factors, &gradient[at], to)
    });
    (found, sums.concat())
}

/// [`scale_backward`] of an image.
fn image_backward<T: Real>(
    values: &[T],
    factors: &[T],
    gradient: &[T],
    to: &mut [MaybeUninit<T>],
) -> Vec<T> {
    let channels = factors.len();
    let part = POSITIONS * channels;
    let mut all = vec![0.0; channels];
    let mut lanes = vec![T::ZERO; channels];
    let parts = values.chunks(part).zip(gradient.chunks(part));
    for (to, (values, gradient)) in to.chunks_mut(part).zip(parts) {
        widest::<T, _>(
            #[inline(always)]
            || {
                let positions = values
                    .chunks_exact(channels)
                    .zip(gradient.chunks_exact(channels));
                for (to, (values, gradient)) in to.chunks_exact_mut(channels).zip(positions) {
                    let lanes = &mut lanes[..channels];
                    for i in 0..channels {
                        to[i].write(gradient[i] * factors[i]);
                        lanes[i] += gradient[i] * values[i];
                    }
                }
            },
        );
        flush(&mut lanes, &mut all);
    }
    all.into_iter().map(T::of).collect()
}

/// Adds the lanes' sums to those in `f64`, and begins new ones.
fn flush<T: Real>(lanes: &mut [T], all: &mut [f64]) {
    for (lane, all) in lanes.iter_mut().zip(all) {
        *all += lane.wide();
        *lane = T::ZERO;
    }
}

/// Adds the values `[position, channel]` to the sums of their channels.
pub(super) fn add_positions<T: Real>(values: &[T], sums: &mut [T]) {
    widest::<T, _>(
        #[inline(always)]
        || {
            for values in values.chunks_exact(sums.len()) {
                for (sum, &value) in sums.iter_mut().zip(values) {
                    *sum += value;
                }
            }
        },
    );
}

/// The mean of each channel of each image, `[image, channel]`.
pub(super) fn means<T: Real>(maps: Maps, values: &[T]) -> Vec<T> {
    let images: Vec<&[T]> = values.chunks(maps.values().max(1)).collect();
    let means = threads::map(values.len(), images, |values| {
        let mut all = vec![0.0; maps.channels];
        let mut lanes = vec![T::ZERO; maps.channels];
        for values in values.chunks(POSITIONS * maps.channels) {
            add_positions(values, &mut lanes);
            flush(&mut lanes, &mut all);
        }
        let count = maps.positions as f64;
        all.into_iter()
            .map(|sum| T::of(sum / count))
            .collect::<Vec<T>>()
    });
    means.concat()
}

/// The gradient of [`means`].
pub(super) fn means_backward<T: Real>(maps: Maps, gradient: &[T]) -> Vec<T> {
    let (found, _) = maps.write(|image, to| {
        let gradient = &gradient[image * maps.channels..][..maps.channels];
        let count = T::of(maps.positions as f64);
        let shares: Vec<T> = gradient.iter().map(|&value| value / count).collect();
        for to in to.chunks_exact_mut(maps.channels) {
            to.write_copy_of_slice(&shares);
        }
    });
    found
}
