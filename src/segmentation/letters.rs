//! [`Components`] -> letters: leaves out what is no writing and joins the parts of one letter.
//!
//! All rules are relative to the page's own median letter height and contrast. What is too small for a letter (a full
//! stop) is kept apart as a mark.

use super::components::{Component, Components, widest_stroke};
use super::geometry::Area;

/// Letters lower than this many working pixels can't be read, and noise makes pieces of this size.
const LEAST_LETTER_HEIGHT: f32 = 8.0;
/// Longest side of a speck, in letter heights.
const SPECK: f32 = 0.18;
/// Largest height and width of a piece of writing, in letter heights; more is a drawing, a fold or the page's edge.
const HIGHEST: f32 = 2.6;
const WIDEST: f32 = 4.0;
/// Least contrast as part of the median; less shows through from the other side.
const GHOST: f32 = 0.45;
/// A piece at the edge of the sheet is writing only if it is at least this high, in letter heights.
const EDGE_PIECE: f32 = 0.6;
/// A piece at the edge that is this many pens wide somewhere is a dark corner; where strokes meet, two pens are reached.
const DARK_CORNER: f32 = 3.5;
/// Parts of one letter stand over each other: share of the narrower one's columns.
const PARTS_OVERLAP: f32 = 0.5;
/// ... and are near: rows between them, in letter heights.
const PARTS_GAP: f32 = 0.3;
/// ... and make no more than a letter: height of both together, in letter heights.
const PARTS_HEIGHT: f32 = 1.5;
/// Longest side of a mark that is no letter, in letter heights.
const MARK: f32 = 0.42;

/// The pieces that make one letter.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Letter {
    pub bounds: Area,
    /// Their labels, ascending.
    pub parts: Vec<u32>,
}

/// Letters and small marks, both in the order of their first part.
#[derive(Debug, Clone, Default)]
pub(super) struct Letters {
    pub letters: Vec<Letter>,
    pub marks: Vec<Letter>,
}

/// Labels of the pieces that may be writing.
pub(super) fn writing(components: &Components, letter_height: f32) -> Vec<u32> {
    if letter_height < LEAST_LETTER_HEIGHT {
        return Vec::new();
    }
    let contrast = median_contrast(&components.list);
    let is_writing = |component: &&Component| {
        let bounds = &component.bounds;
        let (width, height) = (bounds.width() as f32, bounds.height() as f32);
        width.max(height) >= SPECK * letter_height
            && height <= HIGHEST * letter_height
            && width <= WIDEST * letter_height
            && component.contrast >= GHOST * contrast
            && (!component.at_edge || height >= EDGE_PIECE * letter_height)
    };
    components
        .list
        .iter()
        .filter(is_writing)
        .map(|component| component.label)
        .collect()
}

/// Takes out dark corners: solid pieces at the edge.
pub(super) fn drop_dark_corners(components: &Components, kept: &mut Vec<u32>, page_stroke: f32) {
    let is_written = |component: &Component| {
        !component.at_edge || widest_stroke(components, component) <= DARK_CORNER * page_stroke
    };
    kept.retain(|&label| components.get(label).is_some_and(is_written));
}

/// Median contrast, each piece weighted by its ink.
fn median_contrast(list: &[Component]) -> f32 {
    let mut contrasts: Vec<(f32, usize)> = list
        .iter()
        .map(|component| (component.contrast, component.ink))
        .collect();
    contrasts.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all: usize = contrasts.iter().map(|(_, ink)| ink).sum();
    let mut below = 0;
    for (contrast, ink) in contrasts {
        below += ink;
        if 2 * below >= all {
            return contrast;
        }
    }
    0.0
}

/// Joins parts until nothing more fits together, the smallest piece first, and sets the marks apart.
pub(super) fn join_parts(components: &Components, kept: &[u32], letter_height: f32) -> Letters {
    let mut letters: Vec<Letter> = kept
        .iter()
        .filter_map(|&label| components.get(label))
        .map(|component| Letter {
            bounds: component.bounds,
            parts: vec![component.label],
        })
        .collect();
    while join_once(&mut letters, letter_height) {}
    let is_mark = |letter: &Letter| (letter.bounds.longer_side() as f32) < MARK * letter_height;
    let (marks, letters) = letters.into_iter().partition(is_mark);
    Letters { letters, marks }
}

/// Joins each letter with at most one other, the nearest pairs first; says whether there was such a pair.
fn join_once(letters: &mut Vec<Letter>, letter_height: f32) -> bool {
    letters.sort_by_key(|letter| (letter.bounds.left, letter.parts[0]));
    let mut pairs = Vec::new();
    for (i, a) in letters.iter().enumerate() {
        let beside = letters[i + 1..]
            .iter()
            .take_while(|b| b.bounds.left < a.bounds.right);
        for (j, b) in beside.enumerate() {
            let gap = a.bounds.rows_between(&b.bounds);
            let fits = gap as f32 <= PARTS_GAP * letter_height
                && a.bounds.shared_columns(&b.bounds) >= PARTS_OVERLAP
                && a.bounds.union(&b.bounds).height() as f32 <= PARTS_HEIGHT * letter_height;
            if fits {
                pairs.push((gap, i, i + 1 + j));
            }
        }
    }
    pairs.sort_unstable();
    let mut taken = vec![false; letters.len()];
    for &(_, i, j) in &pairs {
        if taken[i] || taken[j] {
            continue;
        }
        (taken[i], taken[j]) = (true, true);
        let part = std::mem::take(&mut letters[j].parts);
        let bounds = letters[j].bounds;
        letters[i].bounds = letters[i].bounds.union(&bounds);
        letters[i].parts.extend(part);
        letters[i].parts.sort_unstable();
    }
    letters.retain(|letter| !letter.parts.is_empty());
    !pairs.is_empty()
}
