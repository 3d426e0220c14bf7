//! What a user may rely on with pages of every kind that kiln says it reads. The pages are drawn, so that their text is known.

mod kinds;
#[path = "../common/sheets.rs"]
mod sheets;
mod text;

use std::sync::OnceLock;

use kiln::config::Backend;
use kiln::device;
use kiln::inference::Classifier;
use kiln::metrics::text::{TextScore, score, total};
use kiln::ocr::{self, ReadOptions};
use kinds::{Draw, KINDS};

fn models() -> &'static (Classifier, ReadOptions) {
    static MODELS: OnceLock<(Classifier, ReadOptions)> = OnceLock::new();
    MODELS.get_or_init(|| {
        let device = device::open(Backend::default()).unwrap();
        let options = ReadOptions {
            mixed: Some(ocr::shipped_mixed_model(&device).unwrap()),
            ..ReadOptions::default()
        };
        (ocr::shipped_model(&device).unwrap(), options)
    })
}

/// What was read of pages of one kind.
struct Figures {
    /// Part of the characters that are right, in their order, without spaces.
    characters: f64,
    /// Characters that are not on the page, for 100 that are.
    junk: f64,
}

impl Figures {
    fn of(scores: &[TextScore]) -> Figures {
        let all = total(scores);
        let characters = all.characters_without_spaces;
        let added = all.confusions.iter().filter(|one| one.truth.is_none());
        let added: usize = added
            .filter(|one| one.read != Some(' '))
            .map(|one| one.count)
            .sum();
        Figures {
            characters: characters.accuracy,
            junk: 100.0 * added as f64 / characters.length.max(1) as f64,
        }
    }
}

/// Reads the pages of a kind; prints those that are not read well.
fn read(name: &str, draw: Draw, seeds: std::ops::Range<u64>) -> Vec<TextScore> {
    let (classifier, options) = models();
    seeds
        .map(|seed| {
            let sheet = draw(seed);
            let reading = ocr::read_with(&sheet.image, classifier, options).unwrap();
            let read = reading.page.text_lines();
            let score = score(&read, &sheet.lines);
            if score.characters_without_spaces.accuracy < 0.9 {
                eprintln!("{name}, seed {seed}: {read:?} for {:?}", sheet.lines);
            }
            score
        })
        .collect()
}

#[test]
fn a_few_pages_of_every_kind_are_read() {
    for (name, draw) in KINDS {
        let figures = Figures::of(&read(name, draw, 300..303));
        eprintln!("{name}: {:.3}", figures.characters);
        assert!(figures.characters >= 0.85, "{name}: {}", figures.characters);
    }
}

/// The figures of docs/results.md. `cargo test --release --test page_kinds -- --ignored --nocapture`
#[test]
#[ignore = "takes minutes"]
fn four_hundred_pages_of_all_kinds_are_read() {
    let mut all = Vec::new();
    eprintln!("40 pages of each kind: characters, junk in 100 letters");
    for (name, draw) in KINDS {
        let scores = read(name, draw, 2000..2040);
        let figures = Figures::of(&scores);
        eprintln!("{name:<30} {:.4} {:.2}", figures.characters, figures.junk);
        all.extend(scores);
    }
    let figures = Figures::of(&all);
    eprintln!(
        "{:<30} {:.4} {:.2}",
        "all", figures.characters, figures.junk
    );
    assert!(figures.characters >= 0.97, "{}", figures.characters);
    assert!(figures.junk <= 1.0, "{}", figures.junk);
}

#[test]
fn mixed_text_is_drawn_with_lower_case_and_marks() {
    for (name, draw) in KINDS {
        let text = draw(1).lines.concat();
        let is_mixed = ["lower and upper case", "punctuation"].contains(&name);
        assert_eq!(text.contains(char::is_lowercase), is_mixed, "{name}");
    }
}
