//! Lines that are one sequence: the same character again and again, or the alphabet and the digits in order. People write
//! such lines to collect samples of their hand, and no dictionary knows them.
//!
//! A line is read as a whole, over all gaps between its tokens, by each grammar of a sequence; how often lines are sequences is
//! estimated from the page.

use std::ops::Range;

use super::decoder::{Decoded, decode_until};
use super::lattice::{Lattice, Span};
use super::ngram::Ngram;
use super::token_grammar::{CHARACTERS, Grammar, GrammarState};
use super::tokens::{Scored, Token, TokenReading, read_scored};
use crate::ocr::scoring::Scoring;
use crate::progress::CancelToken;

/// Rounds of expectation-maximisation over the kinds of a page's lines.
const ROUNDS: usize = 4;
/// How many lines of the page the usual shares of kinds weigh as much as.
const PRIOR_LINES: f32 = 2.0;
/// Fraction of lines that are each kind of sequence, before the page is seen.
const SEQUENCE_SHARE: f32 = 0.01;
/// Chance that a sequence goes on as its rule says.
const RULE: f32 = 0.99;
/// Chance that an alphabet goes on with the next letter; capitals and small letters may stand in pairs.
const NEXT: f32 = 0.93;
/// Minimum fraction of a sequence's characters that look like themselves: without it, any row of blots is one.
const MIN_LIKENESS: f32 = 0.5;
/// A sequence has at most so many times the characters that are read otherwise: any writing can be cut into strokes that look alike.
const MAX_MORE: f32 = 1.5;
/// Characters that look alike: the sequence says which they are.
const ALIKE: [&str; 6] = ["O0", "I1", "S5", "Z2", "B8", "G6"];
/// Chance that a sequence ends after a character: rows of samples have a dozen.
const END: f32 = 1.0 / 12.0;
/// Fewest characters of a sequence: three of a kind are as often a number.
const MIN_LENGTH: usize = 4;

/// The rule of a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// The same character.
    Repetition,
    /// The next letter or digit.
    Succession,
}

/// A grammar of sequences; the state is the last character (of a repetition the first, from which others are exceptions), 0 before
/// the first.
struct SequenceGrammar<'a> {
    rule: Rule,
    scoring: &'a Scoring,
}

impl SequenceGrammar<'_> {
    /// Chance of a character after another.
    fn chance(&self, last: char, next: char) -> f32 {
        let same = last.eq_ignore_ascii_case(&next);
        let (chance, alike) = match self.rule {
            Rule::Repetition => (RULE, last == next),
            Rule::Succession if same && last != next => (RULE - NEXT, true),
            Rule::Succession => (NEXT, is_successor(last, next)),
        };
        if alike {
            chance
        } else {
            (1.0 - RULE) / CHARACTERS
        }
    }
}

/// Whether one character follows the other in the alphabet or the digits, which may end with 0.
fn is_successor(last: char, next: char) -> bool {
    let (last, next) = (last.to_ascii_uppercase(), next.to_ascii_uppercase());
    if last == '9' {
        return next == '0';
    }
    next.is_ascii_alphanumeric() && u32::from(next) == u32::from(last) + 1
}

impl Grammar for SequenceGrammar<'_> {
    fn start(&self) -> GrammarState {
        0
    }

    fn step(&mut self, state: GrammarState, character: char) -> Option<(GrammarState, f32)> {
        let chance = match char::from_u32(state).filter(|_| state != 0) {
            None => 1.0 / CHARACTERS,
            Some(last) => (1.0 - END) * self.chance(last, character),
        };
        let score = self.scoring.sequence * (chance * CHARACTERS).ln();
        let keeps = self.rule == Rule::Repetition && state != 0;
        let next = if keeps {
            state
        } else {
            GrammarState::from(character)
        };
        Some((next, score))
    }

    fn end(&mut self, _: GrammarState) -> f32 {
        self.scoring.sequence * END.ln()
    }
}

