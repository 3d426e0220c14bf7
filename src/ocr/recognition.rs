//! Reads a page that was cut: classifies all candidates at once, and takes the most likely reading of each word by form and
//! neighbours together.

use std::borrow::Cow;

use rayon::prelude::*;

use super::alphabet::Alphabet;
use super::context::{self, Context, Token, TokenPlace, TokenReading};
use super::form::{self, Classes};
use super::mixed::{self, LineFit, SeenLetter};
use super::options::ReadOptions;
use super::page::{self, Guess, Letter, Line, Word};
use super::strays;
use super::unreadable::ReadError;
use crate::inference::{BATCH, Classifier};
use crate::progress::{CancelToken, Cancelled};
use crate::segmentation::{Candidate, Candidates, LineBox, Rect, Segmentation, WordBox};
use crate::timings::Stopwatch;

/// Number of guesses that a letter lists besides the first.
const ALTERNATIVES: usize = 2;

/// What the networks say of everything on a page that may be a letter: its text is decoded from this, by any [`Scoring`](super::scoring::Scoring).
pub struct Evidence<'a> {
    segmentation: &'a Segmentation,
    lines: Cow<'a, [LineBox]>,
    classes: Classes,
    /// Probabilities of the classes by candidate, by word in reading order.
    rows: Vec<Vec<Vec<f32>>>,
    /// By line, where its letters stand; `None` on a page of capitals and digits.
    fits: Option<Vec<Option<LineFit>>>,
}

impl<'a> Evidence<'a> {
    /// Classifies all candidates of a page, of capitals and digits or of mixed text.
    ///
    /// # Errors
    /// [`ReadError`]: the device failed, or it was cancelled.
    pub fn of(
        segmentation: &'a Segmentation,
        classifier: &Classifier,
        options: &ReadOptions,
    ) -> Result<Self, ReadError> {
        Self::timed(segmentation, classifier, options, &mut Stopwatch::start())
    }

    pub(super) fn timed(
        segmentation: &'a Segmentation,
        classifier: &Classifier,
        options: &ReadOptions,
        watch: &mut Stopwatch,
    ) -> Result<Self, ReadError> {
        let mut crops = crops(&segmentation.lines, classifier, options, watch)?;
        let fits = fit_mixed(segmentation, &crops, options, watch)?;
        let (classifier, lines) = match (&options.mixed, &fits) {
            (Some(model), Some(fits)) => {
                let lines = mixed::with_marks(&segmentation.lines, &segmentation.small, fits);
                crops = self::crops(&lines, model.classifier(), options, watch)?;
                (model.classifier(), Cow::Owned(lines))
            }
            _ => (classifier, Cow::Borrowed(segmentation.lines.as_slice())),
        };
        let classified = Classified {
            classifier,
            crops: &crops,
            cancel: &options.cancel,
        };
        let rows = classified.of(&lines, |_| true, watch)?;
        let classes = Classes::new(&classifier.card().classes, &options.alphabet);
        Ok(Self {
            segmentation,
            lines,
            classes: match (&options.mixed, &fits) {
                (Some(_), None) => classes.without_mixed(),
                _ => classes,
            },
            rows,
            fits,
        })
    }

    /// The lines of the page, in the context and by the scoring of `options`; its alphabet has no effect any more.
    ///
    /// # Errors
    /// [`Cancelled`]
    pub fn read(&self, options: &ReadOptions) -> Result<Vec<Line>, Cancelled> {
        let reader = PageReader {
            classes: &self.classes,
            options,
            lines: &self.lines,
            rows: &self.rows,
            fits: self.fits.as_deref(),
            pen: self.segmentation.measures.stroke_width,
        };
        let ngram = options.context.ngram();
        let mut tokens = reader.tokens();
        let readings = reader.read(&tokens, ngram);
        let readings = reader.reread_empty_lines(&mut tokens, readings, ngram);
        options.cancel.check()?;
        let mut read = reader.text(&readings);
        options.case.apply(&mut read);
        Ok(strays::without_strays(read, self.segmentation))
    }
}

