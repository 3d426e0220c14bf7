//! A text of words -> [`WordList`]: the words that a character n-gram learns from, and how often each counts.
//!
//! One word a line, and after it, if the list says so, how often it counts. Capitals A to Z are all that is kept: lower case
//! is raised, apostrophes are left out (DON'T is printed DONT as often as not), a hyphen ends a word. Also the list that kiln
//! ships, and how it's made from SCOWL. Knows no probabilities.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::error::ErrorExit;
use crate::files::{self, without_mark};

/// Letters of the alphabet that words are written in.
pub const LETTERS: usize = 26;
/// Longest word that is kept: anything longer is no word but a fault of the list.
const LONGEST: usize = 40;
/// Most bytes of a list: the largest lists of English have 7 MB.
const MOST_BYTES: u64 = 64 << 20;
/// A word counts at most this much; where a list says more, all its numbers are made smaller alike.
const MOST_WEIGHT: u64 = 10_000;

/// SCOWL's sizes that the shipped list is made of, and how much a word of each counts. Size 10 is the most common words and
/// 50 what most dictionaries have; in running text a word of one class is several times as frequent as one of the next.
const SIZES: [(u32, u32); 5] = [(10, 32), (20, 12), (35, 4), (40, 2), (50, 1)];
/// A quarter of running text is these dozen words, most of the least of them a hundredth ...
const EVERYWHERE: &str = "THE OF AND TO A IN IS I IT THAT YOU FOR";
const EVERYWHERE_WEIGHT: u32 = 6000;
/// ... and another fifth are these, each some thousandths. SCOWL's sizes don't tell them from a thousand others.
const FREQUENT: &str = "HE WAS ON ARE AS WITH HIS THEY AT BE THIS HAVE FROM OR ONE HAD BY BUT NOT WHAT ALL WERE WE WHEN YOUR CAN AN \
    SHE WHICH DO THEIR IF WILL MY HER ME NO SO UP OUT THEM THEN HAS WOULD THERE WHO HOW GO ABOUT";
const FREQUENT_WEIGHT: u32 = 1200;

/// SCOWL's lists that are taken: words, and names of people and places.
const LISTS: [&str; 6] = [
    "english-words",
    "american-words",
    "english-contractions",
    "english-upper",
    "english-proper-names",
    "american-proper-names",
];

/// The list that kiln ships: SCOWL up to size 50, see `artifacts/ocr/WORDS.md`. Part of the binary.
static ENGLISH: &[u8] = include_bytes!("../../../artifacts/ocr/words.txt.gz");

/// Why there are no words.
#[derive(Debug, thiserror::Error)]
pub enum WordsError {
    /// A file that can't be read.
    #[error("{}: {source}; a word list is a UTF-8 text of one word a line", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that is no word list.
    #[error("{}: {problem}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what is expected.
        problem: String,
    },
}

impl ErrorExit for WordsError {}

/// Words of A to Z, each with how often it counts (1 to 10000).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WordList {
    words: BTreeMap<String, u32>,
}

impl FromStr for WordList {
    type Err = std::convert::Infallible;

    /// Takes whatever words a text has; lines that hold none are left out.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let weight = |line: &str| line.split_whitespace().nth(1)?.parse::<u64>().ok();
        let most = text.lines().filter_map(weight).max().unwrap_or(1);
        let mut list = WordList::default();
        for line in text.lines() {
            let weight = weight(line).unwrap_or(1);
            let weight = match most > MOST_WEIGHT {
                true => (u128::from(weight) * u128::from(MOST_WEIGHT) / u128::from(most)) as u32,
                false => weight as u32,
            };
            if let Some(word) = line.split_whitespace().next() {
                list.add(word, weight);
            }
        }
        Ok(list)
    }
}

