//! The peak signal-to-noise ratio (PSNR) of an image.

use burn::prelude::*;

use super::metric::{BatchOutput, Direction, InEpochs, Measure, Metric, OnDevice, Outputs, Unit};

/// Largest PSNR in dB: that of equal images, so that means stay finite.
pub const MAX_PSNR: f64 = 100.0;

/// An image whose values differ by less is flat; the range of a flat one is taken as 1.
const MIN_RANGE: f64 = 1e-6;

pub(super) static METRIC: Metric = Metric {
    name: "psnr",
    title: "PSNR",
    unit: Unit::Decibels,
    direction: Direction::HigherIsBetter,
    headline: true,
    applies: |outputs| matches!(outputs, Outputs::Images(_)),
    in_epochs: InEpochs::Both,
    measure: Measure::Image(|pair| psnr(pair.original, pair.output).unwrap_or(0.0)),
    on_device: Some(of_batch),
};

/// The range of an image's values, `max - min`; 1 for a flat image.
pub(super) fn range(image: &[f32]) -> f64 {
    let bounds = (f32::INFINITY, f32::NEG_INFINITY);
    let (low, high) = image.iter().fold(bounds, |(low, high), &value| {
        (low.min(value), high.max(value))
    });
    let range = f64::from(high) - f64::from(low);
    if range < MIN_RANGE { 1.0 } else { range }
}

/// PSNR in dB, `20 log10(range) - 10 log10(mean squared error)`, with the range `max - min` of the original; at most
/// [`MAX_PSNR`]. `None` for images of different sizes or without pixels.
pub fn psnr(original: &[f32], output: &[f32]) -> Option<f64> {
    if original.len() != output.len() || original.is_empty() {
        return None;
    }
    let pairs = original.iter().zip(output);
    let squares: f64 = pairs
        .map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2))
        .sum();
    let error = squares / original.len() as f64;
    let ratio = 20.0 * range(original).log10() - 10.0 * error.log10();
    // Not `f64::min`, which would take a NaN for equal images.
    Some(if ratio > MAX_PSNR { MAX_PSNR } else { ratio })
}

/// The mean of [`psnr`] over a batch, in 32-bit floats; 0 for outputs that are not images.
fn of_batch(batch: &BatchOutput) -> OnDevice {
    let Some(originals) = batch.originals.clone() else {
        return OnDevice {
            value: batch.loss.zeros_like(),
            divisor: 1.0,
        };
    };
    let range = originals.clone().max_dim(1) - originals.clone().min_dim(1);
    let flat = range.clone().lower_elem(MIN_RANGE);
    let range = range.mask_fill(flat, 1.0);
    let error = (originals - batch.output.clone()).square().mean_dim(1);
    // 20 log10(range) - 10 log10(error)
    let ratio = error / range.square();
    let least: f64 = 10f64.powf(-MAX_PSNR / 10.0);
    let decibels: Tensor<2> = ratio
        .clamp_min(least)
        .log()
        .mul_scalar(-10.0 / std::f64::consts::LN_10);
    OnDevice {
        value: decibels.mean(),
        divisor: 1.0,
    }
}
