//! What a user may rely on about neighbours: word lists, chances of letters, and how tokens are read.

mod common;

use std::collections::HashMap;

use common::Bench;
use kiln::ocr::context::{
    Anything, BOUNDARY, Choice, Context, Grammar, History, Lattice, Mixtures, Ngram, Numbers,
    Place, SYMBOLS, Span, Token, WordList, Words, decode, read,
};
use kiln::ocr::scoring::Scoring;
use predicates::prelude::*;
use proptest::prelude::*;

fn list(text: &str) -> WordList {
    let Ok(list) = text.parse();
    list
}

/// The history of a word's first letters.
fn after(letters: &str) -> History {
    letters.bytes().fold(History::START, |history, byte| {
        history.then(usize::from(byte - b'A'))
    })
}

fn chance(ngram: &Ngram, before: &str, letter: char) -> f32 {
    ngram.after(after(before))[letter as usize - 'A' as usize]
}

#[test]
fn chances_of_letters_are_those_of_witten_and_bell_by_hand() {
    let ngram = Ngram::of(&list("AB\nAC\nB"));
    // All symbols: A 2, B 2, C 1, ends 3; 8 seen, 4 kinds; 27 symbols.
    let a = (2.0 + 4.0 / 27.0) / 12.0;
    let b = (2.0 + 4.0 / 27.0) / 12.0;
    // At the beginning: A 2, B 1.
    assert!((chance(&ngram, "", 'A') - (2.0 + 2.0 * a) / 5.0).abs() < 1e-6);
    // After A: B 1, C 1; the same after A at the beginning.
    let after_a = (1.0 + 2.0 * b) / 4.0;
    assert!((chance(&ngram, "A", 'B') - (1.0 + 2.0 * after_a) / 4.0).abs() < 1e-6);
    // Nothing was seen after Q: all symbols as they are anywhere.
    assert!((chance(&ngram, "Q", 'B') - b).abs() < 1e-6);
    // After B at the beginning: one end; after B: ends 2.
    let end = (3.0 + 4.0 / 27.0) / 12.0;
    let after_b = (2.0 + end) / 3.0;
    let expected = (1.0 + after_b) / 2.0;
    assert!((ngram.after(after("B"))[BOUNDARY] - expected).abs() < 1e-6);
}

#[test]
fn a_word_that_counts_twice_is_a_word_that_is_there_twice() {
    let ngram = Ngram::of(&list("AB 2\nAC"));
    // After A: B 2, C 1. All: A 3, B 2, C 1, ends 3.
    let b = (2.0 + 4.0 / 27.0) / 13.0;
    let after_a = (2.0 + 2.0 * b) / 5.0;
    assert!((chance(&ngram, "A", 'B') - (2.0 + 2.0 * after_a) / 5.0).abs() < 1e-6);
}

#[test]
fn the_shipped_list_prefers_what_english_prefers() {
    let words = WordList::english();
    assert!((50_000..100_000).contains(&words.len()), "{}", words.len());
    for word in ["A", "I", "THE", "HOMEWORK", "DONT", "REFRIGERATOR"] {
        assert!(words.contains(word), "{word}");
    }
    let context = Context::English;
    let ngram = context.ngram().unwrap();
    assert!(chance(ngram, "Q", 'U') > 0.9);
    assert!(chance(ngram, "TH", 'E') > 20.0 * chance(ngram, "TH", 'Q'));
    assert!(chance(ngram, "LEARN", 'I') > chance(ngram, "LEARN", 'Z'));
}

#[test]
fn the_shipped_list_survives_packing() {
    let words = WordList::english();
    assert!(words.iter().all(|(word, weight)| {
        weight > 0 && !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase())
    }));
    let packed = words.to_gzip().unwrap();
    let shipped = std::fs::read(common::repository().join("artifacts/ocr/words.txt.gz")).unwrap();
    assert!(packed == shipped, "make it again with `kiln data words`");
}

