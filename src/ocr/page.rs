//! What was read: a page of lines, words and letters.

use serde::Serialize;

use crate::segmentation::{Label, Rect};

/// Everything that was read on one image. Boxes are in pixels of the upright image.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
pub struct Page {
    /// Columns of the image.
    pub width: u32,
    /// Rows of the image.
    pub height: u32,
    /// Degrees clockwise by which the image was turned to be read: 0, 90, 180 or 270, and others where its lines slant steeply.
    #[serde(skip_serializing_if = "is_zero")]
    pub rotated: u16,
    /// Whether dark areas were inverted because the writing on them is light.
    #[serde(skip_serializing_if = "is_false")]
    pub light_on_dark: bool,
    /// From top to bottom, as the page is read.
    pub lines: Vec<Line>,
}

/// Mean confidence below which a page is probably not upright block capitals, dark on light. On six photographs of pages the mean is
/// 0.83 to 1.00; rotated by 90, 180 or 270 degrees, or inverted, it is 0.42 to 0.77.
const LOW_CONFIDENCE: f32 = 0.8;

/// Confidence that a letter has where nothing was written, about: letters with less say nothing for a way to look at a page.
const CHANCE: f32 = 0.5;

/// Minimum number of letters that a page's confidence says something about: without neighbours an O may be a zero.
const MIN_LETTERS: usize = 3;

impl Page {
    /// The text of each line.
    pub fn text_lines(&self) -> Vec<String> {
        self.lines.iter().map(|line| line.text.clone()).collect()
    }

    /// All letters in reading order.
    pub fn letters(&self) -> impl Iterator<Item = &Letter> {
        let words = self.lines.iter().flat_map(|line| &line.words);
        words.flat_map(|word| &word.letters)
    }

    /// The letters as labels of an overlay.
    pub fn labels(&self) -> Vec<Label> {
        self.letters()
            .map(|letter| Label {
                bounds: letter.bounds,
                text: letter.text.clone(),
                confidence: letter.confidence,
            })
            .collect()
    }

    /// Box around all lines; `None` without lines.
    pub fn bounds(&self) -> Option<Rect> {
        let bounds = self.lines.iter().map(|line| line.bounds);
        bounds.reduce(Rect::union)
    }

    /// Mean confidence of its letters, in [0, 1]; 0 without letters.
    pub fn confidence(&self) -> f32 {
        mean(self.letters().map(|letter| letter.confidence))
    }

    /// How much its letters say for this way to look at a page: the sum of their confidences above those of letters in what is not writing.
    pub fn evidence(&self) -> f32 {
        self.letters()
            .map(|letter| letter.confidence - CHANCE)
            .sum()
    }

    /// Whether the page was read with low confidence, as most pages that are rotated or light on dark are.
    pub fn has_low_confidence(&self) -> bool {
        self.letters().count() >= MIN_LETTERS && self.confidence() < LOW_CONFIDENCE
    }
}

fn is_zero(number: &u16) -> bool {
    *number == 0
}

fn is_false(value: &bool) -> bool {
    !value
}

/// A line of writing.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
pub struct Letter {
    /// The box around its ink.
    pub bounds: Rect,
    /// What it was read as.
    pub text: String,
    /// Probability over all readings of the word, in [0, 1].
    pub confidence: f32,
    /// The next best guesses, best first.
    pub alternatives: Vec<Guess>,
}

/// Another character that a letter may be.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
pub struct Guess {
    /// The character.
    pub text: String,
    /// Probability over all readings of the word, in [0, 1].
    pub confidence: f32,
}

/// Mean of confidences; 0 without any.
pub(super) fn mean(confidences: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = confidences.fold((0.0, 0u32), |(sum, count), confidence| {
        (sum + confidence, count + 1)
    });
    match count {
        0 => 0.0,
        count => sum / count as f32,
    }
}
