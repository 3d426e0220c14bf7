//! What a user may rely on where letters touch or break, and how well confidences are calibrated.

mod common;
#[path = "common/composed.rs"]
mod composed;

use std::collections::BTreeMap;

use burn::tensor::Device;
use composed::{Characters, noise};
use image::{Rgb, RgbImage};
use kiln::handwriting::pages::{PageOptions, compose};
use kiln::inference::Classifier;
use kiln::metrics::text::{TextScore, score, total};
use kiln::ocr::context::WordList;
use kiln::ocr::{self, Context, Page, ReadOptions};
use kiln::photo;
use kiln::segmentation::{Candidates, segment};
use proptest::prelude::*;

fn model() -> Classifier {
    ocr::shipped_model(&Device::flex()).expect("the shipped model")
}

fn off() -> ReadOptions {
    ReadOptions {
        context: Context::Off,
        ..ReadOptions::default()
    }
}

fn read(photo: &RgbImage, model: &Classifier, options: &ReadOptions) -> Page {
    let reading = ocr::read_with(photo, model, options).expect("a page");
    reading.page
}

fn lines(page: &Page) -> Vec<String> {
    page.lines.iter().map(|line| line.text.clone()).collect()
}

/// A line of drawn letters, each moved to the left until its box overlaps the one before by some pixels.
fn touching(text: &str, seed: u64, overlap: u32) -> RgbImage {
    let options = PageOptions {
        seed,
        light: 0.0,
        noise: 0.0,
        ..PageOptions::default()
    };
    let drawn = compose(text, &options).expect("a page");
    let words = drawn.lines.iter().flat_map(|line| &line.words);
    let letters: Vec<_> = words.flat_map(|word| &word.letters).collect();
    let paper = *drawn.image.get_pixel(0, 0);
    let mut page = RgbImage::from_pixel(drawn.width, drawn.height, paper);
    let mut left = letters[0].bounds.x;
    for letter in letters {
        let bounds = letter.bounds;
        for y in bounds.y..bounds.y + bounds.height {
            for x in 0..bounds.width {
                let ink = drawn.image.get_pixel(bounds.x + x, y);
                let pixel = page.get_pixel_mut(left + x, y);
                *pixel = Rgb([0, 1, 2].map(|c| pixel.0[c].min(ink.0[c])));
            }
        }
        left += bounds.width - overlap;
    }
    page
}

/// Whether one row of candidates covers each piece once.
fn can_be_read(word: &Candidates) -> bool {
    let mut reached = vec![false; word.pieces + 1];
    reached[0] = true;
    for candidate in &word.list {
        reached[candidate.end] |= reached[candidate.start];
    }
    reached[word.pieces]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn candidates_lie_in_their_line_and_cover_every_word(text in "[A-Z0-9]{2,6}", seed in 0u64..1000, overlap in 0u32..12) {
        let photo = touching(&text, seed, overlap);
        let page = segment(&photo);
        for line in &page.lines {
            for word in &line.words {
                let candidates = &word.candidates;
                prop_assert!(can_be_read(candidates));
                let inside = |b: kiln::segmentation::Rect| word.bounds.union(b) == word.bounds;
                for candidate in &candidates.list {
                    prop_assert!(candidate.start < candidate.end && candidate.end <= candidates.pieces);
                    prop_assert!(inside(candidate.letter.bounds));
                }
                // The letters as they were found are among them, with the same ink.
                let wholes: Vec<_> = candidates.list.iter().filter(|c| c.whole).collect();
                prop_assert_eq!(wholes.len(), word.letters.len());
                for (whole, letter) in wholes.iter().zip(&word.letters) {
                    prop_assert_eq!(whole.letter.bounds, letter.bounds);
                    prop_assert!(whole.letter.crop(32) == letter.crop(32));
                }
            }
        }
    }
}

#[test]
fn words_whose_letters_touch_are_read() {
    let model = model();
    let mut scores = Vec::new();
    for (seed, word) in [
        "HOME", "LOVE", "PAPER", "TABLE", "RULES", "CHAIR", "LETTERS", "BREAD",
    ]
    .into_iter()
    .enumerate()
    {
        let photo = touching(word, seed as u64, 4);
        let read = lines(&read(&photo, &model, &ReadOptions::default()));
        eprintln!("{word}: {read:?}");
        scores.push(score(&read, &[word.to_string()]));
    }
    let accuracy = total(&scores).characters_without_spaces.accuracy;
    assert!(accuracy >= 0.7, "{accuracy}");
}

#[test]
fn a_broken_letter_is_read_as_one_letter() {
    let model = model();
    let drawn = compose("HUNTER", &PageOptions::default()).unwrap();
    let mut page = drawn.image.clone();
    // A gap of 3 % of the letter's height through the bars of the H and the middle of the U.
    for letter in &drawn.lines[0].words[0].letters[..2] {
        let bounds = letter.bounds;
        let paper = *page.get_pixel(2, 2);
        let middle = bounds.x + bounds.width / 2;
        for y in bounds.y..bounds.y + bounds.height {
            for x in middle - 1..middle + 2 {
                page.put_pixel(x, y, paper);
            }
        }
    }
    let letters: usize = segment(&page).lines[0]
        .words
        .iter()
        .map(|w| w.letters.len())
        .sum();
    assert!(letters > 6, "the letters are not broken");
    assert_eq!(
        lines(&read(&page, &model, &ReadOptions::default())),
        ["HUNTER"]
    );
}

