//! Decides which components are writing, and joins the parts of one letter.
//!
//! All rules are relative to the page's own median letter height and contrast. What is too small for a letter (a full stop) is
//! kept apart as a mark.

use super::components::{Component, Components, widest_stroke};
use crate::segmentation::geometry::Area;
use crate::segmentation::statistics::weighted_median;

/// Least letter height, in working pixels: shorter letters can't be read, and noise forms components of this size.
pub(in crate::segmentation) const MIN_LETTER_HEIGHT: f32 = 8.0;
/// Longest side of a speck, in letter heights.
const SPECK: f32 = 0.18;
/// Greatest height of writing, in letter heights; taller components are drawings, folds or the page edge.
const MAX_HEIGHT: f32 = 2.6;
/// Greatest width of writing, in letter heights.
const MAX_WIDTH: f32 = 4.0;
/// Greatest width of a rule's remains, in letter heights ...
const RULE_WIDTH: f32 = 0.2;
/// ... and their minimum length.
const RULE_LENGTH: f32 = 1.7;
/// Minimum contrast as a fraction of the median; fainter ink shows through from the other side.
const MIN_CONTRAST: f32 = 0.45;
/// Minimum height of a component at the edge of the sheet, in letter heights.
const MIN_EDGE_HEIGHT: f32 = 0.6;
/// A component at the edge that is this many pens wide somewhere is a dark corner; where strokes meet, two pens are reached.
const DARK_CORNER: f32 = 3.5;
/// Parts of one letter lie above each other: minimum fraction of the narrower one's columns that both have.
const MIN_OVERLAP: f32 = 0.5;
/// Most rows between two parts of one letter, in letter heights.
const MAX_PART_GAP: f32 = 0.3;
/// Greatest height of two parts together, in letter heights.
const MAX_JOINED_HEIGHT: f32 = 1.5;
/// Longest side of a mark that is not a letter, in letter heights.
const MARK: f32 = 0.42;

/// Least height of a smaller print's letters, in working pixels.
const MIN_SMALL_PRINT: f32 = 9.0;
/// Letters of a smaller print in a row: fewest ...
const MIN_PRINT_ROW: usize = 5;
/// ... least height as a fraction of the neighbour's ...
const SAME_HEIGHT: f32 = 0.7;
/// ... greatest gap between neighbours, in their height ...
const MAX_PRINT_GAP: f32 = 1.0;
/// ... and how much higher or lower than its neighbour one's middle may be, in their height.
const MAX_PRINT_STEP: f32 = 0.3;

/// The components that make one letter.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::segmentation) struct Glyph {
    /// The box around them.
    pub bounds: Area,
    /// Their labels, ascending.
    pub parts: Vec<u32>,
}

/// Letters and small marks, both from left to right.
#[derive(Debug, Clone, Default)]
pub(in crate::segmentation) struct Glyphs {
    pub letters: Vec<Glyph>,
    pub marks: Vec<Glyph>,
}

/// Labels of the components that may be writing.
pub(in crate::segmentation) fn writing(components: &Components, letter_height: f32) -> Vec<u32> {
    if letter_height < MIN_LETTER_HEIGHT {
        return Vec::new();
    }
    let contrasts = components.list.iter();
    let contrasts = contrasts.map(|component| (component.contrast, component.ink));
    let contrast = weighted_median(contrasts.collect()).unwrap_or(0.0);
    let is_writing = |component: &&Component| {
        let bounds = &component.bounds;
        let (width, height) = (bounds.width() as f32, bounds.height() as f32);
        width.max(height) >= SPECK * letter_height
            && height <= MAX_HEIGHT * letter_height
            && width <= MAX_WIDTH * letter_height
            && !is_rule(width, height, letter_height)
            && component.contrast >= MIN_CONTRAST * contrast
            && (!component.at_edge || height >= MIN_EDGE_HEIGHT * letter_height)
    };
    components
        .list
        .iter()
        .filter(is_writing)
        .map(|component| component.label)
        .collect()
}

