//! Finds which way up a page is from the forms of its letters: each is shown to the network in the four ways, and the way in which most
//! look like characters is right. Letters are the same ink in every way, so nothing is cut again.

use super::form::Classes;
use super::options::ReadOptions;
use super::page::Page;
use crate::inference::{Classifier, ModelError};
use crate::segmentation::{LetterBox, Segmentation};

/// Mean confidence below which a page may lie on its side. On six photographs of pages it is 0.83 to 1.00; turned by 90, 180 or 270
/// degrees it is 0.42 to 0.77.
const DOUBTFUL: f32 = 0.85;
/// A page is also doubtful if less than this part of what may be letters was read.
const MIN_READ: f32 = 0.6;
/// Most letters that are shown to the network.
const MAX_LETTERS: usize = 120;
/// Another way is tried if the letters' mean logarithm of probability is higher by this than as the page is.
const MIN_GAIN: f32 = 0.05;
/// Floor of the probability of a letter: one blot doesn't decide.
const MIN_PROBABILITY: f32 = 0.02;

/// Whether a page may be the wrong way up.
pub(super) fn is_doubtful(page: &Page, segmentation: &Segmentation) -> bool {
    let (read, found) = (page.letters().count(), letters(segmentation).count());
    found > 0 && (page.confidence() < DOUBTFUL || (read as f32) < MIN_READ * found as f32)
}

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
    let all: Vec<&LetterBox> = letters(segmentation).collect();
    let step = all.len().div_ceil(MAX_LETTERS).max(1);
    let size = classifier.card().input.height;
    let crops: Vec<Vec<f32>> = all
        .iter()
        .step_by(step)
        .map(|letter| letter.crop(size).pixels)
        .collect();
    let mut pixels = Vec::new();
    for turns in 0..4 {
        for crop in &crops {
            pixels.extend(turned(crop, size, turns));
        }
    }
    let networks = [
        Some(classifier),
        options.mixed.as_ref().map(|mixed| mixed.classifier()),
    ];
    // Of each letter in each way, how sure the surest network is of some character.
    let mut clearest = vec![MIN_PROBABILITY; 4 * crops.len()];
    for network in networks.into_iter().flatten() {
        let classes = Classes::new(&network.card().classes, &options.alphabet);
        let rows = network.probabilities(pixels.clone(), 4 * crops.len())?;
        for (clearest, row) in clearest.iter_mut().zip(&rows) {
            let form = classes.clearest_form(&classes.posterior(row));
            let letter = 1.0 - classes.junk(row).unwrap_or(0.0);
            *clearest = clearest.max(form * letter);
        }
    }
    let mean = |way: &[f32]| way.iter().map(|one| one.ln()).sum::<f32>() / way.len() as f32;
    let by_turn: Vec<f32> = clearest.chunks(crops.len().max(1)).map(mean).collect();
    let mut likely: Vec<(f32, u8)> = (1u8..)
        .zip(by_turn.iter().skip(1))
        .filter(|(_, score)| **score > by_turn[0] + MIN_GAIN)
        .map(|(turns, score)| (*score, (segmentation.view.quarter_turns + turns) % 4))
        .collect();
    likely.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    Ok(likely.into_iter().map(|(_, turns)| turns).collect())
}

/// A square crop, turned clockwise by quarters.
fn turned(crop: &[f32], size: usize, quarter_turns: usize) -> impl Iterator<Item = f32> + '_ {
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
