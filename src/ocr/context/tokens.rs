//! Reads the tokens of a page together: each by the grammar of its most likely kind.

use rayon::prelude::*;

use super::decoder::{Decoded, decode_until, log_add};
use super::lattice::Lattice;
use super::ngram::Ngram;
use super::text_grammar::TextGrammar;
use super::token_grammar::{
    AnyGrammar, Grammar, MixtureGrammar, NumberGrammar, TokenKind, WordGrammar,
};
use crate::ocr::scoring::Scoring;
use crate::progress::CancelToken;

/// Rounds of expectation-maximisation over the kinds of a page's tokens.
const ROUNDS: usize = 4;

/// Where a token is on the page, as far as that says something about its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenPlace {
    /// Several characters.
    Text = 0,
    /// One character.
    Single = 1,
    /// One character at the beginning of a longer line: lists are numbered there.
    Numbering = 2,
}

/// A token to read.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// Its spans.
    pub lattice: Lattice,
    /// Where it is on the page.
    pub place: TokenPlace,
    /// Whether it may have lower case and marks.
    pub mixed: bool,
}

/// How a token was read.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenReading {
    /// Spans from left to right that cover every piece once, and the character of each (`None`: not a letter).
    pub best: Vec<(usize, Option<char>)>,
    /// For each span of the lattice, the probability that it is this character.
    pub shares: Vec<Vec<(char, f32)>>,
}

/// A reading with the logarithm of its token's evidence: the sum over all readings of all kinds.
pub(super) struct Scored {
    pub reading: TokenReading,
    pub evidence: f32,
}

/// Reads the tokens of a page, each as the most likely kind of token; without an n-gram, each letter by its form alone.
pub fn read(tokens: &[Token], ngram: Option<&Ngram>, scoring: &Scoring) -> Vec<TokenReading> {
    let scored = read_scored(tokens, ngram, scoring, &CancelToken::default());
    scored.into_iter().map(|scored| scored.reading).collect()
}

/// [`read`] with each token's evidence; once it is cancelled, the other tokens are not read.
pub(super) fn read_scored(
    tokens: &[Token],
    ngram: Option<&Ngram>,
    scoring: &Scoring,
    cancel: &CancelToken,
) -> Vec<Scored> {
    let Some(ngram) = ngram else {
        let by_form = |token| by_form(token, cancel);
        return tokens.par_iter().map(by_form).collect();
    };
    let decoded: Vec<Vec<Option<Decoded>>> = tokens
        .par_iter()
        .map(|token| {
            let kinds = TokenKind::ALL.iter();
            kinds
                .map(|&kind| decode_as(kind, token, ngram, scoring, cancel))
                .collect()
        })
        .collect();
    let evidence: Vec<(TokenPlace, Vec<f32>)> = tokens
        .iter()
        .zip(&decoded)
        .map(|(token, kinds)| (token.place, kinds.iter().map(evidence).collect()))
        .collect();
    let priors = priors(&evidence, scoring);
    let tokens = tokens.iter().zip(decoded).zip(evidence);
    tokens
        .map(|((token, decoded), (place, evidence))| {
            let prior = &priors[place as usize];
            let shares = shares(&evidence, prior);
            let all = evidence.iter().zip(prior);
            match choose(decoded, &shares) {
                Some(reading) => Scored {
                    reading,
                    evidence: all
                        .map(|(evidence, prior)| evidence + prior.ln())
                        .fold(f32::NEG_INFINITY, log_add),
                },
                None => by_form(token, cancel),
            }
        })
        .collect()
}

/// Logarithm of the evidence for a kind; minus infinity where the token can't be of it.
fn evidence(decoded: &Option<Decoded>) -> f32 {
    decoded
        .as_ref()
        .map_or(f32::NEG_INFINITY, |decoded| decoded.evidence)
}

fn decode_as(
    kind: TokenKind,
    token: &Token,
    ngram: &Ngram,
    scoring: &Scoring,
    cancel: &CancelToken,
) -> Option<Decoded> {
    match kind {
        TokenKind::Word => decode_text(token, WordGrammar::new(ngram, scoring), scoring, cancel),
        TokenKind::Number => decode_text(token, NumberGrammar(scoring), scoring, cancel),
        TokenKind::Mixture => decode_text(token, MixtureGrammar(scoring), scoring, cancel),
    }
}

fn decode_text(
    token: &Token,
    mut part: impl Grammar,
    scoring: &Scoring,
    cancel: &CancelToken,
) -> Option<Decoded> {
    if token.mixed {
        let mut text = TextGrammar::new(part, scoring);
        decode_until(&token.lattice, &mut text, cancel)
    } else {
        decode_until(&token.lattice, &mut part, cancel)
    }
}

/// Reads a token by form alone.
fn by_form(token: &Token, cancel: &CancelToken) -> Scored {
    match decode_until(&token.lattice, &mut AnyGrammar, cancel) {
        Some(Decoded {
            best,
            shares,
            evidence,
        }) => Scored {
            reading: TokenReading { best, shares },
            evidence,
        },
        None => Scored {
            reading: TokenReading {
                best: Vec::new(),
                shares: vec![Vec::new(); token.lattice.spans.len()],
            },
            evidence: 0.0,
        },
    }
}

/// The prior of each kind of token, by place, estimated from the page's own tokens (expectation-maximisation).
fn priors(evidence: &[(TokenPlace, Vec<f32>)], scoring: &Scoring) -> [Vec<f32>; 3] {
    let usual = [scoring.kinds, scoring.single, scoring.single];
    let mut priors = usual.map(|kinds| kinds.to_vec());
    for _ in 0..ROUNDS {
        let mut counts =
            usual.map(|kinds| kinds.map(|share| share * scoring.prior_tokens).to_vec());
        for (place, evidence) in evidence {
            let place = *place as usize;
            let shares = shares(evidence, &priors[place]);
            for (count, share) in counts[place].iter_mut().zip(shares) {
                *count += share;
            }
        }
        priors = counts.map(|counts| {
            let all: f32 = counts.iter().sum();
            counts.into_iter().map(|count| count / all).collect()
        });
    }
    priors
}

/// Probability of each kind, from a token's evidence and the page's prior; all 0 where no kind is possible.
fn shares(evidence: &[f32], prior: &[f32]) -> Vec<f32> {
    let scores: Vec<f32> = evidence
        .iter()
        .zip(prior)
        .map(|(evidence, prior)| evidence + prior.ln())
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

/// The best reading of the most likely kind; each of its letters becomes the character that is most likely over all kinds.
fn choose(decoded: Vec<Option<Decoded>>, shares: &[f32]) -> Option<TokenReading> {
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
    // Where the best readings of nearly equally likely kinds differ, the sum over all readings decides.
    let likeliest_of = |(span, character): (usize, Option<char>)| {
        let most = all[span].iter().max_by(|a, b| a.1.total_cmp(&b.1));
        (span, character.and(most).map(|&(most, _)| most))
    };
    Some(TokenReading {
        best: likeliest.best.into_iter().map(likeliest_of).collect(),
        shares: all,
    })
}