/// Whether ink of this size is an underline or what is left of a rule: thinner than strokes are long, and longer than letters.
fn is_rule(width: f32, height: f32, letter_height: f32) -> bool {
    width.min(height) <= RULE_WIDTH * letter_height
        && width.max(height) >= RULE_LENGTH * letter_height
}

/// Drops dark corners: solid components at the edge.
pub(in crate::segmentation) fn drop_dark_corners(
    components: &Components,
    kept: &mut Vec<u32>,
    page_stroke: f32,
) {
    let is_written = |component: &Component| {
        !component.at_edge || widest_stroke(components, component) <= DARK_CORNER * page_stroke
    };
    kept.retain(|&label| components.get(label).is_some_and(is_written));
}

/// Joins parts until none are left to be joined, and sorts out the marks.
pub(in crate::segmentation) fn join_parts(
    components: &Components,
    kept: &[u32],
    letter_height: f32,
) -> Glyphs {
    let mut letters: Vec<Glyph> = kept
        .iter()
        .filter_map(|&label| components.get(label))
        .map(|component| Glyph {
            bounds: component.bounds,
            parts: vec![component.label],
        })
        .collect();
    while join_once(&mut letters, letter_height) {}
    let is_mark = |letter: &Glyph| (letter.bounds.longer_side() as f32) < MARK * letter_height;
    let (marks, mut letters): (Vec<Glyph>, Vec<Glyph>) = letters.into_iter().partition(is_mark);
    let in_row = small_print(&marks);
    let mut left = Vec::new();
    for (mark, in_row) in marks.into_iter().zip(in_row) {
        if in_row { &mut letters } else { &mut left }.push(mark);
    }
    letters.sort_by_key(|letter| (letter.bounds.left, letter.parts[0]));
    Glyphs {
        letters,
        marks: left,
    }
}

/// Whether each mark stands in a row of others of its height, close together: letters of a smaller print.
fn small_print(marks: &[Glyph]) -> Vec<bool> {
    let height = |mark: &Glyph| mark.bounds.height() as f32;
    let follows = |a: &Glyph, b: &Glyph| {
        let size = height(a).max(height(b));
        let gap = b.bounds.left as f32 - a.bounds.right as f32;
        let step = (a.bounds.centre().1 - b.bounds.centre().1).abs();
        height(a).min(height(b)) >= MIN_SMALL_PRINT.max(SAME_HEIGHT * size)
            && a.bounds.left < b.bounds.left
            && (-0.3 * size..=MAX_PRINT_GAP * size).contains(&gap)
            && step <= MAX_PRINT_STEP * size
    };
    // Marks are in ascending order of their left sides.
    let mut before = vec![0usize; marks.len()];
    let mut after = vec![0usize; marks.len()];
    for b in 0..marks.len() {
        for a in 0..b {
            if follows(&marks[a], &marks[b]) {
                before[b] = before[b].max(before[a] + 1);
            }
        }
    }
    for a in (0..marks.len()).rev() {
        for b in a + 1..marks.len() {
            if follows(&marks[a], &marks[b]) {
                after[a] = after[a].max(after[b] + 1);
            }
        }
    }
    let row = before
        .iter()
        .zip(&after)
        .map(|(before, after)| before + after + 1);
    row.map(|length| length >= MIN_PRINT_ROW).collect()
}

/// Joins each letter with at most one other, the nearest pairs first; returns whether there was such a pair.
fn join_once(letters: &mut Vec<Glyph>, letter_height: f32) -> bool {
    letters.sort_by_key(|letter| (letter.bounds.left, letter.parts[0]));
    let mut pairs = Vec::new();
    for (i, a) in letters.iter().enumerate() {
        let beside = letters[i + 1..]
            .iter()
            .take_while(|b| b.bounds.left < a.bounds.right);
        for (j, b) in beside.enumerate() {
            let gap = a.bounds.rows_between(&b.bounds);
            let belong_together = gap as f32 <= MAX_PART_GAP * letter_height
                && a.bounds.shared_columns(&b.bounds) >= MIN_OVERLAP
                && a.bounds.union(&b.bounds).height() as f32 <= MAX_JOINED_HEIGHT * letter_height;
            if belong_together {
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
