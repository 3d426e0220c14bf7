//! The reader: segmentation finds what may be letters, the classifier looks at all of it in one go, and for each word the
//! way of reading it is taken that form and neighbours together make the likeliest.

use image::RgbImage;
use rayon::prelude::*;

use super::alphabet::Alphabet;
use super::context::{self, Choice, Context, Place, Token};
use super::lattice::{self, Classes, JUNK};
use super::page::{self, Guess, Letter, Line, Page, Word};
use super::scoring::Scoring;
use crate::error::ErrorExit;
use crate::inference::{Classifier, ModelError};
use crate::segmentation::{self, Candidate, Candidates, LineBox, Rect, Segmentation, StagePicture};
use crate::timings::{Lap, Stopwatch};

/// How many guesses a letter keeps besides the first.
const ALTERNATIVES: usize = 2;

/// Why a page could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The network.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A model that is not made for letters, or not for these.
    #[error("{0}")]
    Unsuitable(String),
}

impl ErrorExit for ReadError {}

/// How a page is read; the default is English, with all characters that the model knows.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What neighbours may say.
    pub context: Context,
    /// Which characters there may be.
    pub alphabet: Alphabet,
    /// What each kind of evidence counts.
    pub weights: Scoring,
    /// Whether to keep a picture of every stage of the segmentation.
    pub stage_pictures: bool,
}

/// A page with the segmentation that it was read from.
#[derive(Debug, Clone)]
pub struct Reading {
    /// What was read.
    pub page: Page,
    /// Where it stood.
    pub segmentation: Segmentation,
    /// A picture of every stage of the segmentation, if asked for.
    pub stage_pictures: Vec<StagePicture>,
    /// How long each stage took.
    pub timings: Vec<Lap>,
}

/// Whether a model can read: single characters as classes (and perhaps "junk", for what is none), square grey images as
/// input.
pub fn check(classifier: &Classifier) -> Result<(), ReadError> {
    let card = classifier.card();
    let shape = card.input;
    if shape.channels != 1 || shape.height != shape.width {
        return Err(ReadError::Unsuitable(format!(
            "the model takes {}x{}x{} images (channels, height, width); reading needs a model of square grey images",
            shape.channels, shape.height, shape.width
        )));
    }
    let odd = |class: &&String| class.chars().count() != 1 && *class != JUNK;
    match card.classes.iter().find(odd) {
        None => Ok(()),
        Some(class) => Err(ReadError::Unsuitable(format!(
            "the model has a class {class:?}; reading needs a model whose classes are single characters, and perhaps {JUNK:?}"
        ))),
    }
}

/// Reads an upright photograph as English.
pub fn read(photo: &RgbImage, classifier: &Classifier) -> Result<Reading, ReadError> {
    read_with(photo, classifier, &Options::default())
}

/// Reads an upright photograph.
///
/// # Errors
/// [`ReadError`]: the model isn't made for letters or knows none of the alphabet, or the device failed.
pub fn read_with(
    photo: &RgbImage,
    classifier: &Classifier,
    options: &Options,
) -> Result<Reading, ReadError> {
    check(classifier)?;
    let classes = Classes::new(&classifier.card().classes, &options.alphabet);
    if classes.is_empty() {
        return Err(ReadError::Unsuitable(
            "the model knows none of the characters of --alphabet; give others, or another model"
                .into(),
        ));
    }
    let mut watch = Stopwatch::start();
    let segment = || {
        if options.stage_pictures {
            segmentation::segment_with_pictures(photo)
        } else {
            (segmentation::segment(photo), Vec::new())
        }
    };
    let ((segmentation, stage_pictures), ngram) = rayon::join(segment, || options.context.ngram());
    watch.insert(&segmentation.timings);
    let rows = classify(&segmentation.lines, classifier, &mut watch)?;
    let job = Job {
        classes,
        options,
        lines: &segmentation.lines,
        rows: &rows,
    };
    let mut tokens = job.tokens();
    let choices = context::read(&tokens, ngram, &options.weights);
    let choices = job.read_empty_lines_again(&mut tokens, choices, ngram);
    let lines = job.text(&choices);
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
        stage_pictures,
        timings,
    })
}

/// Probabilities of every candidate's classes, by word in reading order.
fn classify(
    lines: &[LineBox],
    classifier: &Classifier,
    watch: &mut Stopwatch,
) -> Result<Vec<Vec<Vec<f32>>>, ModelError> {
    let size = classifier.card().input.height;
    let words = || {
        let words = lines.iter().flat_map(|line| &line.words);
        words.map(|word| &word.candidates)
    };
    let all: Vec<&Candidate> = words().flat_map(|word| &word.list).collect();
    let count = all.len();
    let crops: Vec<Vec<f32>> = all
        .into_par_iter()
        .map(|candidate| candidate.letter.crop(size).pixels)
        .collect();
    let pixels = crops.concat();
    watch.lap("crops");
    let mut rows = classifier.probabilities(pixels, count)?.into_iter();
    watch.lap("classify");
    Ok(words()
        .map(|word| rows.by_ref().take(word.list.len()).collect())
        .collect())
}