#[test]
fn lists_of_scowl_become_words_with_the_weight_of_their_size() {
    let bench = Bench::new();
    for (name, words) in [
        ("english-words.10", "a\nability\nability's\nabout\nb\n"),
        ("english-words.20", "about\nwell-known\n"),
        ("english-words.35", "caf\u{e9}\nzebra\n"),
        ("english-words.40", ""),
        ("english-words.50", "zygote\n"),
        ("english-words.60", "zythum\n"),
        ("english-contractions.10", "don't\n"),
        ("english-proper-names.50", "Zoe\n"),
    ] {
        bench.write(&format!("scowl/{name}"), words);
    }
    bench.output("data words scowl words.txt.gz");
    let words = WordList::from_scowl(&bench.path("scowl")).unwrap();
    assert_eq!(bench.read("words.txt.gz"), words.to_gzip().unwrap());
    let weights: HashMap<&str, u32> = words.iter().collect();
    assert!(weights["ABILITY"] > weights["WELL"]);
    assert!(weights["WELL"] > weights["ZEBRA"] && weights["ZEBRA"] > weights["ZYGOTE"]);
    assert!(weights["THE"] > weights["ABOUT"] && weights["ABOUT"] > weights["ABILITY"]);
    assert_eq!(weights["ZOE"], weights["ZYGOTE"]);
    for absent in ["B", "ABILITYS", "CAF", "ZYTHUM"] {
        assert!(!words.contains(absent), "{absent}");
    }
    assert!(words.contains("DONT"));
    bench
        .kiln("data words nowhere words.txt.gz")
        .assert()
        .code(1)
        .stderr(predicate::str::contains("english-words.10"));
}

#[test]
fn a_list_of_ones_own_may_have_lower_case_hyphens_and_numbers_of_any_size() {
    let words = list("  kiln\nco-op 3\n\nDon\u{2019}t\t9\nna\u{ef}ve 4\nB2B\nkiln 2 more\n");
    let found: Vec<(&str, u32)> = words.iter().collect();
    assert_eq!(found, [("CO", 3), ("DONT", 9), ("KILN", 2), ("OP", 3)]);
    let words = list("THE 50000000000\nOF 25000000000\nZZZ 1\n");
    let found: Vec<(&str, u32)> = words.iter().collect();
    assert_eq!(found, [("OF", 5000), ("THE", 10000), ("ZZZ", 1)]);
}

#[test]
fn files_that_are_no_word_list_are_refused_in_a_line() {
    let bench = Bench::new();
    bench.write("numbers.txt", "1\n2\n3\n");
    bench.write("empty.txt", "");
    bench.write("latin.txt", b"caf\xe9\n");
    bench.output("data page --text A page.png");
    for (file, message) in [
        ("numbers.txt", "has no word of the letters A to Z"),
        ("empty.txt", "has no word of the letters A to Z"),
        ("latin.txt", "is not UTF-8"),
        ("englisch", "off, english or a word list"),
        (".", "one word a line"),
    ] {
        let lines = predicate::function(|text: &str| text.lines().count() == 1);
        bench
            .kiln(&format!("ocr page.png --context {file}"))
            .assert()
            .code(2)
            .stdout("")
            .stderr(predicate::str::contains(file).and(predicate::str::contains(message)))
            .stderr(lines);
    }
    for (alphabet, message) in [("A-Z", "'-'"), ("\u{c4}\u{d6}", "none of the characters")] {
        let code = if alphabet == "A-Z" { 2 } else { 1 };
        bench
            .kiln(&format!("ocr page.png --alphabet {alphabet}"))
            .assert()
            .code(code)
            .stdout("")
            .stderr(predicate::str::contains(message));
    }
}

