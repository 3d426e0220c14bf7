//! Finds which way up a page is from the forms of its letters: each is shown to the network in the four ways, and the way in which most
//! look like characters is right. Letters are the same ink in every way, so nothing is cut again.

use rayon::prelude::*;

use super::form::Classes;
use super::options::ReadOptions;
use super::page::{Letter, Page};
use crate::inference::{Classifier, ModelError};
use crate::segmentation::{CutPage, LetterBox, Segmentation, View};

/// Mean confidence below which a page may lie on its side. On six photographs of pages it is 0.83 to 1.00; turned by 90, 180 or 270
/// degrees it is 0.42 to 0.77.
const DOUBTFUL: f32 = 0.85;
/// A page is also doubtful if less than this part of what may be letters was read.
const MIN_READ: f32 = 0.6;
/// Most letters that are shown to the network ...
const MAX_LETTERS: usize = 120;
/// ... and before a page is read: only a clear gain counts then.
const MAX_EARLY_LETTERS: usize = 48;
/// Another way is tried if the letters' mean logarithm of probability is higher by this than as the page is.
const MIN_GAIN: f32 = 0.05;
/// Letters that are looked at on every page ...
const FEW_LETTERS: usize = 32;
/// ... and the mean logarithm of their probabilities from which on a page is not turned.
const UPRIGHT: f32 = -0.3;
/// A page is read turned before it is read as it is if the letters' mean logarithm of probability is higher by this.
const CLEAR_GAIN: f32 = 0.3;
/// Fewer letters than this tell nothing before they are read.
const MIN_LETTERS: usize = 6;
/// A way in which letters have less than this mean logarithm of probability is none in which they are characters.
const LEAST_CLEAR: f32 = -1.2;
/// Floor of the probability of a letter: one blot doesn't decide.
const MIN_PROBABILITY: f32 = 0.02;

/// Whether a page may be the wrong way up: unsure, with few of its letters read, or mostly marks.
pub(super) fn is_doubtful(page: &Page, segmentation: &Segmentation) -> bool {
    let (read, found) = (page.letters().count(), letters(segmentation).count());
    let is_mark = |letter: &Letter| letter.text.chars().all(|c| !c.is_alphanumeric());
    let marks = page.letters().filter(|letter| is_mark(letter)).count();
    found > 0
        && (page.confidence() < DOUBTFUL
            || (read as f32) < MIN_READ * found as f32
            || 2 * marks > read)
}

/// The letters of a page, in reading order.
fn letters(segmentation: &Segmentation) -> impl Iterator<Item = &LetterBox> {
    let words = segmentation.lines.iter().flat_map(|line| &line.words);
    words.flat_map(|word| &word.letters)
}

/// Quarter turns clockwise, other than the page's own, in which more of its letters look like characters; the best first.
pub(super) fn likely_turns(
    segmentation: &Segmentation,
    classifier: &Classifier,
    options: &ReadOptions,
) -> Result<Vec<u8>, ModelError> {
    let networks = Networks {
        classifier,
        options,
    };
    let letters: Vec<&LetterBox> = letters(segmentation).collect();
    let gains = networks.gains(&letters, MAX_LETTERS)?;
    let mut likely: Vec<(f32, u8)> = (1..4)
        .map(|turns| {
            let gain = gains[usize::from(turns)];
            (gain, turned_by(segmentation.view, turns))
        })
        .filter(|(gain, _)| *gain > MIN_GAIN)
        .collect();
    likely.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    Ok(likely.into_iter().map(|(_, turns)| turns).collect())
}

/// The quarter turns of a page whose letters look like characters far more in another way than the page's own; looks at few letters
/// where they do as the page is.
pub(super) fn clear_turn(
    page: &CutPage,
    classifier: &Classifier,
    options: &ReadOptions,
) -> Result<Option<u8>, ModelError> {
    let networks = Networks {
        classifier,
        options,
    };
    let letters = page.letters();
    let letters: Vec<&LetterBox> = letters.iter().collect();
    if letters.len() < MIN_LETTERS || networks.is_upright(&letters)? {
        return Ok(None);
    }
    let gains = networks.gains(&letters, MAX_EARLY_LETTERS)?;
    let gain = |turns: &u8| gains[usize::from(*turns)];
    let best = (1u8..4).max_by(|a, b| gain(a).total_cmp(&gain(b)));
    Ok(best
        .filter(|turns| gain(turns) > CLEAR_GAIN)
        .map(|turns| turned_by(page.view(), turns)))
}

