//! Scores a word's candidates by form: which characters each looks like, whether it looks like one letter at all, and what its
//! cuts went through. Neighbours are [`context`](super::context)'s business.

use super::alphabet::Alphabet;
use super::context::{Lattice, Span};
use super::scoring::Scoring;
use crate::segmentation::{Candidate, Candidates, JUNK};

/// Minimum probability of a guess, as a fraction of the best guess's.
const MIN_GUESS: f32 = 1e-4;
/// Least number of guesses per span: as many as a page lists for a letter.
const MIN_GUESSES: usize = 3;
/// Greatest number of guesses per span.
const MAX_GUESSES: usize = 12;
/// Floor of all probabilities: a network is never surer than that.
const MIN_PROBABILITY: f32 = 1e-6;
/// Minimum probability of a character that is told of a letter.
const MIN_CHANCE: f32 = 0.005;
/// Minimum probability of junk at which a span may be dropped.
const MIN_JUNK: f32 = 0.5;

/// Characters that are written the same way.
const SAME: [(char, char); 2] = [('O', '0'), ('I', '1')];
/// Characters that are written nearly the same way.
const SIMILAR: [(char, char); 4] = [('S', '5'), ('Z', '2'), ('B', '8'), ('G', '6')];

/// Letters that are broader than all others.
const BROAD: [char; 2] = ['M', 'W'];
/// Mean of ln(width / height) of the broad letters among NIST36's training letters.
const BROAD_MEAN: f32 = 0.14;
/// The same of all other letters.
const OTHER_MEAN: f32 = -0.1;
/// Standard deviation of ln(width / height) about those means.
const BREADTH_SPREAD: f32 = 0.25;

/// A model's classes as the reader sees them.
pub struct Classes {
    /// The character of each class; `None` for those that may not be read.
    characters: Vec<Option<char>>,
    junk: Option<usize>,
    /// Marks that may not be read: what looks like one is no letter either.
    marks: Vec<usize>,
    /// The class of the same or a similar form of each class, where both may be read.
    partners: Vec<Option<Partner>>,
}

#[derive(Clone, Copy)]
struct Partner {
    class: usize,
    same: bool,
}