#[test]
fn the_alphabet_says_which_characters_there_are() {
    let bench = Bench::new();
    let draw = |text: &str, name: &str| {
        let mut page = bench.kiln("data page");
        page.args(["--text", text, "--seed", "3", name]);
        page.assert().success();
    };
    draw("SIZE 2018 BIG", "page.png");
    let read = |flags: &str| {
        bench
            .output(&format!("ocr page.png {flags}"))
            .trim()
            .to_string()
    };
    assert_eq!(read(""), "SIZE 2018 BIG");
    let all = |text: &str, is: fn(char) -> bool| text.chars().filter(|c| *c != ' ').all(is);
    let digits = read("--alphabet digits");
    assert!(all(&digits, |c| c.is_ascii_digit()), "{digits}");
    assert_eq!(&digits[5..9], "2018");
    let letters = read("--alphabet letters");
    assert!(all(&letters, |c| c.is_ascii_uppercase()), "{letters}");
    assert_eq!(&letters[..5], "SIZE ");
    let some = read("--alphabet sizeb2018g --context off");
    assert!(all(&some, |c| "SIZEB2018G".contains(c)), "{some}");
    // Confidences are of the characters that there are.
    let letters = bench.json("ocr page.png --alphabet letters --json");
    let first = &letters["lines"][0]["words"][0]["letters"][0];
    assert_eq!(first["text"], "S");
    assert!(first["alternatives"][0]["text"] != "5");
}

/// Forms that are written alike, as a network sees them that can't tell them apart.
fn form(character: char) -> Vec<(char, f32)> {
    let pairs = ["O0", "I1", "S5", "Z2", "B8", "G6"];
    match pairs.iter().find(|pair| pair.contains(character)) {
        Some(pair) => pair.chars().map(|c| (c, 0.5f32.ln())).collect(),
        None => vec![(character, 0.0)],
    }
}

/// Tokens of letters that stand apart.
fn tokens(line: &str) -> Vec<Token> {
    let words: Vec<&str> = line.split(' ').collect();
    let token = |(index, word): (usize, &&str)| Token {
        lattice: Lattice {
            pieces: word.len(),
            spans: word
                .chars()
                .enumerate()
                .map(|(at, character)| Span {
                    start: at,
                    end: at + 1,
                    score: 0.0,
                    guesses: form(character),
                    nothing: None,
                })
                .collect(),
        },
        place: match (word.len(), index == 0 && words.len() > 1) {
            (1, true) => Place::Numbering,
            (1, false) => Place::Single,
            _ => Place::Text,
        },
    };
    words.iter().enumerate().map(token).collect()
}

fn text(choices: &[Choice]) -> String {
    let words: Vec<String> = choices
        .iter()
        .map(|choice| choice.best.iter().filter_map(|(_, c)| *c).collect())
        .collect();
    words.join(" ")
}

#[test]
fn forms_that_are_alike_are_settled_by_their_neighbours() {
    let context = Context::English;
    for line in [
        "ROUTE 101",
        "OIL",
        "SOLO 2010",
        "BIG SIZE 250",
        "I LOVE MY CATS",
        "ZOO OPENS 8 TO 10",
        "GOSSIP",
        "IN 1915",
        "10 20 30 40",
        "BIOLOGISTS",
        "SIGN 66520",
    ] {
        let read = read(&tokens(line), context.ngram(), &Scoring::default());
        assert_eq!(text(&read), line);
    }
}

#[test]
fn a_numbered_list_has_a_1_where_a_letter_begins_with_an_i() {
    let context = Context::English;
    let page = |lines: &[&str]| {
        let tokens: Vec<Token> = lines.iter().flat_map(|line| tokens(line)).collect();
        text(&read(&tokens, context.ngram(), &Scoring::default()))
    };
    let list = ["1 MAKE A LIST", "2 CHECK IT", "3 REALIZE", "4 REWARD"];
    assert_eq!(page(&list), list.join(" "));
    let letter = ["I MAKE A LIST", "I CHECK IT", "I REALIZE"];
    assert_eq!(page(&letter), letter.join(" "));
}

#[test]
fn a_list_of_ones_own_knows_its_own_names() {
    // O or Q, both as likely by form.
    let word = |text: &str| {
        let mut tokens = tokens(text);
        let last = tokens[0].lattice.spans.last_mut().unwrap();
        last.guesses = vec![('O', 0.5f32.ln()), ('Q', 0.5f32.ln())];
        tokens
    };
    let own = Ngram::of(&list("TRANQ\nTRANQS"));
    let context = Context::English;
    let weights = Scoring::default();
    assert_eq!(text(&read(&word("TRANO"), Some(&own), &weights)), "TRANQ");
    assert_eq!(
        text(&read(&word("TRANO"), context.ngram(), &weights)),
        "TRANO"
    );
}

