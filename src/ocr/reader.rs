//! The reader: segmentation finds the letters, the classifier names all of them in one go.

use image::RgbImage;
use rayon::prelude::*;

use super::page::{self, Guess, Letter, Line, Page, Word};
use crate::data::junk;
use crate::inference::{Classifier, ModelError};
use crate::segmentation::{self, Segmentation};
use crate::timings::{Lap, Stopwatch};

/// How many guesses a letter keeps besides the first.
const ALTERNATIVES: usize = 2;

/// Why a page could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The network.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A model that is not made for letters.
    #[error("{0}")]
    Unsuitable(String),
}

/// A page with the segmentation that it was read from.
#[derive(Debug, Clone)]
pub struct Reading {
    /// What was read.
    pub page: Page,
    /// Where it stood.
    pub segmentation: Segmentation,
    /// How long each stage took.
    pub timings: Vec<Lap>,
}

/// Whether a model can read: single characters as classes, square grey images as input.
pub fn check(classifier: &Classifier) -> Result<(), ReadError> {
    let card = classifier.card();
    let shape = card.input;
    if shape.channels != 1 || shape.height != shape.width {
        return Err(ReadError::Unsuitable(format!(
            "the model takes {}x{}x{} images (channels, height, width); reading needs a model of square grey images",
            shape.channels, shape.height, shape.width
        )));
    }
    let is_odd = |class: &&String| class.chars().count() != 1 && *class != junk::CLASS;
    match card.classes.iter().find(is_odd) {
        None => Ok(()),
        Some(class) => Err(ReadError::Unsuitable(format!(
            "the model has a class {class:?}; reading needs a model whose classes are single characters"
        ))),
    }
}

/// Reads an upright photograph.
pub fn read(photo: &RgbImage, classifier: &Classifier) -> Result<Reading, ReadError> {
    check(classifier)?;
    let mut watch = Stopwatch::start();
    let segmentation = segmentation::segment(photo);
    watch.insert(&segmentation.timings);
    let size = classifier.card().input.height;
    let letters: Vec<_> = letters(&segmentation).collect();
    let count = letters.len();
    let crops: Vec<Vec<f32>> = letters
        .into_par_iter()
        .map(|letter| segmentation.crop(letter, size).pixels)
        .collect();
    let pixels = crops.concat();
    watch.lap("crops");
    let mut probabilities = classifier.probabilities(pixels, count)?.into_iter();
    watch.lap("classify");
    let classes = &classifier.card().classes;
    let lines = segmentation
        .lines
        .iter()
        .map(|line| read_line(line, classes, &mut probabilities))
        .collect();
    let page = Page {
        width: segmentation.width,
        height: segmentation.height,
        lines,
    };
    watch.lap("text");
    let timings = watch.laps().to_vec();
    Ok(Reading {
        page,
        segmentation,
        timings,
    })
}

/// All letters in reading order.
fn letters(segmentation: &Segmentation) -> impl Iterator<Item = &segmentation::LetterBox> {
    segmentation
        .lines
        .iter()
        .flat_map(|line| &line.words)
        .flat_map(|word| &word.letters)
}

fn read_line(
    line: &segmentation::TextLine,
    classes: &[String],
    probabilities: &mut impl Iterator<Item = Vec<f32>>,
) -> Line {
    let words: Vec<Word> = line
        .words
        .iter()
        .map(|word| read_word(word, classes, probabilities))
        .collect();
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    Line {
        bounds: line.bounds,
        text: texts.join(" "),
        confidence: page::mean(
            words
                .iter()
                .flat_map(|word| &word.letters)
                .map(|letter| letter.confidence),
        ),
        words,
    }
}

fn read_word(
    word: &segmentation::Word,
    classes: &[String],
    probabilities: &mut impl Iterator<Item = Vec<f32>>,
) -> Word {
    let letters: Vec<Letter> = word
        .letters
        .iter()
        .map(|letter| {
            let row = probabilities.next().unwrap_or_default();
            let mut guesses = guesses(&row, classes).into_iter();
            let best = guesses.next().unwrap_or(Guess {
                text: String::new(),
                confidence: 0.0,
            });
            Letter {
                bounds: letter.bounds,
                text: best.text,
                confidence: best.confidence,
                alternatives: guesses.collect(),
            }
        })
        .collect();
    Word {
        bounds: word.bounds,
        text: letters.iter().map(|letter| letter.text.as_str()).collect(),
        confidence: page::mean(letters.iter().map(|letter| letter.confidence)),
        letters,
    }
}

/// The best guesses, best first. What segmentation took for a letter is one: junk is no guess, and the others' probabilities
/// are those beside it.
fn guesses(probabilities: &[f32], classes: &[String]) -> Vec<Guess> {
    let letters = || {
        let named = classes.iter().zip(probabilities);
        named.filter(|(class, _)| *class != junk::CLASS)
    };
    let all: f32 = letters().map(|(_, &probability)| probability).sum();
    let mut guesses: Vec<Guess> = letters()
        .map(|(class, &probability)| Guess {
            text: class.clone(),
            confidence: probability / all.max(f32::MIN_POSITIVE),
        })
        .collect();
    guesses.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    guesses.truncate(1 + ALTERNATIVES);
    guesses
}