/// Where the lines stand if the page is mixed text; `None` if it is one of capitals and digits, or no model can read another.
fn fit_mixed(
    segmentation: &Segmentation,
    crops: &[Vec<f32>],
    options: &ReadOptions,
    watch: &mut Stopwatch,
) -> Result<Option<Vec<Option<LineFit>>>, ReadError> {
    let Some(model) = &options.mixed else {
        return Ok(None);
    };
    let classifier = model.classifier();
    let rows = Classified {
        classifier,
        crops,
        cancel: &options.cancel,
    };
    let rows = rows.of(&segmentation.lines, |one| one.whole, watch)?;
    // Whatever may be read: a page of marks has no letters, even where only letters may be read.
    let classes = Classes::new(&classifier.card().classes, &Alphabet::All);
    let measures = segmentation.measures;
    let letters = mixed::seen_letters(&segmentation.lines, &rows, &classes, measures.stroke_width);
    let fits = mixed::fit_lines(&letters, measures.letter_height);
    let fitted = fits.iter().zip(&letters);
    let fitted: Vec<(LineFit, &[SeenLetter])> = fitted
        .filter_map(|(fit, letters)| Some(((*fit)?, letters.as_slice())))
        .collect();
    Ok(mixed::says_mixed(&fitted).then_some(fits))
}

/// All candidates, by word in reading order.
fn candidates(lines: &[LineBox]) -> impl Iterator<Item = &Candidate> {
    let words = lines.iter().flat_map(|line| &line.words);
    words.flat_map(|word| &word.candidates.list)
}

/// What a network sees of each candidate.
fn crops(
    lines: &[LineBox],
    classifier: &Classifier,
    options: &ReadOptions,
    watch: &mut Stopwatch,
) -> Result<Vec<Vec<f32>>, Cancelled> {
    let size = classifier.card().input.height;
    let all: Vec<&Candidate> = candidates(lines).collect();
    let crops = all
        .into_par_iter()
        .map(|candidate| {
            options.cancel.check()?;
            Ok(candidate.letter.crop(size).pixels)
        })
        .collect();
    watch.lap("crops");
    crops
}

/// Candidates as a network sees them.
struct Classified<'a> {
    classifier: &'a Classifier,
    /// Those of all candidates.
    crops: &'a [Vec<f32>],
    cancel: &'a CancelToken,
}

impl Classified<'_> {
    /// The network's probabilities of the classes of each candidate that is `wanted`, by word in reading order.
    fn of(
        &self,
        lines: &[LineBox],
        wanted: impl Fn(&Candidate) -> bool,
        watch: &mut Stopwatch,
    ) -> Result<Vec<Vec<Vec<f32>>>, ReadError> {
        let chosen = candidates(lines).zip(self.crops);
        let chosen: Vec<&[f32]> = chosen
            .filter(|(candidate, _)| wanted(candidate))
            .map(|(_, crop)| crop.as_slice())
            .collect();
        let mut rows = Vec::with_capacity(chosen.len());
        for batch in chosen.chunks(BATCH) {
            self.cancel.check()?;
            let pixels = batch.concat();
            rows.extend(self.classifier.probabilities(pixels, batch.len())?);
        }
        let mut rows = rows.into_iter();
        watch.lap("classify");
        let words = lines.iter().flat_map(|line| &line.words);
        let of_word = |word: &WordBox| {
            let list = word.candidates.list.iter();
            list.filter(|one| wanted(one)).count()
        };
        Ok(words
            .map(|word| rows.by_ref().take(of_word(word)).collect())
            .collect())
    }
}

/// A page after the network: what turns probabilities into text.
struct PageReader<'a> {
    classes: &'a Classes,
    options: &'a ReadOptions,
    lines: &'a [LineBox],
    /// By word in reading order.
    rows: &'a [Vec<Vec<f32>>],
    /// By line, where its letters stand; `None` on a page of capitals and digits.
    fits: Option<&'a [Option<LineFit>]>,
    /// Width of the page's pen in pixels.
    pen: f32,
}

