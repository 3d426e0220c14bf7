//! A photograph of one character, rendered as the page reader renders the characters it finds.
//!
//! The photograph is placed on a larger sheet in the colour of its border, which [`crate::segmentation`] then segments like a page.

use image::RgbImage;

use super::border::{border, median};
use super::resample::{self, Axis, Photo};
use crate::segmentation::{self, LetterBox, Rect};
use crate::shape::ImageShape;

/// Longer side of the photograph on the sheet, in pixels: about the height of letters on a page photographed at arm's length.
const LETTER_SIDE: usize = 80;
/// Paper around it on each side, in the same pixels. A page is mostly paper, from which its brightness is estimated.
const PAPER: usize = 120;
/// The largest piece found is the character if its longer side is at least this part of that of all pieces together;
/// otherwise the character fell apart, or there are several.
const WHOLE: f32 = 0.8;

/// The character in a grey photograph as a square sample; `None` if no single letter stands out.
pub(super) fn drawn(photo: &Photo, shape: ImageShape) -> Option<Box<[u8]>> {
    if (shape.channels, shape.height) != (1, shape.width) || photo.channels != 1 {
        return None;
    }
    let page = segmentation::segment(&on_a_sheet(photo));
    let letters = || {
        let words = page.lines.iter().flat_map(|line| &line.words);
        words.flat_map(|word| &word.letters)
    };
    let longer = |rect: &Rect| rect.width.max(rect.height);
    let largest: &LetterBox = letters().max_by_key(|letter| longer(&letter.bounds))?;
    let all = letters()
        .map(|letter| letter.bounds)
        .reduce(Rect::union)
        .filter(|all| longer(&largest.bounds) as f32 >= WHOLE * longer(all) as f32);
    all?;
    let crop = largest.crop(shape.width);
    let bytes = crop.pixels.iter();
    Some(bytes.map(|value| (value * 255.0).round() as u8).collect())
}

/// The photograph on paper of its own colour, at the size of a page's letters.
fn on_a_sheet(photo: &Photo) -> RgbImage {
    let longer = photo.width.max(photo.height).max(1);
    let scaled = |side: usize| (side * LETTER_SIDE).div_ceil(longer);
    let (width, height) = (scaled(photo.width), scaled(photo.height));
    let inner = resample::to_planes(
        photo,
        &Axis::new(0..photo.width, width, 0..width),
        &Axis::new(0..photo.height, height, 0..height),
    );
    let paper = median(border(photo, 0));
    RgbImage::from_fn(
        (width + 2 * PAPER) as u32,
        (height + 2 * PAPER) as u32,
        |x, y| {
            let inside = |at: u32, side: usize| {
                let at = (at as usize).checked_sub(PAPER)?;
                (at < side).then_some(at)
            };
            let grey = match (inside(x, width), inside(y, height)) {
                (Some(x), Some(y)) => inner[y * width + x],
                _ => paper,
            };
            image::Rgb([grey; 3])
        },
    )
}
