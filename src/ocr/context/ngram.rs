//! How likely each letter of a word is after the letters before it: a 5-gram with Witten-Bell smoothing.
//!
//! I. Witten, T. Bell, "The zero-frequency problem", IEEE Trans. Information Theory 37, 1991:
//! `P(w | h) = (c(h w) + T(h) P(w | h')) / (c(h) + T(h))`, where c counts, T(h) is the number of different letters seen after h, and
//! h' is h without its oldest letter; at the bottom every symbol is equally likely. A word's beginning is part of the history, and
//! its end is a symbol.

use super::word_list::{LETTERS, WordList};

/// Number of symbols: A to Z, and the word's end.
pub const SYMBOLS: usize = LETTERS + 1;
/// The symbol of a word's end; in a history, the same number is the word's beginning.
pub const BOUNDARY: usize = LETTERS;
/// Letters of history: a 5-gram.
const MEMORY: usize = 4;
/// Histories are numbers in this base; the newest letter is the most significant digit.
const BASE: u32 = SYMBOLS as u32;
/// Place value of a history's newest letter.
const NEWEST: u32 = BASE.pow(MEMORY as u32 - 1);

/// The letters before the next one: at most four, no further back than the word's beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct History(u32);

impl History {
    /// The beginning of a word.
    pub const START: History = History(BASE.pow(MEMORY as u32) - 1);

    /// The history after one more letter (0 is A).
    pub fn then(self, letter: usize) -> History {
        History(letter as u32 * NEWEST + self.0 / BASE)
    }

    /// Number of letters that it holds, the word's beginning counted as one.
    fn length(self) -> usize {
        let mut rest = self.0;
        let mut unit = NEWEST;
        for length in 1..=MEMORY {
            if rest / unit == BOUNDARY as u32 {
                return length;
            }
            rest %= unit;
            unit = (unit / BASE).max(1);
        }
        MEMORY
    }
}

/// What was seen after the histories of one length.
#[derive(Debug, Clone, Default)]
struct Level {
    /// The histories, cut to that length, ascending.
    histories: Vec<u32>,
    /// Where the counts of each begin; one more at the end.
    starts: Vec<u32>,
    /// Each symbol and how often it was seen.
    counts: Vec<(u8, u32)>,
}

impl Level {
    fn counts_after(&self, history: u32) -> Option<&[(u8, u32)]> {
        let at = self.histories.binary_search(&history).ok()?;
        let (from, to) = (self.starts[at], self.starts[at + 1]);
        self.counts.get(from as usize..to as usize)
    }
}

/// A 5-gram of letters.
#[derive(Debug, Clone)]
pub struct Ngram {
    /// By length of the history, 0 to 4.
    levels: Vec<Level>,
}

impl Ngram {
    /// Counts the words of a list.
    pub fn of(words: &WordList) -> Ngram {
        // History and symbol in the upper half, weight in the lower: integers sort fast.
        let mut seen: Vec<u64> = Vec::new();
        let packed = |key: u32, weight: u32| u64::from(key) << 32 | u64::from(weight);
        for (word, weight) in words.iter() {
            let mut history = History::START;
            for letter in word.bytes().map(|byte| usize::from(byte - b'A')) {
                seen.push(packed(history.0 * BASE + letter as u32, weight));
                history = history.then(letter);
            }
            seen.push(packed(history.0 * BASE + BOUNDARY as u32, weight));
        }
        seen.sort_unstable();
        let alike = seen.chunk_by(|a, b| a >> 32 == b >> 32);
        let seen: Vec<(u32, u32)> = alike.map(summed).collect();
        let levels = (0..=MEMORY).map(|length| level(&seen, length)).collect();
        Ngram { levels }
    }

    /// Probability of A to Z and of the word's end after a history; they add up to 1.
    pub fn after(&self, history: History) -> [f32; SYMBOLS] {
        let mut chances = [1.0 / SYMBOLS as f32; SYMBOLS];
        for length in 0..=history.length() {
            let newest = history.0 / BASE.pow((MEMORY - length) as u32);
            let Some(counts) = self.levels[length].counts_after(newest) else {
                break;
            };
            let different = counts.len() as f32;
            let all = counts.iter().map(|&(_, count)| count as f32).sum::<f32>() + different;
            for chance in &mut chances {
                *chance *= different / all;
            }
            for &(symbol, count) in counts {
                chances[usize::from(symbol)] += count as f32 / all;
            }
        }
        chances
    }
}

/// Equal keys as one, with the sum of their weights.
fn summed(alike: &[u64]) -> (u32, u32) {
    let weights = alike.iter().map(|packed| *packed as u32);
    (
        (alike[0] >> 32) as u32,
        weights.fold(0, u32::saturating_add),
    )
}

/// Aggregates symbol counts for all contexts of one length; `seen` must be sorted, so that equal contexts are adjacent.
fn level(seen: &[(u32, u32)], length: usize) -> Level {
    let mut level = Level::default();
    let unit = BASE.pow((MEMORY - length) as u32) * BASE;
    for group in seen.chunk_by(|a, b| a.0 / unit == b.0 / unit) {
        let mut counts = [0u32; SYMBOLS];
        for &(key, weight) in group {
            let count = &mut counts[(key % BASE) as usize];
            *count = count.saturating_add(weight);
        }
        level.histories.push(group[0].0 / unit);
        level.starts.push(level.counts.len() as u32);
        let seen = (0u8..).zip(counts).filter(|&(_, count)| count > 0);
        level.counts.extend(seen);
    }
    level.starts.push(level.counts.len() as u32);
    level
}