impl PageReader<'_> {
    /// The lattice of a word in the line with this number; with `droppable`, junk may be dropped.
    fn lattice(
        &self,
        word: &Candidates,
        line: usize,
        rows: &[Vec<f32>],
        droppable: bool,
    ) -> context::Lattice {
        let neighbours = !matches!(self.options.context, Context::Off);
        let scoring = &self.options.scoring;
        let classes = self.classes;
        let mut lattice = form::lattice(word, rows, classes, scoring, neighbours, droppable);
        if let Some(fit) = self.fits.and_then(|fits| fits.get(line)?.as_ref()) {
            mixed::add_places(&mut lattice, word, fit, self.pen);
        }
        lattice
    }

    /// The words of each line, by number.
    fn ranges(&self) -> Vec<std::ops::Range<usize>> {
        let mut first = 0;
        let range = |line: &LineBox| {
            let words = first..first + line.words.len();
            first = words.end;
            words
        };
        self.lines.iter().map(range).collect()
    }

    /// All words as tokens, in reading order.
    fn tokens(&self) -> Vec<Token> {
        let words = self.lines.iter().enumerate().flat_map(|(number, line)| {
            let words = line.words.iter().enumerate();
            let leads = |index| index == 0 && line.words.len() > 1;
            words.map(move |(index, word)| (number, leads(index), &word.candidates))
        });
        words
            .zip(self.rows)
            .map(|((line, leads, word), rows)| Token {
                lattice: self.lattice(word, line, rows, true),
                mixed: self.fits.is_some(),
                place: match (word.pieces, leads) {
                    (1, true) => TokenPlace::Numbering,
                    (1, false) => TokenPlace::Single,
                    _ => TokenPlace::Text,
                },
            })
            .collect()
    }

    /// Reads lines again of which nothing is left: everything in them must be a letter then, if it isn't a mark that may not be read.
    fn reread_empty_lines(
        &self,
        tokens: &mut [Token],
        mut readings: Vec<TokenReading>,
        ngram: Option<&context::Ngram>,
    ) -> Vec<TokenReading> {
        let mut again = false;
        for (number, words) in self.ranges().into_iter().enumerate() {
            let is_empty = |reading: &TokenReading| reading.best.iter().all(|(_, c)| c.is_none());
            if !self.classes.leave_marks_out() && readings[words.clone()].iter().all(is_empty) {
                again = true;
                for (index, word) in words.zip(&self.lines[number].words) {
                    let (word, rows) = (&word.candidates, &self.rows[index]);
                    tokens[index].lattice = self.lattice(word, number, rows, false);
                }
            }
        }
        if again {
            readings = self.read(tokens, ngram);
        }
        readings
    }

    /// Reads all tokens together.
    fn read(&self, tokens: &[Token], ngram: Option<&context::Ngram>) -> Vec<TokenReading> {
        let ReadOptions {
            scoring, cancel, ..
        } = self.options;
        context::read_lines(tokens, &self.ranges(), ngram, scoring, cancel)
    }

    /// The page's lines; `readings` are by word in reading order.
    fn text(&self, readings: &[TokenReading]) -> Vec<Line> {
        let mut readings = readings.iter();
        let lines = self.lines.iter().map(|line| {
            let words = line.words.iter().zip(readings.by_ref());
            words
                .filter_map(|(word, reading)| read_word(&word.candidates, reading))
                .collect::<Vec<Word>>()
        });
        lines.filter_map(read_line).collect()
    }
}

/// Assembles a line; `None` without words.
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

/// Assembles a word; `None` where nothing in it is a letter.
fn read_word(word: &Candidates, reading: &TokenReading) -> Option<Word> {
    let chosen = reading.best.iter();
    let letters: Vec<Letter> = chosen
        .filter_map(|&(span, character)| {
            let candidate = word.list.get(span)?;
            Some(read_letter(
                candidate.letter.bounds,
                character?,
                reading.shares.get(span)?,
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

/// A letter with the next most likely characters of the same box.
fn read_letter(bounds: Rect, character: char, shares: &[(char, f32)]) -> Letter {
    // Rounding may push sums slightly above 1.
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