/// What the network said of a page, and how it's to be read.
struct Job<'a> {
    classes: Classes,
    options: &'a Options,
    lines: &'a [LineBox],
    /// By word in reading order.
    rows: &'a [Vec<Vec<f32>>],
}

impl Job<'_> {
    fn lattice(&self, word: &Candidates, rows: &[Vec<f32>], droppable: bool) -> context::Lattice {
        let neighbours = !matches!(self.options.context, Context::Off);
        let weights = &self.options.weights;
        lattice::lattice(word, rows, &self.classes, weights, neighbours, droppable)
    }

    /// All words in reading order.
    fn tokens(&self) -> Vec<Token> {
        let words = self.lines.iter().flat_map(|line| {
            let words = line.words.iter().enumerate();
            words.map(|(index, word)| (index == 0 && line.words.len() > 1, &word.candidates))
        });
        words
            .zip(self.rows)
            .map(|((leads, word), rows)| Token {
                lattice: self.lattice(word, rows, true),
                place: match (word.pieces, leads) {
                    (1, true) => Place::Numbering,
                    (1, false) => Place::Single,
                    _ => Place::Text,
                },
            })
            .collect()
    }

    /// Where a line would have no letter left, everything in it must be one.
    fn read_empty_lines_again(
        &self,
        tokens: &mut [Token],
        mut choices: Vec<Choice>,
        ngram: Option<&context::Ngram>,
    ) -> Vec<Choice> {
        let mut first = 0;
        let mut again = false;
        for line in self.lines {
            let words = first..first + line.words.len();
            let is_empty = |choice: &Choice| choice.best.iter().all(|(_, c)| c.is_none());
            if choices[words.clone()].iter().all(is_empty) {
                again = true;
                for (index, word) in words.clone().zip(&line.words) {
                    let rows = &self.rows[index];
                    tokens[index].lattice = self.lattice(&word.candidates, rows, false);
                }
            }
            first = words.end;
        }
        if again {
            choices = context::read(tokens, ngram, &self.options.weights);
        }
        choices
    }

    /// The page's lines; `choices` are by word in reading order.
    fn text(&self, choices: &[Choice]) -> Vec<Line> {
        let mut choices = choices.iter();
        let lines = self.lines.iter().map(|line| {
            let words = line.words.iter().zip(choices.by_ref());
            words
                .filter_map(|(word, choice)| read_word(&word.candidates, choice))
                .collect::<Vec<Word>>()
        });
        lines.filter_map(read_line).collect()
    }
}

/// Puts a line together; `None` without words.
fn read_line(words: Vec<Word>) -> Option<Line> {
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    Some(Line {
        bounds: words.iter().map(|word| word.bounds).reduce(Rect::union)?,
        text: texts.join(" "),
        confidence: page::mean(
            words
                .iter()
                .flat_map(|word| &word.letters)
                .map(|letter| letter.confidence),
        ),
        words,
    })
}

/// Puts a word together; `None` where nothing in it is a letter.
fn read_word(word: &Candidates, choice: &Choice) -> Option<Word> {
    let chosen = choice.best.iter();
    let letters: Vec<Letter> = chosen
        .filter_map(|&(span, character)| {
            let candidate = word.list.get(span)?;
            Some(read_letter(
                candidate.letter.bounds,
                character?,
                choice.shares.get(span)?,
            ))
        })
        .collect();
    Some(Word {
        bounds: letters
            .iter()
            .map(|letter| letter.bounds)
            .reduce(Rect::union)?,
        text: letters.iter().map(|letter| letter.text.as_str()).collect(),
        confidence: page::mean(letters.iter().map(|letter| letter.confidence)),
        letters,
    })
}

/// A letter as it was chosen, with the next likely characters of the same box.
fn read_letter(bounds: Rect, character: char, shares: &[(char, f32)]) -> Letter {
    // Sums of rounded numbers may be beyond 1 by a hair.
    let guess = |&(character, share): &(char, f32)| Guess {
        text: character.to_string(),
        confidence: share.clamp(0.0, 1.0),
    };
    let own = shares.iter().find(|(known, _)| *known == character);
    let mut others: Vec<&(char, f32)> = shares
        .iter()
        .filter(|(known, _)| *known != character)
        .collect();
    others.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    Letter {
        bounds,
        text: character.to_string(),
        confidence: own.map_or(0.0, |own| guess(own).confidence),
        alternatives: others.into_iter().take(ALTERNATIVES).map(guess).collect(),
    }
}
