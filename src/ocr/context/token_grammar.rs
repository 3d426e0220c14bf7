//! What a token may be: a word, a number, a mixture; how likely each makes a character after those before it.
//!
//! All chances are of characters and of the token's end, and add up to 1 after any beginning. They are held against a
//! classifier that was trained on all characters alike, and so are given relative to that: 0 is what it expects anyway.
//! Knows nothing of pictures.

use std::collections::HashMap;

use super::ngram::{BOUNDARY, History, Ngram, SYMBOLS};
use super::words::LETTERS;
use crate::ocr::scoring::Scoring;

/// Digits.
const DIGITS: usize = 10;
/// What the classifier expects of each character: A to Z and 0 to 9 alike.
const CHARACTERS: f32 = (LETTERS + DIGITS) as f32;
/// Chance that a word of no list ends after a letter: words of running text have 4 to 5, names 6.
const END_OF_WORD: f32 = 1.0 / 6.0;
/// The same of a number, after years, prices and house numbers, and of a mixture (a plate, a part's number).
const END_OF_NUMBER: f32 = 1.0 / 4.0;
const END_OF_MIXTURE: f32 = 1.0 / 5.0;
/// Chance that a mixture goes on with what it has: letters after a letter, digits after a digit.
const STAYS: f32 = 0.7;

/// A kind of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Letters: a word, a name.
    Word,
    /// Digits.
    Number,
    /// Letters, digits and whatever else the model knows.
    Mixture,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 3] = [Kind::Word, Kind::Number, Kind::Mixture];
}

/// What remains of a token's beginning.
pub type State = u32;

/// Says how likely a token goes on.
pub trait Grammar {
    /// Nothing yet.
    fn start(&self) -> State;
    /// The state after one more character and the logarithm of its chance; `None` where it can't stand.
    fn step(&mut self, state: State, character: char) -> Option<(State, f32)>;
    /// Logarithm of the chance that the token ends here.
    fn end(&mut self, state: State) -> f32;
}

/// Every character alike, at any place: reading without context.
pub struct Anything;

impl Grammar for Anything {
    fn start(&self) -> State {
        0
    }

    fn step(&mut self, state: State, _: char) -> Option<(State, f32)> {
        Some((state, 0.0))
    }

    fn end(&mut self, _: State) -> f32 {
        0.0
    }
}

/// Letters as a list of words has them, with some chance for any.
pub struct Words<'a> {
    ngram: &'a Ngram,
    weights: &'a Scoring,
    states: Vec<History>,
    numbers: HashMap<History, State>,
    /// Logarithms, by state.
    chances: Vec<[f32; SYMBOLS]>,
}

impl<'a> Words<'a> {
    /// A grammar of the words that `ngram` has counted.
    pub fn new(ngram: &'a Ngram, weights: &'a Scoring) -> Self {
        let mut words = Words {
            ngram,
            weights,
            states: Vec::new(),
            numbers: HashMap::new(),
            chances: Vec::new(),
        };
        words.state(History::START);
        words
    }

    fn state(&mut self, history: History) -> State {
        if let Some(&state) = self.numbers.get(&history) {
            return state;
        }
        let state = self.states.len() as State;
        let unknown = self.weights.unknown;
        let mut chances = self.ngram.after(history);
        for (symbol, chance) in chances.iter_mut().enumerate() {
            let any = match symbol {
                BOUNDARY => END_OF_WORD,
                _ => (1.0 - END_OF_WORD) / LETTERS as f32,
            };
            *chance = ((1.0 - unknown) * *chance + unknown * any).ln();
        }
        self.states.push(history);
        self.chances.push(chances);
        self.numbers.insert(history, state);
        state
    }
}

impl Grammar for Words<'_> {
    fn start(&self) -> State {
        0
    }

    fn step(&mut self, state: State, character: char) -> Option<(State, f32)> {
        let letter = character.to_ascii_uppercase();
        if !letter.is_ascii_uppercase() {
            return None;
        }
        let letter = (letter as u8 - b'A') as usize;
        let chance = self.chances[state as usize][letter];
        let next = self.states[state as usize].then(letter);
        let score = self.weights.context * (chance + CHARACTERS.ln());
        Some((self.state(next), score))
    }

    fn end(&mut self, state: State) -> f32 {
        self.weights.context * self.chances[state as usize][BOUNDARY]
    }
}

/// Digits, all alike.
pub struct Numbers<'a>(pub &'a Scoring);

impl Grammar for Numbers<'_> {
    fn start(&self) -> State {
        0
    }

    fn step(&mut self, state: State, character: char) -> Option<(State, f32)> {
        let chance = (1.0 - END_OF_NUMBER) / DIGITS as f32;
        let score = self.0.context * (chance * CHARACTERS).ln();
        character.is_ascii_digit().then_some((state, score))
    }

    fn end(&mut self, _: State) -> f32 {
        self.0.context * END_OF_NUMBER.ln()
    }
}

/// Runs of letters and runs of digits.
pub struct Mixtures<'a>(pub &'a Scoring);

/// What the last character of a mixture was.
const NOTHING: State = 0;
const A_LETTER: State = 1;
const A_DIGIT: State = 2;

impl Grammar for Mixtures<'_> {
    fn start(&self) -> State {
        NOTHING
    }

    fn step(&mut self, state: State, character: char) -> Option<(State, f32)> {
        let (next, alike) = match character.is_ascii_digit() {
            true => (A_DIGIT, DIGITS),
            false => (A_LETTER, LETTERS),
        };
        let goes_on = match state {
            NOTHING => 0.5,
            last if last == next => (1.0 - END_OF_MIXTURE) * STAYS,
            _ => (1.0 - END_OF_MIXTURE) * (1.0 - STAYS),
        };
        let score = self.0.context * (goes_on / alike as f32 * CHARACTERS).ln();
        Some((next, score))
    }

    fn end(&mut self, _: State) -> f32 {
        self.0.context * END_OF_MIXTURE.ln()
    }
}
