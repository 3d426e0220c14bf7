//! The beam search over a lattice, compared with all of its readings.

use kiln::ocr::context::{
    AnyGrammar, Context, Grammar, Lattice, MixtureGrammar, NumberGrammar, Span, Token, TokenPlace,
    WordGrammar, decode, read,
};
use kiln::ocr::scoring::Scoring;
use proptest::prelude::*;

const CHARACTERS: [char; 6] = ['A', 'E', 'O', '0', '1', 'Z'];

/// A lattice that can be read: every piece is a span, and there are some longer ones.
fn lattices() -> impl Strategy<Value = Lattice> {
    let span = (
        0usize..5,
        1usize..4,
        -3.0f32..0.0,
        prop::bool::weighted(0.2),
    );
    let guess = prop::collection::vec(-4.0f32..0.0, CHARACTERS.len());
    let longer = prop::collection::vec((span.clone(), guess.clone()), 0..6);
    let single = prop::collection::vec((span, guess), 5);
    (1usize..=5, single, longer).prop_map(|(pieces, single, longer)| {
        let make =
            |start: usize, end: usize, score: f32, guesses: &[f32], not_a_letter: bool| Span {
                start,
                end,
                score,
                guesses: CHARACTERS
                    .into_iter()
                    .zip(guesses.iter().copied())
                    .collect(),
                not_a_letter: not_a_letter.then_some(score - 1.0),
            };
        let mut spans = Vec::new();
        for (at, ((_, _, score, not_a_letter), guesses)) in single.iter().take(pieces).enumerate() {
            spans.push(make(at, at + 1, *score, guesses, *not_a_letter));
        }
        for ((start, length, score, _), guesses) in &longer {
            if start + length <= pieces {
                spans.push(make(*start, start + length, *score, guesses, false));
            }
        }
        spans.sort_by_key(|span| span.start);
        Lattice { pieces, spans }
    })
}

/// Spans from left to right, and the character of each.
type Path = Vec<(usize, Option<char>)>;

/// Every reading of a lattice and its score, without a grammar.
fn readings(lattice: &Lattice, from: usize) -> Vec<(f32, Path)> {
    if from == lattice.pieces {
        return vec![(0.0, Vec::new())];
    }
    let mut all = Vec::new();
    for (index, span) in lattice.spans.iter().enumerate() {
        if span.start != from {
            continue;
        }
        let letters = span.guesses.iter();
        let mut choices: Vec<(Option<char>, f32)> = letters
            .map(|&(c, score)| (Some(c), span.score + score))
            .collect();
        choices.extend(span.not_a_letter.map(|score| (None, score)));
        for (rest_score, rest) in readings(lattice, span.end) {
            for &(character, score) in &choices {
                let mut way = vec![(index, character)];
                way.extend(&rest);
                all.push((score + rest_score, way));
            }
        }
    }
    all
}

/// Fails unless the spans follow each other from the first piece to the last.
fn assert_covers(lattice: &Lattice, best: &[(usize, Option<char>)]) {
    let mut at = 0;
    for &(span, character) in best {
        let span = &lattice.spans[span];
        assert_eq!(span.start, at);
        at = span.end;
        match character {
            Some(character) => assert!(span.guesses.iter().any(|(c, _)| *c == character)),
            None => assert!(span.not_a_letter.is_some()),
        }
    }
    assert_eq!(at, lattice.pieces);
}

proptest! {
    #[test]
    fn without_context_the_best_of_all_readings_is_found(lattice in lattices()) {
        let decoded = decode(&lattice, &mut AnyGrammar).unwrap();
        let all = readings(&lattice, 0);
        let best = all.iter().map(|(score, _)| *score).fold(f32::MIN, f32::max);
        let own = all.iter().find(|(_, way)| *way == decoded.best).unwrap().0;
        prop_assert!((own - best).abs() < 1e-4, "{own} {best}");
        let sum: f64 = all.iter().map(|(score, _)| f64::from(*score).exp()).sum();
        prop_assert!((f64::from(decoded.evidence) - sum.ln()).abs() < 1e-3);
        // The share of a letter is that of the readings that have it.
        let (span, character) = decoded.best[0];
        if let Some(character) = character {
            let with: f64 = all
                .iter()
                .filter(|(_, way)| way.contains(&(span, Some(character))))
                .map(|(score, _)| f64::from(*score).exp())
                .sum();
            let share = decoded.shares[span].iter().find(|(c, _)| *c == character).unwrap().1;
            prop_assert!((f64::from(share) - with / sum).abs() < 1e-3);
        }
    }

    #[test]
    fn every_grammar_reads_each_piece_once(lattice in lattices()) {
        let context = Context::English;
        let scoring = Scoring::default();
        let mut words = WordGrammar::new(context.ngram().unwrap(), &scoring);
        let (mut numbers, mut mixtures) = (NumberGrammar(&scoring), MixtureGrammar(&scoring));
        let grammars: [&mut dyn Grammar; 3] = [&mut words, &mut numbers, &mut mixtures];
        let allowed: [fn(char) -> bool; 3] =
            [|c| c.is_ascii_uppercase(), |c| c.is_ascii_digit(), |_| true];
        for (grammar, allows) in grammars.into_iter().zip(allowed) {
            let decoded = decode(&lattice, grammar).unwrap();
            assert_covers(&lattice, &decoded.best);
            prop_assert!(decoded.best.iter().filter_map(|(_, c)| *c).all(allows));
        }
        let tokens = [Token { lattice: lattice.clone(), place: TokenPlace::Text, mixed: false }];
        for ngram in [None, context.ngram()] {
            let choices = read(&tokens, ngram, &scoring);
            assert_covers(&lattice, &choices[0].best);
            for share in choices[0].shares.iter().flatten() {
                prop_assert!((-1e-4..=1.0 + 1e-3).contains(&share.1), "{share:?}");
            }
        }
    }
}
