//! Error rates of read text: edit distances to the ground truth, with and without spaces, and the confusions between characters.
//!
//! Nothing is normalised here: callers decide about case and punctuation first.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An edit distance and the length of the ground truth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
pub struct EditScore {
    /// Smallest number of units (characters or words) to insert, delete or replace to get from one text to the other.
    pub distance: usize,
    /// Number of units in the ground truth.
    pub length: usize,
    /// `1 - distance / length`; see [`character_accuracy`] for its range.
    pub accuracy: f64,
}

impl EditScore {
    /// The score of a distance, relative to the length of the ground truth.
    pub fn new(distance: usize, length: usize) -> Self {
        Self {
            distance,
            length,
            accuracy: accuracy(distance, length),
        }
    }

    /// `distance / length`: the character or word error rate. It can exceed 1.
    pub fn error_rate(&self) -> f64 {
        1.0 - self.accuracy
    }
}

/// One character that was read as another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
pub struct CharacterConfusion {
    /// The true character; None when a character was read where there is none.
    pub truth: Option<char>,
    /// The character that was read; None when it was missed.
    pub read: Option<char>,
    /// How often.
    pub count: usize,
}

/// The result of [`score`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
pub struct TextScore {
    /// Over all characters; a line break counts as one space.
    pub characters: EditScore,
    /// Over the characters without white space.
    pub characters_without_spaces: EditScore,
    /// Over the words, which white space separates.
    pub words: EditScore,
    /// Character error rate: `characters.distance / characters.length`.
    pub character_error_rate: f64,
    /// Word error rate: `words.distance / words.length`.
    pub word_error_rate: f64,
    /// The mistakes in one shortest alignment of all characters, most frequent first, then in the order of the
    /// characters. The counts sum to `characters.distance`.
    pub confusions: Vec<CharacterConfusion>,
}

/// Compares what was read with the ground truth.
///
/// Each text's lines are joined with one space, so a line break that was read as a space (or the other way round) costs
/// nothing, and one that was missed costs one. The distance is over the whole text: a missed line does not shift all
/// following ones. Memory is one byte for each pair of characters of the two texts: a page of 5000
/// characters takes 25 MB.
pub fn score(read_lines: &[String], truth_lines: &[String]) -> TextScore {
    let read: Vec<char> = read_lines.join(" ").chars().collect();
    let truth: Vec<char> = truth_lines.join(" ").chars().collect();
    let mistakes = alignment_mistakes(&read, &truth);
    let characters = EditScore::new(mistakes.len(), truth.len());
    let (read_dense, truth_dense) = (without_spaces(&read), without_spaces(&truth));
    let characters_without_spaces =
        EditScore::new(distance(&read_dense, &truth_dense), truth_dense.len());
    let words = word_score(read_lines, truth_lines);
    TextScore {
        characters,
        characters_without_spaces,
        words,
        character_error_rate: characters.error_rate(),
        word_error_rate: words.error_rate(),
        confusions: count_mistakes(mistakes),
    }
}

/// The score of several texts together: distances and lengths are summed, so a long text weighs more than a short one.
pub fn total<'a>(scores: impl IntoIterator<Item = &'a TextScore>) -> TextScore {
    let add =
        |a: EditScore, b: EditScore| EditScore::new(a.distance + b.distance, a.length + b.length);
    let none = EditScore::new(0, 0);
    let (mut characters, mut dense, mut words) = (none, none, none);
    let mut counts = BTreeMap::new();
    for score in scores {
        characters = add(characters, score.characters);
        dense = add(dense, score.characters_without_spaces);
        words = add(words, score.words);
        for confusion in &score.confusions {
            *counts.entry((confusion.truth, confusion.read)).or_insert(0) += confusion.count;
        }
    }
    TextScore {
        characters,
        characters_without_spaces: dense,
        words,
        character_error_rate: characters.error_rate(),
        word_error_rate: words.error_rate(),
        confusions: sort_confusions(counts),
    }
}

/// Levenshtein distance on characters (Unicode scalar values): the smallest number of insertions, deletions and
/// replacements that turn one text into the other.
pub fn levenshtein(a: &str, b: &str) -> usize {
    strsim::levenshtein(a, b)
}

/// `1 - distance / length(truth)`: as the course counts. It is 1 for a perfect reading and falls
/// below 0 when there are more errors than characters in the truth. An empty truth gives 1 when nothing was read, otherwise 0.
pub fn character_accuracy(read: &str, truth: &str) -> f64 {
    accuracy(levenshtein(read, truth), truth.chars().count())
}

/// Word error rate: the edit distance on words, divided by the number of words in the truth. An empty truth gives 0 when
/// nothing was read, otherwise 1.
pub fn word_error_rate(read: &str, truth: &str) -> f64 {
    word_score(&[read], &[truth]).error_rate()
}

