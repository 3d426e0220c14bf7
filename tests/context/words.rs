//! Word lists, their n-grams, and the flags that choose them.

use std::collections::HashMap;

use kiln::ocr::context::{BOUNDARY, Context, History, Ngram, SYMBOLS, WordList};
use predicates::prelude::*;
use proptest::prelude::*;

use crate::common::{self, Bench};

pub fn list(text: &str) -> WordList {
    let Ok(list) = text.parse();
    list
}

/// The history of a word's first letters.
pub fn after(letters: &str) -> History {
    letters.bytes().fold(History::START, |history, byte| {
        history.then(usize::from(byte - b'A'))
    })
}

pub fn chance(ngram: &Ngram, before: &str, letter: char) -> f32 {
    ngram.after(after(before))[letter as usize - 'A' as usize]
}

#[test]
fn letter_probabilities_are_those_of_witten_and_bell_by_hand() {
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
fn a_weight_of_two_counts_like_two_occurrences() {
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
    let packed = words.to_packed().unwrap();
    let shipped = std::fs::read(common::repository().join("artifacts/ocr/words.txt.gz")).unwrap();
    assert!(packed == shipped, "make it again with `kiln data words`");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_list_survives_packing(words in prop::collection::btree_map("[A-C]{1,40}|[A-Z]{1,6}", 1_u32..30, 0..60)) {
        let lines: Vec<String> = words.iter().map(|(word, weight)| format!("{word} {weight}")).collect();
        let words = list(&lines.join("\n"));
        prop_assert_eq!(&WordList::from_packed(&words.to_packed().unwrap()), &words);
    }

    #[test]
    fn any_bytes_unpack_to_a_list_without_a_panic(bytes: Vec<u8>, text in "[ 0-9a-zA-Z\n]{0,200}") {
        let gzip = |text: &[u8]| {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut packed, text).unwrap();
            packed.finish().unwrap()
        };
        let _ = (WordList::from_packed(&bytes), WordList::from_packed(&gzip(text.as_bytes())));
    }
}

#[test]
fn a_list_of_more_weights_than_digits_is_not_packed() {
    let lines: Vec<String> = (1..=37)
        .map(|weight| format!("{} {weight}", "A".repeat(weight)))
        .collect();
    let error = list(&lines.join("\n")).to_packed().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the list has 37 different weights, more than 36"
    );
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
    assert_eq!(bench.read("words.txt.gz"), words.to_packed().unwrap());
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
        .code(2)
        .stderr(predicate::str::contains("english-words.10"));
}

#[test]
fn a_users_list_may_have_lower_case_hyphens_and_weights_of_any_size() {
    let words = list("  kiln\nco-op 3\n\nDon\u{2019}t\t9\nna\u{ef}ve 4\nB2B\nkiln 2 more\n");
    let found: Vec<(&str, u32)> = words.iter().collect();
    assert_eq!(found, [("CO", 3), ("DONT", 9), ("KILN", 2), ("OP", 3)]);
    let words = list("THE 50000000000\nOF 25000000000\nZZZ 1\n");
    let found: Vec<(&str, u32)> = words.iter().collect();
    assert_eq!(found, [("OF", 5000), ("THE", 10000), ("ZZZ", 1)]);
}

#[test]
fn files_that_are_not_word_lists_are_refused_in_one_line() {
    let bench = Bench::new();
    bench.write("numbers.txt", "1\n2\n3\n");
    bench.write("empty.txt", "");
    bench.write("latin.txt", b"caf\xe9\n");
    bench.output("data page --text A page.png");
    for (file, message) in [
        ("numbers.txt", "contains no words spelled only with A to Z"),
        ("empty.txt", "contains no words spelled only with A to Z"),
        ("latin.txt", "is not UTF-8"),
        ("englisch", "off, english or a word-list file"),
        (".", "one word per line"),
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
    for (alphabet, message) in [
        ("A-Z", "ranges such as 'A-Z'"),
        ("\u{c4}\u{d6}", "none of the characters"),
    ] {
        bench
            .kiln(&format!("ocr page.png --alphabet {alphabet}"))
            .assert()
            .code(2)
            .stdout("")
            .stderr(predicate::str::contains(message));
    }
}

#[test]
fn the_alphabet_says_which_characters_may_be_read() {
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

proptest! {
    #[test]
    fn letter_probabilities_add_up_to_1(words in prop::collection::vec("[A-Z]{1,7}", 1..20), before in "[A-Z]{0,6}") {
        let ngram = Ngram::of(&list(&words.join("\n")));
        let chances: [f32; SYMBOLS] = ngram.after(after(&before));
        prop_assert!(chances.iter().all(|chance| *chance > 0.0));
        prop_assert!((chances.iter().sum::<f32>() - 1.0).abs() < 1e-4);
    }
}
