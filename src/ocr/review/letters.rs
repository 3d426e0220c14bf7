//! The corrected letters of an image, drawn as the reader sees them.

use std::collections::HashMap;

use image::RgbImage;

use super::saved::CorrectedBox;
use crate::segmentation::{Crop, LetterBox, Rect, Segmentation, Straightening, View, segment_view};

/// What was corrected on one image.
#[derive(Debug, Clone, Default)]
pub struct Corrected {
    /// Each letter (`None`: no letter) and its crop.
    pub letters: Vec<(Option<char>, Crop)>,
    /// Boxes that are not where a letter is found: the image is another one.
    pub missing: usize,
}

/// Cuts the image as reading does, and draws the letters of the boxes as squares of `size` pixels.
pub fn corrected_letters(photo: &RgbImage, boxes: &[CorrectedBox], size: usize) -> Corrected {
    let mut best = Corrected {
        missing: boxes.len(),
        ..Corrected::default()
    };
    for view in views(photo) {
        let found = in_view(photo, view, boxes, size);
        if found.letters.len() > best.letters.len() {
            best = found;
        }
        if best.missing == 0 {
            break;
        }
    }
    best
}

/// The ways in which reading looks at a page, the usual one first.
fn views(photo: &RgbImage) -> impl Iterator<Item = View> + '_ {
    let straightening = move |light_writing| {
        let view = View {
            light_writing,
            ..View::default()
        };
        segment_view(photo, view).straightening
    };
    // Only computed if the boxes are not all found in the views before.
    let straightened = [false, true].into_iter().filter_map(straightening);
    all_turns(None).chain(straightened.flat_map(|straightening| all_turns(Some(straightening))))
}

fn all_turns(straightening: Option<Straightening>) -> impl Iterator<Item = View> {
    [false, true].into_iter().flat_map(move |light_writing| {
        (0..4).map(move |quarter_turns| View {
            straightening,
            quarter_turns,
            light_writing,
        })
    })
}

fn in_view(photo: &RgbImage, view: View, boxes: &[CorrectedBox], size: usize) -> Corrected {
    let segmentation = segment_view(photo, view);
    let letters = by_box(&segmentation);
    let mut corrected = Corrected::default();
    for wanted in boxes {
        match letters.get(&key(wanted.bounds)) {
            Some(letter) => {
                let crop = letter.crop(size);
                corrected.letters.push((wanted.character, crop));
            }
            None => corrected.missing += 1,
        }
    }
    corrected
}

/// All that may be a letter, by its box.
fn by_box(segmentation: &Segmentation) -> HashMap<[u32; 4], &LetterBox> {
    let words = segmentation.lines.iter().flat_map(|line| &line.words);
    let candidates = words.flat_map(|word| &word.candidates.list);
    let small = segmentation.small.iter().map(|mark| &mark.letter);
    let letters = candidates.map(|candidate| &candidate.letter).chain(small);
    letters.map(|letter| (key(letter.bounds), letter)).collect()
}

fn key(bounds: Rect) -> [u32; 4] {
    [bounds.x, bounds.y, bounds.width, bounds.height]
}
