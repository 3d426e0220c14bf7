//! Draws what was found and read on the photograph: frames of lines, words and letters, and each letter beside its frame.

use image::{Rgb, RgbImage};

use super::canvas;
use crate::segmentation::boxes::Segmentation;
use crate::segmentation::geometry::Rect;

/// A string to draw beside a box.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Label {
    /// The box, in pixels of the photograph.
    pub bounds: Rect,
    /// What was read there; usually one letter.
    pub text: String,
    /// How sure the reader is, 0..=1: the text is green at 1, yellow at 0.5 and red at 0.
    pub confidence: f32,
}

const LINE_COLOUR: Rgb<u8> = Rgb([40, 110, 230]);
const WORD_COLOUR: Rgb<u8> = Rgb([240, 140, 20]);
const LETTER_COLOUR: Rgb<u8> = Rgb([210, 30, 140]);
/// Width of a frame, in letter heights.
const FRAME_WIDTH: f32 = 0.035;
/// Least width of a frame, in pixels.
const MIN_FRAME_WIDTH: f32 = 1.0;
/// Height of the letters that are drawn, in letter heights.
const TEXT_HEIGHT: f32 = 0.32;
/// Minimum height of the letters that are drawn, in pixels: smaller ones can't be distinguished.
const MIN_TEXT_HEIGHT: f32 = 7.0;
/// Letter height of a page without letters, as part of its longer side.
const DEFAULT_LETTER_HEIGHT: f32 = 0.04;

/// Draws all boxes and labels on a copy of the photograph. Line widths and text sizes follow the page's letter height.
pub fn overlay(photo: &RgbImage, segmentation: &Segmentation, labels: &[Label]) -> RgbImage {
    let mut picture = photo.clone();
    let measured = segmentation.measures.letter_height;
    let height = if measured > 0.0 {
        measured
    } else {
        DEFAULT_LETTER_HEIGHT * photo.width().max(photo.height()) as f32
    };
    let width = (FRAME_WIDTH * height).max(MIN_FRAME_WIDTH);
    for line in &segmentation.lines {
        canvas::frame(&mut picture, line.bounds, 5.0 * width, width, LINE_COLOUR);
        for word in &line.words {
            canvas::frame(&mut picture, word.bounds, 3.0 * width, width, WORD_COLOUR);
            for letter in &word.letters {
                canvas::frame(&mut picture, letter.bounds, width, width, LETTER_COLOUR);
            }
        }
    }
    let text_height = (TEXT_HEIGHT * height).max(MIN_TEXT_HEIGHT);
    for label in labels {
        draw_label(&mut picture, label, text_height, 6.0 * width);
    }
    picture
}

/// Writes a label below its box, or above where there is no room below, on a white background.
fn draw_label(picture: &mut RgbImage, label: &Label, height: f32, margin: f32) {
    let bounds = &label.bounds;
    let width = canvas::text_width(&label.text, height);
    let middle = bounds.x as f32 + bounds.width as f32 / 2.0;
    let right_most = (picture.width() as f32 - width).max(0.0);
    let left = (middle - width / 2.0).clamp(0.0, right_most);
    let below = (bounds.y + bounds.height) as f32 + margin;
    let top = if below + height <= picture.height() as f32 {
        below
    } else {
        (bounds.y as f32 - margin - height).max(0.0)
    };
    let row = top + height / 2.0;
    let ground = Rgb([255, 255, 255]);
    canvas::line(
        picture,
        (left, row),
        (left + width, row),
        1.6 * height,
        ground,
    );
    let colour = confidence_colour(label.confidence);
    canvas::text(picture, &label.text, (left, top), height, colour);
}

/// Red at 0, dark yellow at 0.5, green at 1; dark enough to be read on white.
fn confidence_colour(confidence: f32) -> Rgb<u8> {
    let sure = if confidence.is_finite() {
        confidence.clamp(0.0, 1.0)
    } else {
        0.0
    };
    let part = |value: f32| (value.clamp(0.0, 1.0) * 200.0) as u8;
    Rgb([part(2.0 - 2.0 * sure), part(1.4 * sure), 0])
}
