//! What segmentation returns: boxes in pixels of the photograph, each letter with its own copy of its ink.

use super::geometry::Rect;
use super::ink::{Crop, Ink};
use super::straightening::Straightening;
use super::view::View;
use crate::timings::Lap;

/// What a page measures, in pixels of the photograph as it is viewed; 0 on an empty page.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct Measures {
    /// Width of the pen's stroke.
    pub stroke_width: f32,
    /// Median height of the letters, each weighted by its ink.
    pub letter_height: f32,
}

/// Why a page has no letters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Emptiness {
    /// Nothing is darker than its surroundings.
    Blank,
    /// Its ink is of this height in pixels of the photograph: too low for letters.
    TooSmall(f32),
    /// Its ink has no letter's size: specks, rules, drawings.
    NoLetters,
}

/// A page cut into lines, words and letters.
#[derive(Debug, Clone)]
pub struct Segmentation {
    /// Columns of the photograph.
    pub width: u32,
    /// Rows of the photograph.
    pub height: u32,
    /// How the photograph was looked at; boxes are in its own pixels all the same.
    pub view: View,
    /// Whether some of its writing is light on dark ground: read only in a [`View`] of light writing.
    pub has_light_writing: bool,
    /// How a sheet in perspective or lines that slant steeply can be straightened; `None` where nothing needs it, and in a view that is straightened or turned.
    pub straightening: Option<Straightening>,
    /// Why no letters were found; `None` where some were.
    pub emptiness: Option<Emptiness>,
    /// The page's own measures.
    pub measures: Measures,
    /// From top to bottom; none on an empty page.
    pub lines: Vec<LineBox>,
    /// Marks too small for a letter (full stops, specks of that size), in no particular order.
    pub marks: Vec<Rect>,
    /// The marks with their ink, and smaller ones: full stops, dots of an i, specks.
    pub small: Vec<SmallMark>,
    /// How long each stage took.
    pub timings: Vec<Lap>,
}

/// Ink too small for a letter.
#[derive(Debug, Clone, PartialEq)]
pub struct SmallMark {
    /// Its box and ink.
    pub letter: LetterBox,
    /// Its box as the page is viewed, in pixels of the turned photograph.
    pub viewed: Rect,
}

/// The box around a line of writing.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct LineBox {
    /// The box around its words.
    pub bounds: Rect,
    /// From left to right; at least one.
    pub words: Vec<WordBox>,
}

/// The box around letters without a space between them.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct WordBox {
    /// The box around its letters.
    pub bounds: Rect,
    /// From left to right; at least one.
    pub letters: Vec<LetterBox>,
    /// All that may be letters in this word, its `letters` among them.
    #[serde(skip)]
    pub candidates: Candidates,
}

/// The box around a letter, and the ink in it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct LetterBox {
    /// The box around its ink.
    pub bounds: Rect,
    #[serde(skip)]
    pub(super) ink: Ink,
}

impl LetterBox {
    /// Draws the letter as a recogniser expects it: `size` x `size`, only its own ink, centred, its longer side 25/32 of the
    /// crop and its pen about 2.75/32.
    pub fn crop(&self, size: usize) -> Crop {
        self.ink.crop(size)
    }

    /// Both as one letter: an i with its dot.
    pub fn with(&self, other: &LetterBox) -> LetterBox {
        LetterBox {
            bounds: self.bounds.union(other.bounds),
            ink: self.ink.with(&other.ink),
        }
    }
}

/// All that may be letters in a word.
///
/// The word's ink lies in pieces from left to right (an oversegmentation); a way of reading the word is a row of candidates
/// that covers each piece once. The word's own letters are one such row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Candidates {
    /// Number of pieces.
    pub pieces: usize,
    /// In ascending order of `start`.
    pub list: Vec<Candidate>,
}

/// What classifiers call a candidate that is not a character: two letters, half a letter, a blot.
pub const JUNK: &str = "junk";

/// A run of pieces that may be one letter.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its first piece.
    pub start: usize,
    /// The piece after its last; larger than `start`.
    pub end: usize,
    /// Its box and ink.
    pub letter: LetterBox,
    /// Cuts through ink at its sides, a half each: those of a whole reading add up to its number of cuts.
    pub cuts: f32,
    /// Half the sum of squares of the ink that those cuts cross, in stroke widths: two letters that touch share one stroke,
    /// the two sides of an O are two. A cut between letters that lie along each other for a while counts 1.2.
    pub cut_ink: f32,
    /// It belongs to connected ink that is too wide for one letter: cuts are to be expected.
    pub touching: bool,
    /// Gaps between letters that it bridges.
    pub joins: usize,
    /// How much wider than a broken stroke's those gaps are together, in letter heights.
    pub join_gap: f32,
    /// It is one of the word's `letters`.
    pub whole: bool,
    /// Width by height of its box, as the page is viewed.
    pub breadth: f32,
    /// Its box as the page is viewed, in pixels of the turned photograph.
    pub viewed: Rect,
}
