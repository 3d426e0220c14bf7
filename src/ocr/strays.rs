//! Lines that are no writing: edges of paper, stars, specks. What looks like letters to the network can be told by where it stands and
//! how sure the reading is.

use super::page::{Letter, Line, mean};
use crate::segmentation::Segmentation;

/// Most letters of a line that may be a stray.
const MAX_STRAY: usize = 2;
/// Mean confidence below which such a line is one.
const SURE: f32 = 0.6;
/// Characters that look alike.
const ALIKE: [&str; 6] = ["O0", "I1", "S5", "Z2", "B8", "G6"];
/// A single letter that is this many times larger or smaller than the page's is not writing.
const ODD_SIZE: f32 = 1.9;
/// Fewest letters in the other lines: beside less, nothing says what writing looks like.
const MIN_OTHERS: usize = 6;
/// Fewer letters than this ...
const FEW: usize = 4;
/// ... that are less high than this part of the page's longer side are specks.
const SPECK_HEIGHT: f32 = 0.015;

/// The lines that are writing.
pub(super) fn without_strays(lines: Vec<Line>, segmentation: &Segmentation) -> Vec<Line> {
    let letters = |line: &Line| {
        line.words
            .iter()
            .map(|word| word.letters.len())
            .sum::<usize>()
    };
    let all: usize = lines.iter().map(letters).sum();
    let longer = segmentation.width.max(segmentation.height) as f32;
    if all < FEW && segmentation.measures.letter_height < SPECK_HEIGHT * longer {
        return Vec::new();
    }
    let is_writing = |line: &Line| {
        let own = letters(line);
        let is_sure = form_confidence(line) >= SURE && !has_odd_size(line, segmentation);
        own > MAX_STRAY || is_sure || all - own < MIN_OTHERS
    };
    lines.into_iter().filter(is_writing).collect()
}

/// Whether a line is a single letter of another size than the page's.
fn has_odd_size(line: &Line, segmentation: &Segmentation) -> bool {
    let [word] = line.words.as_slice() else {
        return false;
    };
    let height = word.bounds.height.max(word.bounds.width) as f32;
    let usual = segmentation.measures.letter_height;
    word.letters.len() == 1 && !(usual / ODD_SIZE..=usual * ODD_SIZE).contains(&height)
}

/// Mean confidence in the forms of a line's letters: where an I may be a 1, it is surely one of the two.
fn form_confidence(line: &Line) -> f32 {
    let of = |letter: &Letter| {
        let partner = letter.alternatives.iter().filter(|other| {
            let pair = |pair: &&str| pair.contains(&letter.text) && pair.contains(&other.text);
            ALIKE.iter().any(pair)
        });
        letter.confidence + partner.map(|other| other.confidence).sum::<f32>()
    };
    mean(line.words.iter().flat_map(|word| &word.letters).map(of))
}
