//! Passes over values: norms that no convolution is before, sums, functions, factors of channels.

use super::team::Team;
use crate::kernels::activation::{self, Activation};
use crate::kernels::channels::{POSITIONS, add_positions, scale_image};
use crate::kernels::memory::as_room;
use crate::kernels::normed::add_and_activate;
use crate::kernels::simd::widest;

/// `scale x + shift` of each channel, and the non-linearity.
#[derive(Clone, Debug)]
pub struct Affine {
    /// A factor for each channel.
    pub scale: Vec<f32>,
    /// An offset for each channel.
    pub shift: Vec<f32>,
    /// What comes after.
    pub activation: Activation,
}

impl Affine {
    /// Writes `[position, channel]` from as many values.
    pub fn run(&self, input: &[f32], output: &mut [f32]) {
        let channels = self.scale.len().max(1);
        widest::<f32, _>(
            #[inline(always)]
            || {
                let positions = input.chunks_exact(channels);
                for (to, values) in output.chunks_exact_mut(channels).zip(positions) {
                    let factors = self.scale.iter().zip(&self.shift);
                    for ((to, value), (scale, shift)) in to.iter_mut().zip(values).zip(factors) {
                        *to = scale * value + shift;
                    }
                }
            },
        );
        activation::activate(output, self.activation);
    }
}

/// The non-linearity of every value.
pub fn activate(input: &[f32], activation: Activation, output: &mut [f32]) {
    output.copy_from_slice(input);
    activation::activate(output, activation);
}

/// The sum of two, and its non-linearity.
pub fn add(input: &[f32], other: &[f32], activation: Activation, output: &mut [f32]) {
    output.copy_from_slice(input);
    add_and_activate(output, Some(other), activation);
}

/// Values per job, at least: below this, handing over costs more than it saves.
const SHARED_VALUES: usize = 1 << 14;

/// `[batch, position, channel]` times the factors of each image, `[batch, channel]`.
#[allow(unsafe_code)]
pub fn scale_channels(
    input: &[f32],
    channels: usize,
    factors: &[f32],
    output: &mut [f32],
    team: &Team,
) {
    let channels = channels.max(1);
    let factors = factors.chunks_exact(channels);
    let image = (input.len() / factors.len().max(1)).max(1);
    let part = SHARED_VALUES.next_multiple_of(channels);
    let mut parts = Vec::new();
    let images = input
        .chunks_exact(image)
        .zip(output.chunks_exact_mut(image));
    for ((input, output), factors) in images.zip(factors) {
        let places = input.chunks(part).zip(output.chunks_mut(part));
        parts.extend(places.map(|(input, output)| (input, factors, output)));
    }
    team.for_each(parts, |(input, factors, output)| {
        // SAFETY: values alone are written.
        scale_image(input, factors, unsafe { as_room(output) });
    });
}

/// The mean of each channel of each image, `[batch, channel]`, of `[batch, position, channel]`.
pub fn channel_means(
    batch: usize,
    channels: usize,
    input: &[f32],
    output: &mut [f32],
    team: &Team,
) {
    let channels = channels.max(1);
    assert_eq!(output.len(), batch * channels);
    let positions = (input.len() / output.len().max(1)).max(1);
    // Each thread sums some blocks of positions; their sums are added up in order.
    let together = SHARED_VALUES.div_ceil(POSITIONS * channels);
    let of_image = positions.div_ceil(POSITIONS) * channels;
    let mut sums = vec![0.0; batch * of_image];
    let mut parts = Vec::new();
    let images = input.chunks_exact(positions * channels);
    for (image, sums) in images.zip(sums.chunks_exact_mut(of_image)) {
        let blocks = image.chunks(together * POSITIONS * channels);
        parts.extend(blocks.zip(sums.chunks_mut(together * channels)));
    }
    team.for_each(parts, |(values, sums)| {
        let blocks = values.chunks(POSITIONS * channels);
        for (values, sums) in blocks.zip(sums.chunks_exact_mut(channels)) {
            add_positions(values, sums);
        }
    });
    let images = sums.chunks_exact(of_image);
    for (sums, output) in images.zip(output.chunks_exact_mut(channels)) {
        for (channel, to) in output.iter_mut().enumerate() {
            let sums = sums.iter().skip(channel).step_by(channels);
            let sum: f64 = sums.map(|&sum| f64::from(sum)).sum();
            *to = (sum / positions as f64) as f32;
        }
    }
}

/// `[position, value]` with mean 0 and variance 1 at each position, times `weight` plus `bias` (Ba, Kiros and Hinton 2016).
pub fn layer_norm(input: &[f32], [weight, bias]: [&[f32]; 2], epsilon: f64, output: &mut [f32]) {
    let count = weight.len().max(1);
    for (to, values) in output
        .chunks_exact_mut(count)
        .zip(input.chunks_exact(count))
    {
        let mean = lanes_sum(values, |value| value) / count as f64;
        let mean = mean as f32;
        let squares = lanes_sum(values, |value| (value - mean) * (value - mean));
        let scale = (1.0 / (squares / count as f64 + epsilon).sqrt()) as f32;
        widest::<f32, _>(
            #[inline(always)]
            || {
                let parameters = weight.iter().zip(bias);
                for ((to, value), (weight, bias)) in to.iter_mut().zip(values).zip(parameters) {
                    *to = (value - mean) * scale * weight + bias;
                }
            },
        );
    }
}

/// The sum of a function of the values, in 16 sums side by side, which are added up in order.
#[inline(always)]
fn lanes_sum(values: &[f32], of: impl Fn(f32) -> f32) -> f64 {
    const LANES: usize = 16;
    let mut sums = [0.0f32; LANES];
    let (whole, rest) = values.as_chunks::<LANES>();
    widest::<f32, _>(
        #[inline(always)]
        || {
            for values in whole {
                for (sum, &value) in sums.iter_mut().zip(values) {
                    *sum += of(value);
                }
            }
        },
    );
    let rest = rest.iter().map(|&value| f64::from(of(value)));
    sums.into_iter().map(f64::from).chain(rest).sum()
}
