//! Candidate letters of a word and what the network says of each -> a [`Lattice`] of scored spans.
//!
//! Form alone speaks here: which characters a span looks like, whether it looks like one letter at all, and what its cuts
//! went through. Neighbours are `context`'s business.

use super::alphabet::Alphabet;
use super::context::{Lattice, Span};
use super::scoring::Scoring;
use crate::segmentation::{Candidate, Candidates};

/// The class of what is no character: two letters, half a letter, a blot.
pub const JUNK: &str = crate::data::junk::CLASS;

/// A guess with less than this part of the best one's probability is not followed.
const LEAST_GUESS: f32 = 1e-4;
/// Fewest guesses a span, as many as a page tells of a letter, and most.
const FEWEST_GUESSES: usize = 3;
const MOST_GUESSES: usize = 12;
/// No probability counts as less: a network is never so sure.
const LEAST: f32 = 1e-6;
/// What the network takes for junk with at least this probability may be left out.
const SURELY_JUNK: f32 = 0.5;

/// Characters that are written alike, and those that nearly are.
const SAME: [(char, char); 2] = [('O', '0'), ('I', '1')];
const SIMILAR: [(char, char); 4] = [('S', '5'), ('Z', '2'), ('B', '8'), ('G', '6')];

/// Letters that are broader than all others.
const BROAD: [char; 2] = ['M', 'W'];
/// Mean logarithm of width over height of those and of the others, and how far single letters are from it (standard
/// deviation), in NIST36's training letters.
const BROAD_MEAN: f32 = 0.14;
const OTHER_MEAN: f32 = -0.1;
const BREADTH_SPREAD: f32 = 0.25;

/// A model's classes, seen by the reader.
pub struct Classes {
    /// The character of each class that may be read.
    characters: Vec<Option<char>>,
    junk: Option<usize>,
    /// The class of the same or a similar form, where both may be read.
    partners: Vec<Option<Partner>>,
}

#[derive(Clone, Copy)]
struct Partner {
    class: usize,
    same: bool,
}

impl Classes {
    /// `names` are single characters, and perhaps "junk".
    pub fn new(names: &[String], alphabet: &Alphabet) -> Classes {
        let character = |name: &String| {
            let character = name.chars().next().filter(|_| name != JUNK)?;
            alphabet.allows(character).then_some(character)
        };
        let characters: Vec<Option<char>> = names.iter().map(character).collect();
        let find = |wanted: char| characters.iter().position(|c| *c == Some(wanted));
        let mut partners = vec![None; names.len()];
        let same = SAME.iter().map(|pair| (pair, true));
        let similar = SIMILAR.iter().map(|pair| (pair, false));
        for (&(a, b), same) in same.chain(similar) {
            if let (Some(a), Some(b)) = (find(a), find(b)) {
                partners[a] = Some(Partner { class: b, same });
                partners[b] = Some(Partner { class: a, same });
            }
        }
        Classes {
            junk: names.iter().position(|name| name == JUNK),
            characters,
            partners,
        }
    }

    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.characters.iter().all(Option::is_none)
    }

    /// Probability of each class that may be read, of those alone; 0 for the others.
    fn posterior(&self, row: &[f32]) -> Vec<f32> {
        let kept = self.characters.iter().zip(row);
        let mut posterior: Vec<f32> = kept
            .map(|(character, &p)| character.map_or(0.0, |_| p.max(LEAST)))
            .collect();
        let all: f32 = posterior.iter().sum();
        posterior.iter_mut().for_each(|p| *p /= all);
        posterior
    }

    /// What each form could be as well, where neighbours may decide.
    fn shared(&self, posterior: &[f32], weights: &Scoring) -> Vec<f32> {
        let share = |partner: &Partner| match partner.same {
            true => weights.same_form,
            false => weights.similar_form,
        };
        let partners = self.partners.iter().enumerate();
        partners
            .map(|(class, partner)| match partner {
                None => posterior[class],
                Some(partner) => {
                    let share = share(partner);
                    (1.0 - share) * posterior[class] + share * posterior[partner.class]
                }
            })
            .collect()
    }

    /// The highest probability of one form: a character and its partner together.
    fn clearest_form(&self, posterior: &[f32]) -> f32 {
        let partners = self.partners.iter().enumerate();
        partners
            .map(|(class, partner)| {
                posterior[class] + partner.map_or(0.0, |partner| posterior[partner.class])
            })
            .fold(0.0, f32::max)
    }

    fn junk(&self, row: &[f32]) -> Option<f32> {
        self.junk.map(|class| row[class])
    }
}