/// The edit score of the words of two texts.
fn word_score<S: AsRef<str>>(read_lines: &[S], truth_lines: &[S]) -> EditScore {
    let (read, truth) = (words(read_lines), words(truth_lines));
    EditScore::new(distance(&read, &truth), truth.len())
}

/// All words of the lines, in reading order.
fn words<S: AsRef<str>>(lines: &[S]) -> Vec<&str> {
    lines
        .iter()
        .flat_map(|line| line.as_ref().split_whitespace())
        .collect()
}

/// `1 - distance / length`, with [`character_accuracy`]'s convention for an empty ground truth.
fn accuracy(distance: usize, length: usize) -> f64 {
    match (distance, length) {
        (0, 0) => 1.0,
        (_, 0) => 0.0,
        _ => 1.0 - distance as f64 / length as f64,
    }
}

/// The characters that are not white space.
fn without_spaces(text: &[char]) -> Vec<char> {
    let is_ink = |c: &char| !c.is_whitespace();
    text.iter().copied().filter(is_ink).collect()
}

/// Levenshtein distance of two sequences.
fn distance<T: PartialEq>(a: &[T], b: &[T]) -> usize {
    strsim::generic_levenshtein(&Units(a), &Units(b))
}

/// A slice as strsim takes it: a sized type whose reference can be iterated.
struct Units<'a, T>(&'a [T]);

impl<'a, T> IntoIterator for &'a Units<'_, T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// The last step of a shortest way to a cell of the alignment.
#[derive(Clone, Copy, PartialEq)]
enum Step {
    /// One character of each text; equal or replaced.
    Both,
    /// A character of the ground truth that was not read.
    Missed,
    /// A character that was read where there is none.
    Added,
}

/// The mistakes `(truth, read)` of one shortest alignment; their number is the Levenshtein distance.
fn alignment_mistakes(read: &[char], truth: &[char]) -> Vec<(Option<char>, Option<char>)> {
    let steps = alignment_steps(read, truth);
    let width = read.len() + 1;
    let (mut i, mut j) = (truth.len(), read.len());
    let mut mistakes = Vec::new();
    while i > 0 || j > 0 {
        let step = steps[i * width + j];
        let written = (step != Step::Added).then(|| truth[i - 1]);
        let seen = (step != Step::Missed).then(|| read[j - 1]);
        if written != seen {
            mistakes.push((written, seen));
        }
        i -= usize::from(step != Step::Added);
        j -= usize::from(step != Step::Missed);
    }
    mistakes
}

/// For each pair of prefixes, `[truth.len() + 1, read.len() + 1]` row by row, the last step of a shortest way there, by
/// the recurrence of Wagner and Fischer (1974). Of equally short ways, a replacement is preferred to a missed
/// character, and that to an added one.
fn alignment_steps(read: &[char], truth: &[char]) -> Vec<Step> {
    let width = read.len() + 1;
    let mut steps = vec![Step::Added; width * (truth.len() + 1)];
    let mut costs: Vec<usize> = (0..width).collect();
    for (i, written) in truth.iter().enumerate() {
        let mut diagonal = i;
        costs[0] = i + 1;
        steps[(i + 1) * width] = Step::Missed;
        for (j, seen) in read.iter().enumerate() {
            let both = diagonal + usize::from(written != seen);
            diagonal = costs[j + 1];
            let (missed, added) = (diagonal + 1, costs[j] + 1);
            let (cost, step) = if both <= missed && both <= added {
                (both, Step::Both)
            } else if missed <= added {
                (missed, Step::Missed)
            } else {
                (added, Step::Added)
            };
            costs[j + 1] = cost;
            steps[(i + 1) * width + j + 1] = step;
        }
    }
    steps
}

/// How often each mistake was made.
fn count_mistakes(mistakes: Vec<(Option<char>, Option<char>)>) -> Vec<CharacterConfusion> {
    let mut counts = BTreeMap::new();
    for mistake in mistakes {
        *counts.entry(mistake).or_insert(0) += 1;
    }
    sort_confusions(counts)
}

/// Most frequent first; equal counts in the order of the characters.
fn sort_confusions(
    counts: BTreeMap<(Option<char>, Option<char>), usize>,
) -> Vec<CharacterConfusion> {
    let mut confusions: Vec<CharacterConfusion> = counts
        .into_iter()
        .map(|((truth, read), count)| CharacterConfusion { truth, read, count })
        .collect();
    // Stable: equal counts stay in the order of the map.
    confusions.sort_by_key(|confusion| std::cmp::Reverse(confusion.count));
    confusions
}
