//! How tokens are read by form and neighbours together.

use kiln::ocr::context::{Context, Lattice, Ngram, Span, Token, TokenPlace, TokenReading, read};
use kiln::ocr::scoring::Scoring;

use crate::words::list;

/// Characters of the same form, as seen by a network that can't tell them apart.
fn form(character: char) -> Vec<(char, f32)> {
    let pairs = ["O0", "I1", "S5", "Z2", "B8", "G6"];
    match pairs.iter().find(|pair| pair.contains(character)) {
        Some(pair) => pair.chars().map(|c| (c, 0.5f32.ln())).collect(),
        None => vec![(character, 0.0)],
    }
}

/// Tokens of separate letters.
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
                    not_a_letter: None,
                })
                .collect(),
        },
        mixed: false,
        place: match (word.len(), index == 0 && words.len() > 1) {
            (1, true) => TokenPlace::Numbering,
            (1, false) => TokenPlace::Single,
            _ => TokenPlace::Text,
        },
    };
    words.iter().enumerate().map(token).collect()
}

fn text(choices: &[TokenReading]) -> String {
    let words: Vec<String> = choices
        .iter()
        .map(|choice| choice.best.iter().filter_map(|(_, c)| *c).collect())
        .collect();
    words.join(" ")
}

#[test]
fn neighbours_decide_between_characters_of_the_same_form() {
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
fn a_users_list_knows_its_own_names() {
    // O or Q, both as likely by form.
    let word = |text: &str| {
        let mut tokens = tokens(text);
        let last = tokens[0].lattice.spans.last_mut().unwrap();
        last.guesses = vec![('O', 0.5f32.ln()), ('Q', 0.5f32.ln())];
        tokens
    };
    let own = Ngram::of(&list("TRANQ\nTRANQS"));
    let context = Context::English;
    let scoring = Scoring::default();
    assert_eq!(text(&read(&word("TRANO"), Some(&own), &scoring)), "TRANQ");
    assert_eq!(
        text(&read(&word("TRANO"), context.ngram(), &scoring)),
        "TRANO"
    );
}

#[test]
fn a_confident_network_reads_words_that_no_list_has() {
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
