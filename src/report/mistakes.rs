//! Misclassified samples as tiles: the image, the true and the predicted class, the confidence.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;
use maud::{Markup, html};

use super::format::percent;
use crate::files::png_of;
use crate::shape::ImageShape;

/// Most tiles on a page: enough to see a pattern, few enough to look at.
pub const MAX_TILES: usize = 48;

/// A sample that was predicted as something else.
#[derive(Debug, Clone, PartialEq)]
pub struct Mistake {
    /// Shape of the image; of any number of channels but 3, the first is shown.
    pub shape: ImageShape,
    /// `[channels, height, width]`, in [0, 1] from black to white; values outside are clamped.
    pub pixels: Vec<f32>,
    /// Name of the true class.
    pub truth: String,
    /// Name of the class predicted instead.
    pub predicted: String,
    /// The probability that the model gave to `predicted`, in [0, 1].
    pub confidence: f32,
}

/// The sample as a PNG file. `None` if `pixels` does not match `shape`, or the shape is empty.
pub fn png(shape: ImageShape, pixels: &[f32]) -> Option<Vec<u8>> {
    let values = shape.checked_values().filter(|&values| values > 0)?;
    if values != pixels.len() {
        return None;
    }
    let area = shape.pixels();
    let planes: [&[f32]; 3] = match shape.channels {
        3 => [
            &pixels[..area],
            &pixels[area..2 * area],
            &pixels[2 * area..],
        ],
        _ => [&pixels[..area]; 3],
    };
    let bytes = (0..area).flat_map(|at| planes.map(|plane| to_byte(plane[at])));
    let size = (
        u32::try_from(shape.width).ok()?,
        u32::try_from(shape.height).ok()?,
    );
    let picture = RgbImage::from_raw(size.0, size.1, bytes.collect())?;
    png_of(&picture).ok()
}

/// The mistakes as tiles, the most confident first; at most [`MAX_TILES`].
pub(super) fn tiles(mistakes: &[Mistake]) -> Markup {
    let mut worst = most_confident(mistakes);
    worst.truncate(MAX_TILES);
    html! {
        div.tiles {
            @for mistake in worst { (tile(mistake)) }
        }
    }
}

/// The mistakes in the order of their confidence, the most confident first.
pub(super) fn most_confident(mistakes: &[Mistake]) -> Vec<&Mistake> {
    let mut worst: Vec<&Mistake> = mistakes.iter().collect();
    worst.sort_by(|a, b| sort_key(b).total_cmp(&sort_key(a)));
    worst
}

/// One image with its true class, the predicted one, and the confidence.
fn tile(mistake: &Mistake) -> Markup {
    let confidence = if mistake.confidence.is_finite() {
        percent(f64::from(mistake.confidence), 1)
    } else {
        "not finite".into()
    };
    html! {
        figure.tile {
            @match png(mistake.shape, &mistake.pixels) {
                Some(file) => {
                    @let address = format!("data:image/png;base64,{}", STANDARD.encode(file));
                    @let text = format!("{} predicted as {}", mistake.truth, mistake.predicted);
                    img src=(address) alt=(text);
                }
                None => div.blank.note { "no image" }
            }
            b { (mistake.truth) } " → " b.wrong { (mistake.predicted) }
            div.note { (confidence) }
        }
    }
}

/// What the tiles are sorted by: the confidence, with NaN as the lowest.
fn sort_key(mistake: &Mistake) -> f32 {
    if mistake.confidence.is_nan() {
        f32::NEG_INFINITY
    } else {
        mistake.confidence
    }
}

/// [0, 1] -> 0..=255; NaN is black.
fn to_byte(value: f32) -> u8 {
    // `as` rounds towards zero and maps NaN to 0.
    (value.clamp(0.0, 1.0) * 255.0).round() as u8
}
