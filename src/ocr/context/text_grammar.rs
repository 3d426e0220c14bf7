//! Tokens of mixed text: parts of one kind (words, numbers) with marks before, between and after them, in the cases that people write.

use super::token_grammar::{Grammar, GrammarState};
use crate::ocr::scoring::Scoring;

/// Number of marks that are equally likely.
const MARKS: f32 = 20.0;
/// Number of characters that the classifier takes for equally likely, in the terms of the other grammars.
const CHARACTERS: f32 = 36.0;
/// Chance that a token begins with a mark.
const LEADING: f32 = 0.02;
/// Chance that a mark follows a part: most words are followed by a space.
const FOLLOWING: f32 = 0.12;
/// Chances that a token ends after a mark, and that another mark follows; otherwise a part does.
const END_AFTER_MARK: f32 = 0.7;
const MARK_AFTER_MARK: f32 = 0.05;
/// Chance that a part begins with a capital.
const CAPITAL_FIRST: f32 = 0.2;
/// Chance of a capital after a small letter of the same part.
const CAPITAL_AFTER_SMALL: f32 = 0.01;
/// Chance of a capital after a part's first letter, if that is a capital.
const CAPITAL_SECOND: f32 = 0.25;
/// Chance of a capital after two capitals.
const CAPITAL_AGAIN: f32 = 0.97;

/// What a grammar state of a text remembers besides its part's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Nothing was read.
    Start = 0,
    /// After a mark.
    Mark = 1,
    /// In a part that has no letters yet.
    Plain = 2,
    /// After a small letter.
    Small = 3,
    /// After one capital, the part's first letter.
    Capital = 4,
    /// After several capitals.
    Capitals = 5,
}

/// All modes, in the order of their numbers.
const MODES: [Mode; 6] = [
    Mode::Start,
    Mode::Mark,
    Mode::Plain,
    Mode::Small,
    Mode::Capital,
    Mode::Capitals,
];

/// Parts of the kind that another grammar describes, in any case, with marks.
pub struct TextGrammar<'a, G> {
    part: G,
    scoring: &'a Scoring,
}

impl<'a, G: Grammar> TextGrammar<'a, G> {
    /// Text of parts of one kind.
    pub fn new(part: G, scoring: &'a Scoring) -> Self {
        Self { part, scoring }
    }

    fn weighted(&self, chance: f32) -> f32 {
        self.scoring.context * chance.ln()
    }

    /// A mark after the part so far.
    fn mark(&mut self, part: GrammarState, mode: Mode) -> f32 {
        let chance = match mode {
            Mode::Start => LEADING,
            Mode::Mark => MARK_AFTER_MARK,
            _ => FOLLOWING,
        };
        let before = match mode {
            Mode::Start | Mode::Mark => 0.0,
            _ => self.part.end(part),
        };
        before + self.weighted(chance / MARKS * CHARACTERS)
    }
}

/// The mode after a character of a part, and the chance of its case.
fn cased(mode: Mode, character: char) -> (Mode, f32) {
    if !character.is_ascii_alphabetic() {
        let next = match mode {
            Mode::Start | Mode::Mark => Mode::Plain,
            other => other,
        };
        return (next, 0.5);
    }
    let is_capital = character.is_ascii_uppercase();
    let capital = match mode {
        Mode::Start | Mode::Mark | Mode::Plain => CAPITAL_FIRST,
        Mode::Small => CAPITAL_AFTER_SMALL,
        Mode::Capital => CAPITAL_SECOND,
        Mode::Capitals => CAPITAL_AGAIN,
    };
    let next = match (is_capital, mode) {
        (false, _) => Mode::Small,
        (true, Mode::Start | Mode::Mark | Mode::Plain | Mode::Small) => Mode::Capital,
        (true, Mode::Capital | Mode::Capitals) => Mode::Capitals,
    };
    (next, if is_capital { capital } else { 1.0 - capital })
}

impl<G: Grammar> Grammar for TextGrammar<'_, G> {
    fn start(&self) -> GrammarState {
        self.part.start() * MODES.len() as GrammarState
    }

    fn step(&mut self, state: GrammarState, character: char) -> Option<(GrammarState, f32)> {
        let count = MODES.len() as GrammarState;
        let (part, mode) = (state / count, MODES[(state % count) as usize]);
        if !character.is_alphanumeric() {
            let score = self.mark(part, mode);
            return Some((
                self.part.start() * count + Mode::Mark as GrammarState,
                score,
            ));
        }
        let (part, score) = self.part.step(part, character)?;
        let begins = match mode {
            Mode::Start => 1.0 - LEADING,
            Mode::Mark => 1.0 - END_AFTER_MARK - MARK_AFTER_MARK,
            _ => 1.0,
        };
        let (next, case) = cased(mode, character);
        // The classifier takes both cases for equally likely.
        let score = score + self.weighted(begins) + self.weighted(2.0 * case);
        Some((part * count + next as GrammarState, score))
    }

    fn end(&mut self, state: GrammarState) -> f32 {
        let count = MODES.len() as GrammarState;
        let (part, mode) = (state / count, MODES[(state % count) as usize]);
        match mode {
            Mode::Start => 0.0,
            Mode::Mark => self.weighted(END_AFTER_MARK),
            _ => self.part.end(part) + self.weighted(1.0 - FOLLOWING),
        }
    }
}
