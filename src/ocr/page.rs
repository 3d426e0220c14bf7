//! What was read: a page of lines of words of letters.

use serde::Serialize;

use crate::segmentation::Rect;

/// Everything that was read on one image. Boxes are in pixels of the upright image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page {
    /// Columns of the image.
    pub width: u32,
    /// Rows of the image.
    pub height: u32,
    /// From top to bottom.
    pub lines: Vec<Line>,
}

/// Below this mean confidence a page is likely to be something else than upright block capitals. On six photographs of pages
/// the mean is 0.83 to 1.00; turned by 90, 180 or 270 degrees, or with light and dark exchanged, 0.42 to 0.77.
const DOUBTFUL: f32 = 0.8;

/// Fewer letters are not judged: without neighbours an O may be a zero.
const ENOUGH: usize = 3;

impl Page {
    /// Mean confidence of its letters, in [0, 1]; 0 of none.
    pub fn confidence(&self) -> f32 {
        mean(self.letters().map(|letter| letter.confidence))
    }

    /// Whether what was read is hardly to be trusted: most pages that are turned, or light on dark, are told by this.
    pub fn is_doubtful(&self) -> bool {
        self.letters().count() >= ENOUGH && self.confidence() < DOUBTFUL
    }

    fn letters(&self) -> impl Iterator<Item = &Letter> {
        let words = self.lines.iter().flat_map(|line| &line.words);
        words.flat_map(|word| &word.letters)
    }
}

/// A line of writing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// The box around its words.
    pub bounds: Rect,
    /// Its words, with single spaces between them.
    pub text: String,
    /// Mean confidence of its letters, in [0, 1].
    pub confidence: f32,
    /// From left to right.
    pub words: Vec<Word>,
}

/// Letters without a space between them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Word {
    /// The box around its letters.
    pub bounds: Rect,
    /// Its letters.
    pub text: String,
    /// Mean confidence of its letters, in [0, 1].
    pub confidence: f32,
    /// From left to right.
    pub letters: Vec<Letter>,
}

/// One letter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Letter {
    /// The box around its ink.
    pub bounds: Rect,
    /// What it was read as.
    pub text: String,
    /// Probability that the network gives it, in [0, 1].
    pub confidence: f32,
    /// The next best guesses, best first.
    pub alternatives: Vec<Guess>,
}

/// What a letter might be as well.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Guess {
    /// The character.
    pub text: String,
    /// Probability that the network gives it, in [0, 1].
    pub confidence: f32,
}

/// Mean of confidences; 0 of none.
pub(super) fn mean(confidences: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = confidences.fold((0.0, 0u32), |(sum, count), confidence| {
        (sum + confidence, count + 1)
    });
    match count {
        0 => 0.0,
        count => sum / count as f32,
    }
}