impl Classes {
    /// Takes class names, which are single characters and possibly [`JUNK`].
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
        let is_mark = |class: &usize| {
            let mark = names[*class].chars().all(|c| c.is_ascii_punctuation());
            mark && characters[*class].is_none()
        };
        Classes {
            marks: (0..names.len()).filter(is_mark).collect(),
            junk: names.iter().position(|name| name == JUNK),
            characters,
            partners,
        }
    }

    /// Without lower case and marks: on a page of capitals and digits, c is C.
    pub fn without_mixed(mut self) -> Classes {
        let is_plain = |character: &char| character.is_uppercase() || character.is_numeric();
        for character in &mut self.characters {
            *character = character.filter(is_plain);
        }
        self
    }

    /// Whether no class may be read.
    pub fn is_empty(&self) -> bool {
        self.characters.iter().all(Option::is_none)
    }

    /// The characters that a letter may be by form, each with its probability.
    pub fn chances(&self, row: &[f32]) -> Vec<(char, f32)> {
        let posterior = self.posterior(row);
        let kept = self.characters.iter().zip(posterior);
        kept.filter_map(|(character, p)| Some(((*character)?, p)))
            .filter(|&(_, p)| p >= MIN_CHANCE)
            .collect()
    }

    /// Probability of each class among those that may be read; 0 for the others.
    pub fn posterior(&self, row: &[f32]) -> Vec<f32> {
        let kept = self.characters.iter().zip(row);
        let mut posterior: Vec<f32> = kept
            .map(|(character, &p)| character.map_or(0.0, |_| p.max(MIN_PROBABILITY)))
            .collect();
        let all: f32 = posterior.iter().sum();
        posterior.iter_mut().for_each(|p| *p /= all);
        posterior
    }

    /// The posterior with part of each class's probability given to its partner, for neighbours to decide between them.
    fn shared(&self, posterior: &[f32], scoring: &Scoring) -> Vec<f32> {
        let share = |partner: &Partner| {
            if partner.same {
                scoring.same_form
            } else {
                scoring.similar_form
            }
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

    /// The greatest probability of one form: a character and its partner together.
    pub fn clearest_form(&self, posterior: &[f32]) -> f32 {
        let partners = self.partners.iter().enumerate();
        partners
            .map(|(class, partner)| {
                posterior[class] + partner.map_or(0.0, |partner| posterior[partner.class])
            })
            .fold(0.0, f32::max)
    }

    /// Whether there are marks that may not be read.
    pub fn leave_marks_out(&self) -> bool {
        !self.marks.is_empty()
    }

    /// Probability that a candidate is no character, or a mark that may not be read; `None` if the model knows no junk.
    pub fn junk(&self, row: &[f32]) -> Option<f32> {
        let marks: f32 = self.marks.iter().map(|&class| row[class]).sum();
        self.junk.map(|class| row[class] + marks)
    }
}

/// Scores a word's candidates; `rows` are the network's probabilities in order.
///
/// With `neighbours`, characters of the same form share their probability. With `droppable`, what the network takes for junk may be
/// dropped.
pub fn lattice(
    word: &Candidates,
    rows: &[Vec<f32>],
    classes: &Classes,
    scoring: &Scoring,
    neighbours: bool,
    droppable: bool,
) -> Lattice {
    let spans = word.list.iter().zip(rows).map(|(candidate, row)| {
        let posterior = classes.posterior(row);
        let junk = classes.junk(row);
        // Without a junk class, what looks like no letter in particular is likely junk.
        let letter = match junk {
            Some(junk) => 1.0 - junk,
            None => classes.clearest_form(&posterior),
        };
        let mut guesses = if neighbours {
            guesses(&classes.shared(&posterior, scoring), classes)
        } else {
            guesses(&posterior, classes)
        };
        // The breadth of a letter that can't be cut says nothing.
        if may_be_cut(candidate) {
            for (character, score) in &mut guesses {
                *score -= scoring.breadth * too_broad(candidate, *character);
            }
        }
        // What may be cut is rather several letters than none.
        let droppable = droppable && candidate.whole && !may_be_cut(candidate);
        let dropped = junk.filter(|&junk| droppable && junk >= MIN_JUNK);
        Span {
            start: candidate.start,
            end: candidate.end,
            score: scoring.letterness * letter.max(MIN_PROBABILITY).ln() - cost(candidate, scoring),
            guesses,
            not_a_letter: dropped.map(|junk| scoring.letterness * junk.ln() - scoring.not_a_letter),
        }
    });
    Lattice {
        pieces: word.pieces,
        spans: spans.collect(),
    }
}

/// Whether a candidate was cut out of ink, or could be cut further.
fn may_be_cut(candidate: &Candidate) -> bool {
    candidate.cuts > 0.0 || candidate.end - candidate.start > 1
}

/// Cost of the cuts and joins that made a candidate.
fn cost(candidate: &Candidate, scoring: &Scoring) -> f32 {
    let cut = if candidate.touching {
        scoring.cut_touching
    } else {
        scoring.cut
    };
    cut * candidate.cuts
        + scoring.cut_ink * candidate.cut_ink
        + scoring.join * candidate.joins as f32
        + scoring.join_gap * candidate.join_gap
}

/// How much less likely a letter of this breadth is than one of the character's mean breadth: logarithm of the ratio, at least 0.
/// Narrow letters are left to the network; it has never seen letters as broad as two.
fn too_broad(candidate: &Candidate, character: char) -> f32 {
    let breadth = candidate.breadth.ln();
    let mean = if BROAD.contains(&character) {
        BROAD_MEAN
    } else {
        OTHER_MEAN
    };
    let beyond = ((breadth - mean) / BREADTH_SPREAD).max(0.0);
    beyond * beyond / 2.0
}

/// The most likely characters with the logarithms of their probabilities, the most likely first.
fn guesses(posterior: &[f32], classes: &Classes) -> Vec<(char, f32)> {
    let kept = classes.characters.iter().zip(posterior);
    let mut guesses: Vec<(char, f32)> = kept
        .filter_map(|(character, &p)| Some(((*character)?, p)))
        .collect();
    guesses.sort_by(|a, b| b.1.total_cmp(&a.1));
    let best = guesses.first().map_or(0.0, |guess| guess.1);
    let likely = guesses.partition_point(|guess| guess.1 >= MIN_GUESS * best);
    guesses.truncate(likely.clamp(MIN_GUESSES, MAX_GUESSES));
    guesses.iter_mut().for_each(|guess| guess.1 = guess.1.ln());
    guesses
}