/// Scores a word's candidates; `rows` are the network's probabilities in their order. With `neighbours`, forms that are
/// written alike share their probability. With `droppable`, what the network takes for junk may be left out.
pub fn lattice(
    word: &Candidates,
    rows: &[Vec<f32>],
    classes: &Classes,
    weights: &Scoring,
    neighbours: bool,
    droppable: bool,
) -> Lattice {
    let spans = word.list.iter().zip(rows).map(|(candidate, row)| {
        let posterior = classes.posterior(row);
        let junk = classes.junk(row);
        // Without a class for it, what is like no letter in particular is likely junk.
        let letter = match junk {
            Some(junk) => 1.0 - junk,
            None => classes.clearest_form(&posterior),
        };
        let mut guesses = match neighbours {
            true => guesses(&classes.shared(&posterior, weights), classes),
            false => guesses(&posterior, classes),
        };
        // A letter that can't be cut is as broad as it is.
        if may_be_cut(candidate) {
            for (character, score) in &mut guesses {
                *score -= weights.breadth * too_broad(candidate, *character);
            }
        }
        // What may be cut is several letters rather than none.
        let droppable = droppable && candidate.whole && !may_be_cut(candidate);
        let dropped = junk.filter(|&junk| droppable && junk >= SURELY_JUNK);
        Span {
            start: candidate.start,
            end: candidate.end,
            score: weights.letterness * letter.max(LEAST).ln() - cost(candidate, weights),
            guesses,
            nothing: dropped.map(|junk| weights.letterness * junk.ln() - weights.nothing),
        }
    });
    Lattice {
        pieces: word.pieces,
        spans: spans.collect(),
    }
}

/// Whether cuts through ink made it, or could go through it.
fn may_be_cut(candidate: &Candidate) -> bool {
    candidate.cuts > 0.0 || candidate.end - candidate.start > 1
}

/// What a candidate costs for the way it was cut out.
fn cost(candidate: &Candidate, weights: &Scoring) -> f32 {
    let cut = match candidate.touching {
        true => weights.cut_torn,
        false => weights.cut,
    };
    cut * candidate.cuts
        + weights.cut_ink * candidate.cut_ink
        + weights.join * candidate.joins as f32
}

/// What a letter of this breadth is less likely than one of its kind's usual breadth: logarithm of the ratio, above 0. (The
/// network sees narrow letters for what they are, but knows nothing as broad as two.)
fn too_broad(candidate: &Candidate, character: char) -> f32 {
    let bounds = candidate.letter.bounds;
    let breadth = (bounds.width as f32 / bounds.height as f32).ln();
    let mean = match BROAD.contains(&character) {
        true => BROAD_MEAN,
        false => OTHER_MEAN,
    };
    let beyond = ((breadth - mean) / BREADTH_SPREAD).max(0.0);
    beyond * beyond / 2.0
}

/// The likely characters with the logarithms of their probabilities, the likeliest first.
fn guesses(posterior: &[f32], classes: &Classes) -> Vec<(char, f32)> {
    let kept = classes.characters.iter().zip(posterior);
    let mut guesses: Vec<(char, f32)> = kept
        .filter_map(|(character, &p)| Some(((*character)?, p)))
        .collect();
    guesses.sort_by(|a, b| b.1.total_cmp(&a.1));
    let best = guesses.first().map_or(0.0, |guess| guess.1);
    let likely = guesses.partition_point(|guess| guess.1 >= LEAST_GUESS * best);
    guesses.truncate(likely.clamp(FEWEST_GUESSES, MOST_GUESSES));
    guesses.iter_mut().for_each(|guess| guess.1 = guess.1.ln());
    guesses
}