impl WordList {
    /// Reads a list that somebody wrote.
    ///
    /// # Errors
    /// [`WordsError`]: the file can't be read, is larger than 64 MB, isn't UTF-8, or has no word of A to Z.
    pub fn open(path: &Path) -> Result<WordList, WordsError> {
        let io = |source| WordsError::Io {
            path: path.to_path_buf(),
            source,
        };
        let format = |problem: &str| WordsError::Format {
            path: path.to_path_buf(),
            problem: problem.into(),
        };
        let bytes = files::read_up_to(path, MOST_BYTES)
            .map_err(io)?
            .ok_or_else(|| {
                format("is larger than 64 MB; a word list is a text of one word a line")
            })?;
        let text = String::from_utf8(bytes)
            .map_err(|_| format("is not UTF-8 text; save the word list as UTF-8"))?;
        let Ok(list) = without_mark(&text).parse::<WordList>();
        match list.is_empty() {
            true => Err(format(
                "has no word of the letters A to Z; a word list has one word a line",
            )),
            false => Ok(list),
        }
    }

    /// The list that kiln ships.
    pub fn english() -> WordList {
        let mut text = String::new();
        // A part of the binary that a test reads: where it were damaged, kiln would read without context.
        let _ = GzDecoder::new(ENGLISH).read_to_string(&mut text);
        // Words as they are, in alphabetical order: no need to look at each letter.
        let word = |line: &str| {
            let (word, weight) = line.split_once(' ')?;
            Some((word.to_string(), weight.parse().ok()?))
        };
        WordList {
            words: text.lines().filter_map(word).collect(),
        }
    }

    /// Makes the list that kiln ships from a folder of SCOWL's lists (`english-words.10` and so on; Debian's package `scowl`
    /// puts them into `/usr/share/dict/scowl`). A word counts as its smallest size says.
    ///
    /// # Errors
    /// [`WordsError`]: a list can't be read, or there is none.
    pub fn from_scowl(folder: &Path) -> Result<WordList, WordsError> {
        let mut list = WordList::default();
        for (size, weight) in SIZES {
            for name in LISTS {
                let path = folder.join(format!("{name}.{size}"));
                // Not every list comes in every size.
                if name != LISTS[0] && !path.exists() {
                    continue;
                }
                let bytes = std::fs::read(&path).map_err(|source| WordsError::Io {
                    path: path.clone(),
                    source,
                })?;
                // Some releases are in Latin-1: words with letters beyond ASCII are left out in any case.
                let text = String::from_utf8_lossy(&bytes);
                let is_word =
                    |word: &&str| word.is_ascii() && !is_possessive(word) && !is_initial(word);
                for word in text.lines().filter(is_word) {
                    list.add(word, weight);
                }
            }
        }
        for (words, weight) in [(EVERYWHERE, EVERYWHERE_WEIGHT), (FREQUENT, FREQUENT_WEIGHT)] {
            for word in words.split_whitespace() {
                list.add(word, weight);
            }
        }
        Ok(list)
    }

    /// The list as the file that kiln ships: gzip of a line a word, its weight behind it. The same list gives the same bytes.
    pub fn to_gzip(&self) -> std::io::Result<Vec<u8>> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        for (word, weight) in self.iter() {
            writeln!(packed, "{word} {weight}")?;
        }
        packed.finish()
    }

    /// Words and how much they count, in alphabetical order.
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

    /// Takes a word, or several with hyphens between them.
    fn add(&mut self, word: &str, weight: u32) {
        let plain = |word: &str| -> String {
            word.chars()
                .filter(|c| !matches!(c, '\'' | '\u{2019}'))
                .map(|c| c.to_ascii_uppercase())
                .collect()
        };
        for word in word.split('-').map(plain) {
            let fits = (1..=LONGEST).contains(&word.len());
            if fits && word.bytes().all(|byte| byte.is_ascii_uppercase()) {
                let weight = weight.max(1);
                let known = self.words.entry(word).or_insert(weight);
                *known = weight.max(*known);
            }
        }
    }
}

/// SCOWL lists ABILITY'S beside ABILITY: that would teach that most words end in S. (IT'S and LET'S are in its lists of
/// contractions as well, but without the apostrophe ITS and LETS are words anyway.)
fn is_possessive(word: &str) -> bool {
    word.ends_with("'s")
}

/// Dictionaries list every letter as a word; in running text B alone is rarer than 8 alone.
fn is_initial(word: &str) -> bool {
    let letters = word.trim_end_matches('\'');
    letters.len() == 1 && !["a", "i"].contains(&letters.to_ascii_lowercase().as_str())
}
