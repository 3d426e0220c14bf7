//! Word lists: the words that a character n-gram learns from, and how often each counts.
//!
//! One word per line, optionally followed by how often it counts. Only the capitals A to Z are kept: lower case is raised,
//! apostrophes are dropped (DON'T is printed DONT as often as not), a hyphen ends a word.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use super::packed::{pack, unpack};
use crate::error::FileError;
use crate::files::{self, without_mark};

/// Number of letters, A to Z.
pub const LETTERS: usize = 26;
/// Longest word that is kept, in letters: anything longer is an error in the list.
const MAX_LENGTH: usize = 40;
/// Largest word list, in bytes: the largest lists of English have 7 MB.
const MAX_BYTES: u64 = 64 << 20;
/// What a word list is, for error messages.
const EXPECTED: &str = "a word list is a UTF-8 text file with one word per line";
/// Greatest weight of a word; where a list has greater ones, all its weights are scaled down.
const MAX_WEIGHT: u64 = 10_000;

/// The list that kiln ships: SCOWL up to size 50 (see `artifacts/ocr/WORDS.md`). Part of the binary.
static ENGLISH: &[u8] = include_bytes!("../../../artifacts/ocr/words.txt.gz");

/// Words of A to Z, each with a weight from 1 to 10000: how often it counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WordList {
    words: BTreeMap<String, u32>,
}

impl FromStr for WordList {
    type Err = std::convert::Infallible;

    /// Takes all words of a string, one per line, with an optional weight after it; lines without a word are ignored.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let weight = |line: &str| line.split_whitespace().nth(1)?.parse::<u64>().ok();
        let most = text.lines().filter_map(weight).max().unwrap_or(1);
        let mut list = WordList::default();
        for line in text.lines() {
            let weight = weight(line).unwrap_or(1);
            let weight = if most > MAX_WEIGHT {
                (u128::from(weight) * u128::from(MAX_WEIGHT) / u128::from(most)) as u32
            } else {
                weight as u32
            };
            if let Some(word) = line.split_whitespace().next() {
                list.add(word, weight);
            }
        }
        Ok(list)
    }
}

impl WordList {
    /// Reads a word list from a file.
    ///
    /// # Errors
    /// [`FileError`]: the file can't be read, is larger than 64 MB, isn't UTF-8, or contains no words spelled only with A to Z.
    pub fn open(path: &Path) -> Result<WordList, FileError> {
        let bytes = files::read_up_to(path, MAX_BYTES)
            .map_err(|source| FileError::io(path, source).advise(EXPECTED))?
            .ok_or_else(|| FileError::new(path, "is larger than 64 MB").advise(EXPECTED))?;
        let text = String::from_utf8(bytes).map_err(|_| {
            FileError::new(path, "is not UTF-8 text").advise("save the word list as UTF-8")
        })?;
        let Ok(list) = without_mark(&text).parse::<WordList>();
        if list.is_empty() {
            let problem = "contains no words spelled only with A to Z";
            return Err(FileError::new(path, problem).advise(EXPECTED));
        }
        Ok(list)
    }

    /// The list that kiln ships.
    pub fn english() -> WordList {
        // Part of the binary, and read by a test: it can't be damaged.
        Self::from_packed(ENGLISH)
    }

    /// The list that [`to_packed`](Self::to_packed) has made these bytes of.
    pub fn from_packed(packed: &[u8]) -> WordList {
        WordList {
            words: unpack(packed),
        }
    }

    /// The list as the file that kiln ships (`artifacts/ocr/WORDS.md`). Equal lists give equal bytes.
    ///
    /// # Errors
    /// The list has more than 36 different weights.
    pub fn to_packed(&self) -> std::io::Result<Vec<u8>> {
        pack(&self.words)
    }

    /// The words with their weights, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        self.words
            .iter()
            .map(|(word, &weight)| (word.as_str(), weight))
    }

    /// Whether it has this word (in capitals).
    pub fn contains(&self, word: &str) -> bool {
        self.words.contains_key(word)
    }

    /// Number of words.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Adds a word, or several with hyphens between them. The greatest weight of a word counts.
    pub(super) fn add(&mut self, word: &str, weight: u32) {
        let plain = |word: &str| -> String {
            word.chars()
                .filter(|c| !matches!(c, '\'' | '\u{2019}'))
                .map(|c| c.to_ascii_uppercase())
                .collect()
        };
        for word in word.split('-').map(plain) {
            let has_length = (1..=MAX_LENGTH).contains(&word.len());
            if has_length && word.bytes().all(|byte| byte.is_ascii_uppercase()) {
                let weight = weight.max(1);
                let known = self.words.entry(word).or_insert(weight);
                *known = weight.max(*known);
            }
        }
    }
}