/// The page's own quarter turns and these.
fn turned_by(view: View, turns: u8) -> u8 {
    (view.quarter_turns + turns) % 4
}

/// What letters are shown to.
struct Networks<'a> {
    classifier: &'a Classifier,
    options: &'a ReadOptions,
}

impl Networks<'_> {
    /// Whether most of a few letters look like characters as the page is.
    fn is_upright(&self, letters: &[&LetterBox]) -> Result<bool, ModelError> {
        // The second network is not asked where the first is sure.
        for by_turn in self.clearness(letters, &[0], FEW_LETTERS) {
            if by_turn?.iter().any(|&clearness| clearness >= UPRIGHT) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// By how much clearer the letters are after 0 to 3 quarter turns than as the page is, to the network to which that makes the
    /// greatest difference: one that knows both cases finds a character in more forms. Nothing is gained where they are no characters.
    /// Looks at most at `most` letters.
    fn gains(&self, letters: &[&LetterBox], most: usize) -> Result<[f32; 4], ModelError> {
        let by_network = self.clearness(letters, &[0, 1, 2, 3], most);
        let by_network = by_network.collect::<Result<Vec<_>, _>>()?;
        Ok(std::array::from_fn(|turns| {
            let clear = by_network.iter().filter(|way| way[turns] >= LEAST_CLEAR);
            let gains = clear.map(|by_turn| by_turn[turns] - by_turn[0]);
            gains.fold(f32::NEG_INFINITY, f32::max)
        }))
    }

    /// By network and quarter turns, the mean logarithm of how sure the network is that a letter is some character. Shows at most `most`
    /// letters.
    fn clearness(
        &self,
        letters: &[&LetterBox],
        turns: &[u8],
        most: usize,
    ) -> impl Iterator<Item = Result<Vec<f32>, ModelError>> {
        let step = letters.len().div_ceil(most).max(1);
        let size = self.classifier.card().input.height;
        let shown: Vec<&LetterBox> = letters.iter().copied().step_by(step).collect();
        let crops: Vec<Vec<f32>> = shown
            .par_iter()
            .map(|letter| letter.crop(size).pixels)
            .collect();
        let mut pixels = Vec::new();
        for &turns in turns {
            for crop in &crops {
                pixels.extend(turned(crop, size, turns));
            }
        }
        let mixed = self.options.mixed.as_ref().map(|mixed| mixed.classifier());
        let networks = [Some(self.classifier), mixed].into_iter().flatten();
        let count = crops.len();
        networks.map(move |network| {
            let classes = Classes::new(&network.card().classes, &self.options.alphabet);
            let rows = network.probabilities(pixels.clone(), turns.len() * count)?;
            let letterness = |row: &Vec<f32>| {
                let form = classes.clearest_form(&classes.posterior(row));
                let letter = 1.0 - classes.junk(row).unwrap_or(0.0);
                (form * letter).max(MIN_PROBABILITY).ln()
            };
            let mean =
                |rows: &[Vec<f32>]| rows.iter().map(letterness).sum::<f32>() / rows.len() as f32;
            Ok(rows.chunks(count.max(1)).map(mean).collect())
        })
    }
}

/// A square crop, turned clockwise by quarters.
fn turned(crop: &[f32], size: usize, quarter_turns: u8) -> impl Iterator<Item = f32> + '_ {
    let last = size - 1;
    (0..size * size).map(move |at| {
        let (x, y) = (at % size, at / size);
        let (column, row) = match quarter_turns {
            0 => (x, y),
            1 => (y, last - x),
            2 => (last - x, last - y),
            _ => (last - y, x),
        };
        crop[row * size + column]
    })
}
