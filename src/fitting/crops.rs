//! Crops of a photograph: the centre, or a random part.

use serde::{Deserialize, Serialize};

use crate::rng::{Rng, uniform};
use crate::shape::ImageShape;

/// Maximum attempts to draw a crop that lies within the photograph, as in torchvision.
const TRIES: usize = 10;

/// A crop of random area and aspect ratio, stretched to the sample (Szegedy et al. 2015, "Going deeper with convolutions",
/// section 6). The defaults are that paper's and torchvision's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RandomCropConfig {
    /// Minimum and maximum area of the crop, as a fraction of the photograph's.
    #[cfg_attr(feature = "app", schemars(inner(range(min = 0.001, max = 1.0))))]
    pub scale: [f64; 2],
    /// Minimum and maximum aspect ratio of the crop (width / height).
    #[cfg_attr(feature = "app", schemars(inner(range(min = 0.1, max = 10.0))))]
    pub ratio: [f64; 2],
}

impl Default for RandomCropConfig {
    fn default() -> Self {
        Self {
            scale: [0.08, 1.0],
            ratio: [0.75, 1.3333],
        }
    }
}

/// A part of a photograph in whole pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Columns to its left.
    pub left: usize,
    /// Rows above it.
    pub top: usize,
    /// Its columns, at least 1.
    pub width: usize,
    /// Its rows, at least 1.
    pub height: usize,
}

impl Part {
    /// Draws a part of a photograph of `width` x `height` pixels (each at least 1), as torchvision's `RandomResizedCrop`
    /// does: area uniform, logarithm of the aspect ratio uniform, position uniform. If no draw fits, the largest centre crop
    /// with an allowed aspect ratio.
    pub fn draw(config: &RandomCropConfig, width: usize, height: usize, rng: &mut Rng) -> Self {
        let area = (width * height) as f64;
        let between = |[least, most]: [f64; 2], at: f32| least + (most - least) * f64::from(at);
        let logarithms = config.ratio.map(f64::ln);
        for _ in 0..TRIES {
            let part = area * between(config.scale, uniform(rng));
            let ratio = between(logarithms, uniform(rng)).exp();
            let across = (part * ratio).sqrt().round() as usize;
            let down = (part / ratio).sqrt().round() as usize;
            if (1..=width).contains(&across) && (1..=height).contains(&down) {
                return Self {
                    top: below(height - down + 1, rng),
                    left: below(width - across + 1, rng),
                    width: across,
                    height: down,
                };
            }
        }
        Self::middle(config.ratio, width, height)
    }

    /// The largest part in the middle whose width divided by height is in `ratio`.
    fn middle(ratio: [f64; 2], width: usize, height: usize) -> Self {
        let [least, most] = ratio;
        let found = width as f64 / height as f64;
        let (mut across, mut down) = (width, height);
        if found < least {
            down = ((width as f64 / least).round() as usize).clamp(1, height);
        } else if found > most {
            across = ((height as f64 * most).round() as usize).clamp(1, width);
        }
        Self {
            left: (width - across) / 2,
            top: (height - down) / 2,
            width: across,
            height: down,
        }
    }
}

/// A uniform integer from 0 to `count - 1`.
fn below(count: usize, rng: &mut Rng) -> usize {
    // The largest f32 below 1 times a count can round up to the count.
    ((uniform(rng) * count as f32) as usize).min(count - 1)
}

/// The size to scale a photograph to before the centre crop: along one axis `1 / share` times the sample, along the
/// other at least that, in the photograph's proportions. Rounded as torchvision's `Resize` does.
pub fn cover(width: usize, height: usize, shape: ImageShape, share: f64) -> (usize, usize) {
    let scaled = |side: usize, by: usize, over: usize| {
        // Sizes are below 2^32, so a product fits.
        (side as u64 * by as u64 / over as u64) as usize
    };
    if width as u64 * shape.height as u64 >= height as u64 * shape.width as u64 {
        let down = enlarged(shape.height, share);
        (scaled(down, width, height).max(shape.width), down)
    } else {
        let across = enlarged(shape.width, share);
        (across, scaled(across, height, width).max(shape.height))
    }
}

/// A side of the sample before the rest around a centre crop is cut off: `1 / share` times as long, rounded.
pub fn enlarged(side: usize, share: f64) -> usize {
    ((side as f64 / share).round() as usize).max(side)
}

/// The first of `side` places in the middle of `length`; halves go to the even number, as in torchvision's `CenterCrop`.
pub fn centred(length: usize, side: usize) -> usize {
    (length.saturating_sub(side) as f64 / 2.0).round_ties_even() as usize
}
