//! Which case letters are written in.

use crate::ocr::page::{Guess, Letter, Line};

/// Which case letters are written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Case {
    /// As on the page.
    #[default]
    Keep,
    /// All as capitals.
    Upper,
}

impl Case {
    /// Every case.
    pub const ALL: [Case; 2] = [Case::Keep, Case::Upper];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Case::Keep => "keep",
            Case::Upper => "upper",
        }
    }

    /// Writes the letters of lines in this case.
    pub fn apply(self, lines: &mut [Line]) {
        if self == Case::Keep {
            return;
        }
        for line in lines {
            line.text = line.text.to_uppercase();
            for word in &mut line.words {
                word.text = word.text.to_uppercase();
                word.letters.iter_mut().for_each(raise);
            }
        }
    }
}

/// Makes a letter and its alternatives capitals; those that are the same then are one.
fn raise(letter: &mut Letter) {
    letter.text = letter.text.to_uppercase();
    let mut others: Vec<Guess> = Vec::new();
    for guess in std::mem::take(&mut letter.alternatives) {
        let text = guess.text.to_uppercase();
        if text == letter.text {
            letter.confidence = (letter.confidence + guess.confidence).min(1.0);
        } else if let Some(known) = others.iter_mut().find(|known| known.text == text) {
            known.confidence += guess.confidence;
        } else {
            others.push(Guess { text, ..guess });
        }
    }
    letter.alternatives = others;
}
