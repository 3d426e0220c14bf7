//! The pictures of a report as PNG files with names, for programs that show pictures and not pages.

use image::{Rgb, RgbImage};

use super::confusion::opacity;
use super::mistakes::{Mistake, most_confident, png};
use super::pictures::{Filters, Reconstruction, sheet};
use crate::files::png_of;
use crate::metrics::classification::Confusion;

/// A picture's name, and its file.
pub type Named = (String, Vec<u8>);

/// Most mistakes and most reconstructions: what fits on a screen.
const MAX_SHOWN: usize = 16;

/// About how wide the picture of a confusion matrix is in pixels, and the sizes of a cell.
const WIDTH: usize = 576;
const CELL: (usize, usize) = (1, 24);
/// Most classes: a picture of more has over 16 million pixels.
const MAX_CLASSES: usize = 4096;

/// Colours of a hit and of a miss, as the report has them on white.
const HIT: [u8; 3] = [0x1f, 0x6f, 0xeb];
const MISS: [u8; 3] = [0xcf, 0x22, 0x2e];

/// The confusion matrix: a cell for each true class (from above) and predicted class (from the left).
pub fn confusion_picture(confusion: Option<&Confusion>) -> Option<Named> {
    let confusion = confusion.filter(|confusion| confusion.total() > 0)?;
    let classes = confusion.classes().len();
    if classes > MAX_CLASSES {
        return None;
    }
    let cell = (WIDTH / classes).clamp(CELL.0, CELL.1) as u32;
    let side = classes as u32 * cell;
    let mut picture = RgbImage::from_pixel(side, side, Rgb([255; 3]));
    for (truth, row) in (0..).zip(confusion.counts()) {
        let support: u64 = row.iter().sum();
        for (predicted, &count) in (0..).zip(row).filter(|(_, count)| **count > 0) {
            let is_hit = truth == predicted;
            let opacity = opacity(count as f64 / support as f64, is_hit);
            let color = if is_hit { HIT } else { MISS };
            // Over white.
            let mixed = color.map(|part| (255.0 - (255.0 - f64::from(part)) * opacity) as u8);
            for (x, y) in (0..cell).flat_map(|y| (0..cell).map(move |x| (x, y))) {
                picture.put_pixel(predicted * cell + x, truth * cell + y, Rgb(mixed));
            }
        }
    }
    let file = png_of(&picture).ok()?;
    Some((
        "confusion matrix: truth down, predicted across".into(),
        file,
    ))
}

/// The most confident mistakes.
pub fn mistake_pictures(mistakes: &[Mistake]) -> Vec<Named> {
    let shown = most_confident(mistakes).into_iter().take(MAX_SHOWN);
    let named = (1..).zip(shown).filter_map(|(number, mistake)| {
        let name = format!(
            "mistakes/{number:02} {} read as {}",
            mistake.truth, mistake.predicted
        );
        Some((name, png(mistake.shape, &mistake.pixels)?))
    });
    named.collect()
}

/// Originals and their reconstructions.
pub fn reconstruction_pictures(reconstructions: &[Reconstruction]) -> Vec<Named> {
    let shown = (1..).zip(reconstructions.iter().take(MAX_SHOWN));
    let named = shown.flat_map(|(number, one)| {
        let parts = [("original", &one.original), ("reconstruction", &one.found)];
        parts.into_iter().filter_map(move |(part, pixels)| {
            let name = format!("reconstructions/{number:02} {}/{part}", one.class);
            Some((name, png(one.shape, pixels)?))
        })
    });
    named.collect()
}

/// The first layer's weights.
pub fn filter_pictures(filters: &[Filters]) -> Vec<Named> {
    let named = filters.iter().filter_map(|filters| {
        let name = format!("first-layer weights/{}", filters.when);
        Some((name, sheet(filters)?))
    });
    named.collect()
}