#[test]
fn what_the_network_is_sure_of_stands_in_a_word_of_no_list() {
    let context = Context::English;
    for line in [
        "XQZVW",
        "KORVAN TULEMB",
        "HJKL",
        "QWERTY PQPQ",
        "A4 B52 MP3",
    ] {
        let mut tokens = tokens(line);
        let sure = line.chars().filter(|c| *c != ' ');
        let spans = tokens.iter_mut().flat_map(|token| &mut token.lattice.spans);
        for (span, character) in spans.zip(sure) {
            let others = ('A'..='Z').filter(|c| *c != character);
            span.guesses = vec![(character, 0.9f32.ln())];
            span.guesses
                .extend(others.map(|c| (c, (0.1f32 / 25.0).ln())));
        }
        let read = read(&tokens, context.ngram(), &Scoring::default());
        assert_eq!(text(&read), line);
    }
}

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
        let make = |start: usize, end: usize, score: f32, guesses: &[f32], nothing: bool| Span {
            start,
            end,
            score,
            guesses: CHARACTERS
                .into_iter()
                .zip(guesses.iter().copied())
                .collect(),
            nothing: nothing.then_some(score - 1.0),
        };
        let mut spans = Vec::new();
        for (at, ((_, _, score, nothing), guesses)) in single.iter().take(pieces).enumerate() {
            spans.push(make(at, at + 1, *score, guesses, *nothing));
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

/// Spans from left to right, and what each is.
type Way = Vec<(usize, Option<char>)>;

/// Every reading of a lattice and its score, without a grammar.
fn readings(lattice: &Lattice, from: usize) -> Vec<(f32, Way)> {
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
        choices.extend(span.nothing.map(|score| (None, score)));
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
            None => assert!(span.nothing.is_some()),
        }
    }
    assert_eq!(at, lattice.pieces);
}

proptest! {
    #[test]
    fn without_context_the_best_of_all_readings_is_found(lattice in lattices()) {
        let decoded = decode(&lattice, &mut Anything).unwrap();
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
        let weights = Scoring::default();
        let mut words = Words::new(context.ngram().unwrap(), &weights);
        let (mut numbers, mut mixtures) = (Numbers(&weights), Mixtures(&weights));
        let grammars: [&mut dyn Grammar; 3] = [&mut words, &mut numbers, &mut mixtures];
        let allowed: [fn(char) -> bool; 3] =
            [|c| c.is_ascii_uppercase(), |c| c.is_ascii_digit(), |_| true];
        for (grammar, allows) in grammars.into_iter().zip(allowed) {
            let decoded = decode(&lattice, grammar).unwrap();
            assert_covers(&lattice, &decoded.best);
            prop_assert!(decoded.best.iter().filter_map(|(_, c)| *c).all(allows));
        }
        let tokens = [Token { lattice: lattice.clone(), place: Place::Text }];
        for ngram in [None, context.ngram()] {
            let choices = read(&tokens, ngram, &weights);
            assert_covers(&lattice, &choices[0].best);
            for share in choices[0].shares.iter().flatten() {
                prop_assert!((-1e-4..=1.0 + 1e-3).contains(&share.1), "{share:?}");
            }
        }
    }

    #[test]
    fn chances_of_letters_add_up_to_1(words in prop::collection::vec("[A-Z]{1,7}", 1..20), before in "[A-Z]{0,6}") {
        let ngram = Ngram::of(&list(&words.join("\n")));
        let chances: [f32; SYMBOLS] = ngram.after(after(&before));
        prop_assert!(chances.iter().all(|chance| *chance > 0.0));
        prop_assert!((chances.iter().sum::<f32>() - 1.0).abs() < 1e-4);
    }
}
