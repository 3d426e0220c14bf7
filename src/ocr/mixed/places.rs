//! The letters of a page as the fit of its lines sees them, and what the fit says about candidates.

use super::line_fit::{LineFit, SeenLetter};
use super::sizes::log_likelihood;
use crate::ocr::context::Lattice;
use crate::ocr::form::Classes;
use crate::segmentation::{Candidate, Candidates, LineBox};

/// Weight of the log likelihood of a letter's place, relative to that of its form: a line's letters stray together.
const WEIGHT: f32 = 0.7;

/// Longest side of a mark that may be a speck, in x-heights ...
const SMALL: f32 = 0.6;
/// ... and the score of dropping it: a full stop in its place scores about -1.5, one between the lines -5.
const DROPPED: f32 = -2.8;

/// The whole letters of each line; `rows` are the network's probabilities of these candidates, by word in reading order.
pub fn seen_letters(
    lines: &[LineBox],
    rows: &[Vec<Vec<f32>>],
    classes: &Classes,
    pen: f32,
) -> Vec<Vec<SeenLetter>> {
    let mut rows = rows.iter();
    let line = |line: &LineBox| -> Vec<SeenLetter> {
        let words = line.words.iter().zip(rows.by_ref());
        let letters = words.flat_map(|(word, rows)| {
            let whole = word
                .candidates
                .list
                .iter()
                .filter(|candidate| candidate.whole);
            whole.zip(rows)
        });
        letters
            .map(|(candidate, row)| {
                let (x, top, foot) = edges(candidate, pen);
                SeenLetter {
                    x,
                    top,
                    foot,
                    chances: classes.chances(row),
                }
            })
            .collect()
    };
    lines.iter().map(line).collect()
}

/// Adds what the places of a word's candidates say about their characters.
pub fn add_places(lattice: &mut Lattice, word: &Candidates, fit: &LineFit, pen: f32) {
    for (span, candidate) in lattice.spans.iter_mut().zip(&word.list) {
        let (x, top, foot) = edges(candidate, pen);
        let (top, foot) = fit.place(x, top, foot);
        let side = candidate.viewed.width.max(candidate.viewed.height) as f32;
        if candidate.whole && side <= SMALL * fit.x_height {
            span.not_a_letter = Some(DROPPED);
        }
        for (character, score) in &mut span.guesses {
            *score += WEIGHT * log_likelihood(*character, top, foot);
        }
        span.guesses.sort_by(|a, b| b.1.total_cmp(&a.1));
    }
}

/// Column of a candidate's middle, and rows of its top and foot without half of the pen, in pixels.
fn edges(candidate: &Candidate, pen: f32) -> (f32, f32, f32) {
    let bounds = candidate.viewed;
    let (left, top) = (bounds.x as f32, bounds.y as f32);
    let half = (pen / 2.0).min(bounds.height as f32 / 2.0);
    let foot = top + bounds.height as f32 - half;
    (left + bounds.width as f32 / 2.0, top + half, foot)
}