/// Words of the list, names of no list, random strings and numbers, as lines of three words.
fn texts(kind: &str, seed: u64, words: &WordList) -> Vec<String> {
    let mut random = noise(seed);
    let common: Vec<&str> = words
        .iter()
        .filter(|word| word.1 > 1)
        .map(|word| word.0)
        .collect();
    let mut pick = |from: &str| {
        let letters: Vec<char> = from.chars().collect();
        letters[random() as usize % letters.len()]
    };
    let mut any = noise(seed + 1000);
    let mut word = || match kind {
        "list" => common[any() as usize % common.len()].to_string(),
        "names" => loop {
            let mut name = String::new();
            for _ in 0..2 + any() % 2 {
                name.extend([pick("BDFGKLMNPRSTVZ"), pick("AEIOU")]);
            }
            if !words.contains(&name) {
                break name;
            }
        },
        "numbers" => (0..2 + any() % 5).map(|_| pick("0123456789")).collect(),
        _ => (0..3 + any() % 6)
            .map(|_| pick("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
            .collect(),
    };
    let mut line = || [word(), word(), word()].join(" ");
    (0..7).map(|_| line()).collect()
}

/// Confidences in 15 bins of equal width: their sum, how many were right, how many there are.
#[derive(Default)]
struct Calibration([(f64, f64, f64); 15]);

impl Calibration {
    /// Takes the letters of lines that were read with the right number of letters.
    fn add(&mut self, page: &Page, truth: &[String]) {
        for (line, truth) in page.lines.iter().zip(truth) {
            let letters: Vec<_> = line.words.iter().flat_map(|word| &word.letters).collect();
            let truth: Vec<char> = truth.chars().filter(|c| *c != ' ').collect();
            if letters.len() != truth.len() {
                continue;
            }
            for (letter, truth) in letters.iter().zip(truth) {
                let confidence = f64::from(letter.confidence);
                let bin = &mut self.0[((confidence * 15.0) as usize).min(14)];
                let right = letter.text.starts_with(truth);
                *bin = (bin.0 + confidence, bin.1 + f64::from(right), bin.2 + 1.0);
            }
        }
    }

    /// Expected calibration error, and of how many letters.
    fn error(&self) -> (f64, f64) {
        let all: f64 = self.0.iter().map(|bin| bin.2).sum();
        let off: f64 = self.0.iter().map(|bin| (bin.0 - bin.1).abs()).sum();
        (off / all, all)
    }
}

#[test]
#[cfg_attr(
    not(kiln_data = "handwritten36"),
    ignore = "needs handwritten36 in KILN_DATA"
)]
fn context_helps_words_and_numbers_and_does_not_hurt_names_and_random_strings() {
    let data = common::real_data();
    let (model, characters, words) = (model(), Characters::open(&data), WordList::english());
    let mut calibration = Calibration::default();
    for (kind, gain) in [
        ("list", 0.03),
        ("names", 0.0),
        ("random", -0.01),
        ("numbers", 0.03),
    ] {
        let (mut with, mut without): (Vec<TextScore>, Vec<TextScore>) = (Vec::new(), Vec::new());
        for seed in 0..3 {
            let truth = texts(kind, 10 + seed, &words);
            let photo = characters.page(&truth, (4, 14), seed);
            let page = read(&photo, &model, &ReadOptions::default());
            calibration.add(&page, &truth);
            with.push(score(&lines(&page), &truth));
            without.push(score(&lines(&read(&photo, &model, &off())), &truth));
        }
        let [with, without] =
            [with, without].map(|scores| total(&scores).characters_without_spaces.accuracy);
        eprintln!("{kind}: {with:.4} with context, {without:.4} without");
        assert!(with >= without + gain, "{kind}: {with} {without}");
    }
    let (error, letters) = calibration.error();
    eprintln!("expected calibration error of {letters} letters, 15 bins: {error:.4}");
    assert!(error <= 0.06, "{error}");
}

/// Reads the photographs of a folder: mistakes without spaces, and how many characters there are.
fn mistakes(folder: &str, options: &ReadOptions) -> (usize, usize) {
    let folder = common::real_data().join(folder);
    let text = std::fs::read_to_string(folder.join("ground-truth.json")).unwrap();
    let truth: BTreeMap<String, Vec<String>> = serde_json::from_str(&text).unwrap();
    let model = model();
    let scores: Vec<TextScore> = truth
        .iter()
        .map(|(name, truth)| {
            let photo = photo::open(&folder.join(name)).unwrap().into_rgb8();
            let read = lines(&read(&photo, &model, options));
            eprintln!("{name}: {read:?}");
            score(&read, truth)
        })
        .collect();
    let total = total(&scores).characters_without_spaces;
    (total.distance, total.length)
}

#[test]
#[cfg_attr(
    not(kiln_data = "hw4-images"),
    ignore = "needs hw4-images in KILN_DATA"
)]
fn the_course_pages_are_read_without_a_mistake_and_nearly_so_by_form_alone() {
    let (wrong, all) = mistakes("hw4-images", &ReadOptions::default());
    assert_eq!((wrong, all), (0, 246));
    let (wrong, _) = mistakes("hw4-images", &off());
    assert!(wrong <= 4, "{wrong} of 246");
}

#[test]
#[cfg_attr(not(kiln_data = "photos"), ignore = "needs photos in KILN_DATA")]
fn photographs_by_other_hands_are_read_with_at_most_one_mistake() {
    let (wrong, all) = mistakes("photos", &ReadOptions::default());
    assert!(wrong <= 1, "{wrong} of {all}");
}
