//! How near an image comes to another.

/// Largest PSNR in dB: what equal images get, so that means stay numbers.
pub const HIGHEST_PSNR: f64 = 100.0;

/// An image whose values differ by less is flat; the range of a flat one is taken as 1.
pub const LEAST_RANGE: f64 = 1e-6;

/// Side of the window of [`ssim`], and the standard deviation of its weights (Wang et al. 2004, section III-B).
const WINDOW: usize = 11;
const SIGMA: f64 = 1.5;

/// The constants of [`ssim`], as shares of the range (the same paper).
const K1: f64 = 0.01;
const K2: f64 = 0.03;

/// The range of an image's values, `max - min`.
fn range(image: &[f32]) -> f64 {
    let bounds = (f32::INFINITY, f32::NEG_INFINITY);
    let (low, high) = image.iter().fold(bounds, |(low, high), &value| {
        (low.min(value), high.max(value))
    });
    let range = f64::from(high) - f64::from(low);
    if range < LEAST_RANGE { 1.0 } else { range }
}

/// Peak signal-to-noise ratio in dB, `20 log10(range) - 10 log10(mean squared error)`, with the range of the original, `max -
/// min`; at most [`HIGHEST_PSNR`]. `None` for images of different sizes or without pixels.
pub fn psnr(original: &[f32], found: &[f32]) -> Option<f64> {
    if original.len() != found.len() || original.is_empty() {
        return None;
    }
    let pairs = original.iter().zip(found);
    let squares: f64 = pairs
        .map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2))
        .sum();
    let error = squares / original.len() as f64;
    let ratio = 20.0 * range(original).log10() - 10.0 * error.log10();
    // Not `f64::min`, which would take a NaN for equal images.
    Some(if ratio > HIGHEST_PSNR {
        HIGHEST_PSNR
    } else {
        ratio
    })
}

/// Structural similarity (Wang et al. 2004): the mean over all positions of an 11x11 Gaussian window inside the image, and over
/// the channels; 1 for equal images. The range is that of the original. Images are `[channels, height, width]`; `None` where
/// the window does not fit or the sizes differ.
pub fn ssim(
    original: &[f32],
    found: &[f32],
    (channels, height, width): (usize, usize, usize),
) -> Option<f64> {
    let values = channels * height * width;
    if original.len() != values
        || found.len() != values
        || height.min(width) < WINDOW
        || channels == 0
    {
        return None;
    }
    let range = range(original);
    let (c1, c2) = ((K1 * range).powi(2), (K2 * range).powi(2));
    let (mut sum, mut count) = (0.0, 0usize);
    for (a, b) in original
        .chunks_exact(height * width)
        .zip(found.chunks_exact(height * width))
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

/// The Gaussian window over all positions where it fits.
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
