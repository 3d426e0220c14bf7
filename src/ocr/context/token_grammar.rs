//! What a token may be (a word, a number, a mixture), and how likely each kind makes a character after those before it.

use std::collections::HashMap;

use super::ngram::{BOUNDARY, History, Ngram, SYMBOLS};
use super::word_list::LETTERS;
use crate::ocr::scoring::Scoring;

/// Number of digits.
const DIGITS: usize = 10;
/// Number of characters; to the classifier, A to Z and 0 to 9 are equally likely.
pub(super) const CHARACTERS: f32 = (LETTERS + DIGITS) as f32;
/// Chance that a word of no list ends after a letter: words of running text have 4 to 5, names 6.
const END_OF_WORD: f32 = 1.0 / 6.0;
/// Chance that a number ends after a digit: years, prices and house numbers have 4.
const END_OF_NUMBER: f32 = 1.0 / 4.0;
/// Chance that a mixture (a number plate, a part number) ends after a character.
const END_OF_MIXTURE: f32 = 1.0 / 5.0;
/// Chance that a mixture continues with the same class: letters after a letter, digits after a digit.
const SAME_CLASS: f32 = 0.7;

/// A kind of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// Letters: a word, a name.
    Word,
    /// Digits.
    Number,
    /// Letters, digits and whatever else the model knows.
    Mixture,
}

impl TokenKind {
    /// Every kind.
    pub const ALL: [TokenKind; 3] = [TokenKind::Word, TokenKind::Number, TokenKind::Mixture];
}

/// What a grammar remembers of a token's beginning.
pub type GrammarState = u32;

/// Says how likely each next character of a token is.
///
/// Scores are logarithms of chances relative to those that the classifier assumes (all characters alike): 0 adds nothing to what
/// the classifier says. Before that, the chances of all characters and of the token's end add up to 1.
pub trait Grammar {
    /// The state before the first character.
    fn start(&self) -> GrammarState;
    /// The state after one more character, and its score; `None` where the character can't follow.
    fn step(&mut self, state: GrammarState, character: char) -> Option<(GrammarState, f32)>;
    /// The score of the token's end here.
    fn end(&mut self, state: GrammarState) -> f32;
}

/// Every character at any place, all equally likely: reading without context.
pub struct AnyGrammar;

impl Grammar for AnyGrammar {
    fn start(&self) -> GrammarState {
        0
    }

    fn step(&mut self, state: GrammarState, _: char) -> Option<(GrammarState, f32)> {
        Some((state, 0.0))
    }

    fn end(&mut self, _: GrammarState) -> f32 {
        0.0
    }
}

/// Letters as the words of a list have them, with some chance for any other.
pub struct WordGrammar<'a> {
    ngram: &'a Ngram,
    scoring: &'a Scoring,
    /// By state.
    states: Vec<History>,
    numbers: HashMap<History, GrammarState>,
    /// Logarithms of the chances, by state and symbol.
    chances: Vec<[f32; SYMBOLS]>,
}

impl<'a> WordGrammar<'a> {
    /// The grammar of the words that `ngram` has counted.
    pub fn new(ngram: &'a Ngram, scoring: &'a Scoring) -> Self {
        let mut words = WordGrammar {
            ngram,
            scoring,
            states: Vec::new(),
            numbers: HashMap::new(),
            chances: Vec::new(),
        };
        words.state(History::START);
        words
    }

    fn state(&mut self, history: History) -> GrammarState {
        if let Some(&state) = self.numbers.get(&history) {
            return state;
        }
        let state = self.states.len() as GrammarState;
        let unknown = self.scoring.unknown;
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

impl Grammar for WordGrammar<'_> {
    fn start(&self) -> GrammarState {
        0
    }

    fn step(&mut self, state: GrammarState, character: char) -> Option<(GrammarState, f32)> {
        let letter = character.to_ascii_uppercase();
        if !letter.is_ascii_uppercase() {
            return None;
        }
        let letter = (letter as u8 - b'A') as usize;
        let chance = self.chances[state as usize][letter];
        let next = self.states[state as usize].then(letter);
        let score = self.scoring.context * (chance + CHARACTERS.ln());
        Some((self.state(next), score))
    }

    fn end(&mut self, state: GrammarState) -> f32 {
        self.scoring.context * self.chances[state as usize][BOUNDARY]
    }
}

/// Digits, all equally likely.
pub struct NumberGrammar<'a>(pub &'a Scoring);

impl Grammar for NumberGrammar<'_> {
    fn start(&self) -> GrammarState {
        0
    }

    fn step(&mut self, state: GrammarState, character: char) -> Option<(GrammarState, f32)> {
        let chance = (1.0 - END_OF_NUMBER) / DIGITS as f32;
        let score = self.0.context * (chance * CHARACTERS).ln();
        character.is_ascii_digit().then_some((state, score))
    }

    fn end(&mut self, _: GrammarState) -> f32 {
        self.0.context * END_OF_NUMBER.ln()
    }
}

/// Runs of letters and runs of digits.
pub struct MixtureGrammar<'a>(pub &'a Scoring);

/// GrammarState of a mixture before its first character.
const START: GrammarState = 0;
/// GrammarState of a mixture after a letter.
const AFTER_LETTER: GrammarState = 1;
/// GrammarState of a mixture after a digit.
const AFTER_DIGIT: GrammarState = 2;

impl Grammar for MixtureGrammar<'_> {
    fn start(&self) -> GrammarState {
        START
    }

    fn step(&mut self, state: GrammarState, character: char) -> Option<(GrammarState, f32)> {
        let (next, class_size) = if character.is_ascii_digit() {
            (AFTER_DIGIT, DIGITS)
        } else {
            (AFTER_LETTER, LETTERS)
        };
        let class_chance = match state {
            START => 0.5,
            last if last == next => (1.0 - END_OF_MIXTURE) * SAME_CLASS,
            _ => (1.0 - END_OF_MIXTURE) * (1.0 - SAME_CLASS),
        };
        let score = self.0.context * (class_chance / class_size as f32 * CHARACTERS).ln();
        Some((next, score))
    }

    fn end(&mut self, _: GrammarState) -> f32 {
        self.0.context * END_OF_MIXTURE.ln()
    }
}
