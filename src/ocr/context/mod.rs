//! Context: what the tokens of a page read when their letters are looked at together.
//!
//! Comes in: a [`Lattice`] for each token of a page, with what the network says of every span. Goes out: the best
//! [`Choice`] of each, and how sure of every letter. A token is a word, a number or a mixture (`kinds`), which of them the
//! page's other tokens help to say; words are made of letters as a list of words has them (`words`, `ngram`); `decoder`
//! searches. Nothing here knows pictures or networks.

mod decoder;
mod ngram;
mod token_grammar;
mod words;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

pub use decoder::{Decoded, Lattice, Span, decode};
pub use ngram::{BOUNDARY, History, Ngram, SYMBOLS};
pub use token_grammar::{Anything, Grammar, Kind, Mixtures, Numbers, State, Words};
pub use words::{WordList, WordsError};

use super::scoring::Scoring;

/// Rounds in which the page's tokens and the shares of their kinds settle each other.
const ROUNDS: usize = 4;

/// What neighbours may say.
#[derive(Debug, Clone, Default)]
pub enum Context {
    /// Nothing: each letter is read by its form alone.
    Off,
    /// As the words of English have them.
    #[default]
    English,
    /// As the words of another list have them.
    Words(Arc<Ngram>),
}

impl Context {
    /// The context of a list of words in a file.
    ///
    /// # Errors
    /// [`WordsError`]: no list can be read from it.
    pub fn open(path: &Path) -> Result<Context, WordsError> {
        let words = WordList::open(path)?;
        Ok(Context::Words(Arc::new(Ngram::of(&words))))
    }

    /// The model of words; the shipped one is made when it's first asked for.
    pub fn ngram(&self) -> Option<&Ngram> {
        static ENGLISH: OnceLock<Ngram> = OnceLock::new();
        match self {
            Context::Off => None,
            Context::English => Some(ENGLISH.get_or_init(|| Ngram::of(&WordList::english()))),
            Context::Words(ngram) => Some(ngram),
        }
    }
}

/// Where a token stands, as far as it says what kind it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Several characters.
    Text = 0,
    /// One character.
    Single = 1,
    /// One character at the beginning of a line that goes on: lists are numbered there.
    Numbering = 2,
}

/// A token to be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// Its spans.
    pub lattice: Lattice,
    /// Where it stands.
    pub place: Place,
}

/// How a token is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Spans from left to right that cover every piece once, and what each is (`None`: no letter).
    pub best: Vec<(usize, Option<char>)>,
    /// For each span of the lattice, the probability that it is this character.
    pub shares: Vec<Vec<(char, f32)>>,
}

/// Reads the tokens of a page, each as one of its kinds; without an n-gram, each letter by its form alone.
pub fn read(tokens: &[Token], ngram: Option<&Ngram>, weights: &Scoring) -> Vec<Choice> {
    let Some(ngram) = ngram else {
        return tokens.par_iter().map(plain).collect();
    };
    let decoded: Vec<Vec<Option<Decoded>>> = tokens
        .par_iter()
        .map(|token| {
            let kinds = Kind::ALL.iter();
            kinds
                .map(|&kind| decode_as(kind, &token.lattice, ngram, weights))
                .collect()
        })
        .collect();
    let evidence: Vec<(Place, Vec<f32>)> = tokens
        .iter()
        .zip(&decoded)
        .map(|(token, kinds)| (token.place, kinds.iter().map(evidence).collect()))
        .collect();
    let habits = habits(&evidence, weights);
    let tokens = tokens.iter().zip(decoded).zip(evidence);
    tokens
        .map(|((token, decoded), (place, evidence))| {
            let shares = shares(&evidence, &habits[place as usize]);
            choose(decoded, &shares).unwrap_or_else(|| plain(token))
        })
        .collect()
}

fn evidence(decoded: &Option<Decoded>) -> f32 {
    decoded
        .as_ref()
        .map_or(f32::NEG_INFINITY, |decoded| decoded.evidence)
}

fn decode_as(kind: Kind, lattice: &Lattice, ngram: &Ngram, weights: &Scoring) -> Option<Decoded> {
    match kind {
        Kind::Word => decode(lattice, &mut Words::new(ngram, weights)),
        Kind::Number => decode(lattice, &mut Numbers(weights)),
        Kind::Mixture => decode(lattice, &mut Mixtures(weights)),
    }
}

/// Reading by form alone.
fn plain(token: &Token) -> Choice {
    match decode(&token.lattice, &mut Anything) {
        Some(Decoded { best, shares, .. }) => Choice { best, shares },
        None => Choice {
            best: Vec::new(),
            shares: vec![Vec::new(); token.lattice.spans.len()],
        },
    }
}

/// The share of each kind, by place, from the page's own tokens (expectation and maximisation).
fn habits(evidence: &[(Place, Vec<f32>)], weights: &Scoring) -> [Vec<f32>; 3] {
    let usual = [weights.kinds, weights.single, weights.single];
    let mut habits = usual.map(|kinds| kinds.to_vec());
    for _ in 0..ROUNDS {
        let mut counts = usual.map(|kinds| kinds.map(|share| share * weights.habit).to_vec());
        for (place, evidence) in evidence {
            let place = *place as usize;
            let shares = shares(evidence, &habits[place]);
            for (count, share) in counts[place].iter_mut().zip(shares) {
                *count += share;
            }
        }
        habits = counts.map(|counts| {
            let all: f32 = counts.iter().sum();
            counts.into_iter().map(|count| count / all).collect()
        });
    }
    habits
}

/// Probability of each kind, from a token's evidence and the page's habit; all 0 where no kind fits.
fn shares(evidence: &[f32], habit: &[f32]) -> Vec<f32> {
    let scores: Vec<f32> = evidence
        .iter()
        .zip(habit)
        .map(|(evidence, habit)| evidence + habit.ln())
        .collect();
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if most == f32::NEG_INFINITY {
        return vec![0.0; scores.len()];
    }
    let all: f32 = scores.iter().map(|score| (score - most).exp()).sum();
    scores
        .iter()
        .map(|score| (score - most).exp() / all)
        .collect()
}

/// The letters of the likeliest kind's best reading, each as what all kinds together take it for, and that.
fn choose(decoded: Vec<Option<Decoded>>, shares: &[f32]) -> Option<Choice> {
    let mut kinds: Vec<(f32, Decoded)> = decoded
        .into_iter()
        .zip(shares)
        .filter_map(|(decoded, &share)| Some((share, decoded?)))
        .collect();
    kinds.sort_by(|a, b| b.0.total_cmp(&a.0));
    let spans = kinds.first()?.1.shares.len();
    let mut all: Vec<Vec<(char, f32)>> = vec![Vec::new(); spans];
    for (share, decoded) in &kinds {
        for (sums, letters) in all.iter_mut().zip(&decoded.shares) {
            for &(character, part) in letters {
                match sums.iter_mut().find(|(known, _)| *known == character) {
                    Some((_, sum)) => *sum += share * part,
                    None => sums.push((character, share * part)),
                }
            }
        }
    }
    let (_, likeliest) = kinds.into_iter().next()?;
    // Where the best readings of kinds that are nearly as likely differ, the sum over all readings decides.
    let likeliest_of = |(span, character): (usize, Option<char>)| {
        let most = all[span].iter().max_by(|a, b| a.1.total_cmp(&b.1));
        (span, character.and(most).map(|&(most, _)| most))
    };
    Some(Choice {
        best: likeliest.best.into_iter().map(likeliest_of).collect(),
        shares: all,
    })
}