/// Reads a page of lines, each a range of `tokens`: by the kinds of its tokens, or as a sequence where that is likelier. Once it is
/// cancelled, the rest is not read.
pub fn read_lines(
    tokens: &[Token],
    lines: &[Range<usize>],
    ngram: Option<&Ngram>,
    scoring: &Scoring,
    cancel: &CancelToken,
) -> Vec<TokenReading> {
    let scored = read_scored(tokens, ngram, scoring, cancel);
    if ngram.is_none() {
        return scored.into_iter().map(|scored| scored.reading).collect();
    }
    let sequences: Vec<[Option<Decoded>; 2]> = lines
        .iter()
        .map(|line| {
            let lattice = whole_line(&tokens[line.clone()]);
            let read = scored[line.clone()].iter().map(|token| &token.reading.best);
            let usual = read.flatten().filter(|(_, c)| c.is_some()).count();
            [Rule::Repetition, Rule::Succession].map(|rule| {
                let mut grammar = SequenceGrammar { rule, scoring };
                let decoded = decode_until(&lattice, &mut grammar, cancel)?;
                is_credible(&decoded, &lattice, usual).then_some(decoded)
            })
        })
        .collect();
    let evidence: Vec<[f32; 3]> = lines
        .iter()
        .zip(&sequences)
        .map(|(line, sequences)| {
            let by_tokens = scored[line.clone()].iter().map(|token| token.evidence);
            let of = |decoded: &Option<Decoded>| {
                decoded.as_ref().map_or(f32::NEG_INFINITY, |d| d.evidence)
            };
            [by_tokens.sum(), of(&sequences[0]), of(&sequences[1])]
        })
        .collect();
    let priors = priors(&evidence);
    let mut readings: Vec<TokenReading> = scored.into_iter().map(|s: Scored| s.reading).collect();
    for ((line, sequences), evidence) in lines.iter().zip(sequences).zip(&evidence) {
        let shares = shares(evidence, &priors);
        for (decoded, share) in sequences.into_iter().zip(&shares[1..]) {
            if *share > shares[0]
                && *share >= 0.5
                && let Some(decoded) = decoded
            {
                split(decoded, &tokens[line.clone()], &mut readings[line.clone()]);
            }
        }
    }
    readings
}

/// Whether a reading is long enough for a sequence, not much longer than the `usual` characters of the same line, and most of its
/// characters are what their forms are likeliest to be.
fn is_credible(decoded: &Decoded, lattice: &Lattice, usual: usize) -> bool {
    let read = decoded.best.iter();
    let read: Vec<(usize, char)> = read.filter_map(|&(span, c)| Some((span, c?))).collect();
    let looks_like_it = |&&(span, character): &&(usize, char)| {
        let guesses = lattice.spans[span].guesses.iter();
        let likeliest = guesses.max_by(|a, b| a.1.total_cmp(&b.1));
        likeliest.is_some_and(|&(likeliest, _)| {
            let both = |pair: &&str| pair.contains(likeliest) && pair.contains(character);
            likeliest == character || ALIKE.iter().any(both)
        })
    };
    let alike = read.iter().filter(looks_like_it).count();
    let is_too_long = read.len() as f32 > MAX_MORE * usual as f32;
    read.len() >= MIN_LENGTH && !is_too_long && alike as f32 >= MIN_LIKENESS * read.len() as f32
}

/// The tokens of a line as one lattice.
fn whole_line(tokens: &[Token]) -> Lattice {
    let mut whole = Lattice::default();
    for token in tokens {
        let first = whole.pieces;
        whole
            .spans
            .extend(token.lattice.spans.iter().map(|span| Span {
                start: span.start + first,
                end: span.end + first,
                ..span.clone()
            }));
        whole.pieces += token.lattice.pieces;
    }
    whole
}

/// Divides the reading of a whole line among its tokens.
fn split(decoded: Decoded, tokens: &[Token], readings: &mut [TokenReading]) {
    let (mut best, mut shares) = (
        decoded.best.into_iter().peekable(),
        decoded.shares.into_iter(),
    );
    let mut first = 0;
    for (token, reading) in tokens.iter().zip(readings) {
        let end = first + token.lattice.spans.len();
        reading.best.clear();
        while let Some((span, character)) = best.next_if(|(span, _)| *span < end) {
            reading.best.push((span - first, character));
        }
        reading.shares = shares.by_ref().take(end - first).collect();
        first = end;
    }
}

/// Fraction of each kind among the page's lines (expectation-maximisation).
fn priors(evidence: &[[f32; 3]]) -> [f32; 3] {
    let usual = [1.0 - 2.0 * SEQUENCE_SHARE, SEQUENCE_SHARE, SEQUENCE_SHARE];
    let mut priors = usual;
    for _ in 0..ROUNDS {
        let mut counts = usual.map(|share| share * PRIOR_LINES);
        for line in evidence {
            for (count, share) in counts.iter_mut().zip(shares(line, &priors)) {
                *count += share;
            }
        }
        let all: f32 = counts.iter().sum();
        priors = counts.map(|count| count / all);
    }
    priors
}

/// Probability of each kind of line.
fn shares(evidence: &[f32; 3], priors: &[f32; 3]) -> [f32; 3] {
    let scores = [0, 1, 2].map(|kind| evidence[kind] + priors[kind].ln());
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if most == f32::NEG_INFINITY {
        return [1.0, 0.0, 0.0];
    }
    let weights = scores.map(|score| (score - most).exp());
    let all: f32 = weights.iter().sum();
    weights.map(|weight| weight / all)
}
