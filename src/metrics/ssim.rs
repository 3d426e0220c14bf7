//! The structural similarity (SSIM) of an image.

use super::metric::{Direction, InEpochs, Measure, Metric, Outputs, Unit};
use super::psnr::range;
use crate::shape::ImageShape;

/// Side of the window of [`ssim`], and the standard deviation of its weights (Wang et al. 2004, section III-B).
const WINDOW: usize = 11;
const SIGMA: f64 = 1.5;

/// The constants of [`ssim`], as fractions of the range (the same paper).
const K1: f64 = 0.01;
const K2: f64 = 0.03;

pub(super) static METRIC: Metric = Metric {
    name: "ssim",
    title: "SSIM",
    unit: Unit::Plain,
    direction: Direction::HigherIsBetter,
    headline: true,
    applies: |outputs| matches!(outputs, Outputs::Images(shape) if holds_window(shape)),
    in_epochs: InEpochs::Never,
    measure: Measure::Image(|pair| ssim(pair.original, pair.output, pair.shape).unwrap_or(0.0)),
    on_device: None,
};

/// Whether the window of [`ssim`] fits into an image.
fn holds_window(shape: ImageShape) -> bool {
    shape.channels > 0 && shape.height.min(shape.width) >= WINDOW
}

/// Structural similarity (Wang et al. 2004): the mean over all positions of an 11x11 Gaussian window inside the image, and over
/// the channels; 1 for equal images. The range is that of the original. Images are `[channels, height, width]`; `None` where
/// the image is smaller than the window or the sizes differ.
pub fn ssim(original: &[f32], output: &[f32], shape: ImageShape) -> Option<f64> {
    let has_shape = |image: &[f32]| Some(image.len()) == shape.checked_values();
    if !has_shape(original) || !has_shape(output) || !holds_window(shape) {
        return None;
    }
    let width = shape.width;
    let range = range(original);
    let (c1, c2) = ((K1 * range).powi(2), (K2 * range).powi(2));
    let (mut sum, mut count) = (0.0, 0usize);
    for (a, b) in original
        .chunks_exact(shape.pixels())
        .zip(output.chunks_exact(shape.pixels()))
    {
        let blurred = |of: &dyn Fn(f64, f64) -> f64| {
            let pairs = a.iter().zip(b);
            let plane: Vec<f64> = pairs
                .map(|(&a, &b)| of(f64::from(a), f64::from(b)))
                .collect();
            blur(&plane, width)
        };
        let (mean_a, mean_b) = (blurred(&|a, _| a), blurred(&|_, b| b));
        let (aa, bb, ab) = (
            blurred(&|a, _| a * a),
            blurred(&|_, b| b * b),
            blurred(&|a, b| a * b),
        );
        for i in 0..mean_a.len() {
            let (ma, mb) = (mean_a[i], mean_b[i]);
            let (va, vb, cov) = (aa[i] - ma * ma, bb[i] - mb * mb, ab[i] - ma * mb);
            sum += (2.0 * ma * mb + c1) * (2.0 * cov + c2)
                / ((ma * ma + mb * mb + c1) * (va + vb + c2));
            count += 1;
        }
    }
    Some(sum / count as f64)
}

/// The weighted mean of a plane under the Gaussian window, at all positions where the window lies inside.
fn blur(plane: &[f64], width: usize) -> Vec<f64> {
    let weights: Vec<f64> = (0..WINDOW)
        .map(|i| {
            let distance = i as f64 - (WINDOW / 2) as f64;
            (-distance * distance / (2.0 * SIGMA * SIGMA)).exp()
        })
        .collect();
    let sum: f64 = weights.iter().sum();
    let weights: Vec<f64> = weights.iter().map(|weight| weight / sum).collect();
    let weighted = |values: &mut dyn Iterator<Item = f64>| -> f64 {
        values
            .zip(&weights)
            .map(|(value, weight)| value * weight)
            .sum()
    };
    let columns = width + 1 - WINDOW;
    let across: Vec<f64> = plane
        .chunks_exact(width)
        .flat_map(|row| {
            row.windows(WINDOW)
                .map(|window| weighted(&mut window.iter().copied()))
        })
        .collect();
    let rows = across.len() / columns;
    let mut blurred = Vec::with_capacity((rows + 1).saturating_sub(WINDOW) * columns);
    for row in 0..(rows + 1).saturating_sub(WINDOW) {
        for column in 0..columns {
            let below = across[row * columns + column..].iter().step_by(columns);
            blurred.push(weighted(&mut below.copied().take(WINDOW)));
        }
    }
    blurred
}
