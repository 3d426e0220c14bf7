//! Pages that the tests write, and XML that they read back.

use kiln::ocr::formats::Sheet;
use kiln::ocr::{Guess, Letter, Line, Page, Word};
use kiln::segmentation::Rect;
use proptest::prelude::*;
use roxmltree::{Document, Node, ParsingOptions};

/// Size of a drawn letter, of the gap between words and of the distance between lines, in pixels.
pub const LETTER: (u32, u32) = (20, 30);
pub const GAP: u32 = 35;
pub const LINE: u32 = 60;
pub const MARGIN: u32 = 40;

pub fn word(text: &str, x: u32, y: u32) -> Word {
    let (width, height) = LETTER;
    let letters: Vec<Letter> = text
        .chars()
        .zip(0..)
        .map(|(letter, at)| Letter {
            bounds: Rect {
                x: x + at * width,
                y,
                width,
                height,
            },
            text: letter.to_string(),
            confidence: 0.9,
            alternatives: ["?", "!"]
                .map(|text| Guess {
                    text: text.into(),
                    confidence: 0.05,
                })
                .into(),
        })
        .collect();
    Word {
        bounds: Rect {
            x,
            y,
            width: width * letters.len().max(1) as u32,
            height,
        },
        text: text.into(),
        confidence: 0.9,
        letters,
    }
}

/// A page with a line of words for each text, and room around them.
pub fn page(lines: &[Vec<String>]) -> Page {
    let mut right = 0;
    let lines: Vec<Line> = lines
        .iter()
        .zip(0..)
        .map(|(words, number)| {
            let (mut x, y) = (MARGIN, MARGIN + number * LINE);
            let words: Vec<Word> = words
                .iter()
                .map(|text| {
                    let word = word(text, x, y);
                    x += word.bounds.width + GAP;
                    word
                })
                .collect();
            right = right.max(x);
            let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
            let bounds = words.iter().map(|word| word.bounds);
            Line {
                bounds: bounds.reduce(Rect::union).unwrap(),
                text: texts.join(" "),
                confidence: 0.9,
                words,
            }
        })
        .collect();
    Page {
        width: right + MARGIN,
        height: 2 * MARGIN + LINE * lines.len() as u32,
        rotated: 0,
        light_on_dark: false,
        lines,
    }
}

pub fn sheet(page: Page) -> Sheet {
    Sheet {
        image: "a <strange> & \"quoted\" name; with all.png".into(),
        page_number: None,
        page,
        score: None,
        picture: None,
    }
}

pub fn two_lines() -> Page {
    page(&[vec!["HELLO".into(), "WORLD".into()], vec!["7".into()]])
}

pub fn parse(text: &str) -> Document<'_> {
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

pub fn all<'a>(document: &'a Document, name: &str) -> Vec<Node<'a, 'a>> {
    let nodes = document.descendants();
    nodes.filter(|node| node.has_tag_name(name)).collect()
}

pub fn of_class<'a>(document: &'a Document, class: &str) -> Vec<Node<'a, 'a>> {
    let nodes = document.descendants();
    nodes
        .filter(|node| node.attribute("class") == Some(class))
        .collect()
}

pub fn number(node: Node, name: &str) -> f64 {
    node.attribute(name).unwrap().parse().unwrap()
}

/// Any text of a word that a model might give: letters, what XML reserves, what it can't hold.
pub fn odd_words() -> impl Strategy<Value = Vec<Vec<String>>> {
    let letter = prop_oneof![
        Just('<'),
        Just('&'),
        Just('>'),
        Just('"'),
        Just('\''),
        Just('\t'),
        Just('\u{1}'),
        Just('\u{ffff}'),
        Just(']'),
        any::<char>(),
    ];
    let word = prop::collection::vec(letter, 1..6).prop_map(|word| word.into_iter().collect());
    prop::collection::vec(prop::collection::vec(word, 1..4), 0..4)
}
