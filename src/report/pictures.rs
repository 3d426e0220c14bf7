//! Pictures of first-layer weights and of autoencoders' reconstructions.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};

use super::mistakes::png;
use crate::shape::ImageShape;

/// Maximum number of units on a sheet of weights: eight rows of eight.
pub const MAX_UNITS: usize = 64;

/// Units in a row of a sheet.
const COLUMNS: usize = 8;

/// Pixels between the units of a sheet.
const GAP: usize = 3;

/// Smallest side of a unit on a sheet in pixels: smaller kernels, such as 3x3, are enlarged.
const MIN_SIDE: usize = 30;

/// The weights of each unit of a first layer, as images.
#[derive(Debug, Clone, PartialEq)]
pub struct Filters {
    /// `before training` or `after training`.
    pub when: &'static str,
    /// Number of units.
    pub units: usize,
    /// Shape of the weights of a unit.
    pub shape: ImageShape,
    /// `[units, channels, height, width]`
    pub values: Vec<f32>,
}

/// An image and its reconstruction by an autoencoder.
#[derive(Debug, Clone, PartialEq)]
pub struct Reconstruction {
    /// Name of the class.
    pub class: String,
    /// Shape of both images.
    pub shape: ImageShape,
    /// `[channels, height, width]`, in [0, 1].
    pub original: Vec<f32>,
    /// The same of the reconstruction.
    pub found: Vec<f32>,
    /// Peak signal-to-noise ratio in dB.
    pub psnr: f64,
}

/// The first units on one sheet, each from its smallest weight (black) to its largest (white). `None` without units, or if the
/// values don't match the shape.
pub fn sheet(filters: &Filters) -> Option<Vec<u8>> {
    let [channels, height, width] = filters.shape.dims();
    let values = filters.shape.values();
    let shown = filters.units.min(MAX_UNITS);
    if values == 0 || shown == 0 || filters.values.len() != filters.units * values {
        return None;
    }
    // Grey for any number of channels but three.
    let planes = if channels == 3 { 3 } else { 1 };
    let zoom = MIN_SIDE.div_ceil(height.max(width)).max(1);
    let (rows, columns) = (shown.div_ceil(COLUMNS), shown.min(COLUMNS));
    let (high, wide) = (height * zoom + GAP, width * zoom + GAP);
    let (sheet_height, sheet_width) = (rows * high - GAP, columns * wide - GAP);
    let mut sheet = vec![1.0; planes * sheet_height * sheet_width];
    for (unit, weights) in filters.values.chunks_exact(values).take(shown).enumerate() {
        let (low, range) = range(weights);
        let (top, left) = (unit / COLUMNS * high, unit % COLUMNS * wide);
        for plane in 0..planes {
            for y in 0..height * zoom {
                for x in 0..width * zoom {
                    let from = (plane * height + y / zoom) * width + x / zoom;
                    let to = (plane * sheet_height + top + y) * sheet_width + left + x;
                    sheet[to] = (weights[from] - low) / range;
                }
            }
        }
    }
    png(ImageShape::new(planes, sheet_height, sheet_width), &sheet)
}

/// The smallest value and the distance to the largest; 1 where all are equal.
fn range(values: &[f32]) -> (f32, f32) {
    let low = values.iter().copied().fold(f32::INFINITY, f32::min);
    let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let range = high - low;
    (low, if range > 0.0 { range } else { 1.0 })
}

/// The sheets side by side.
pub(super) fn filters_section(filters: &[Filters]) -> Markup {
    let units = filters.first().map_or(0, |filters| filters.units);
    html! {
        section {
            h2 { "First-layer weights" }
            p.note {
                "Each tile shows one unit's weights, scaled from minimum (black) to maximum (white)."
                @if units > MAX_UNITS { " These are the first " (MAX_UNITS) " of " (units) " units." }
            }
            div.charts {
                @for filters in filters {
                    figure {
                        figcaption { h3 { (capital(filters.when)) } }
                        @match sheet(filters) {
                            Some(file) => (picture(&file, &format!("first-layer weights {}", filters.when), "sheet")),
                            None => p.note { "no image" }
                        }
                    }
                }
            }
        }
    }
}

/// Originals above their reconstructions.
pub(super) fn reconstructions_section(reconstructions: &[Reconstruction]) -> Markup {
    html! {
        section {
            h2 { "Reconstructions" }
            p.note { "The original above, its reconstruction below, and the PSNR." }
            div.tiles {
                @for one in reconstructions {
                    figure.tile {
                        @for (pixels, what) in [(&one.original, "original"), (&one.found, "reconstruction")] {
                            @match png(one.shape, pixels) {
                                Some(file) => (picture(&file, &format!("{} of {}", what, one.class), "")),
                                None => div.blank.note { "no image" }
                            }
                        }
                        b { (one.class) }
                        div.note { (format!("{:.1}\u{a0}dB", one.psnr)) }
                    }
                }
            }
        }
    }
}

fn picture(file: &[u8], alt: &str, class: &str) -> Markup {
    let address = format!("data:image/png;base64,{}", STANDARD.encode(file));
    html! { img class=[(!class.is_empty()).then_some(class)] src=(address) alt=(alt); }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}
