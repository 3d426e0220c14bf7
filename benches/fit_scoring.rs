//! Fits numbers of [`Scoring`], how much each kind of evidence counts when a page is read, to pages whose text is known:
//! `KILN_DATA=... cargo bench --bench fit_scoring -- --fit` (about a quarter of an hour on two cores).
//!
//! Pages: the drawn kinds of tests/page_kinds, and lines composed of NIST36 validation characters, letters apart and touching, as they are and as
//! photographs of them: uneven light, blur, letters of 13 to 26 pixels, JPEG. The seeds are none that a test uses, and of each class of
//! characters the samples with even numbers are fitted on, those with odd numbers measured on.
//! Coordinate descent: each number is multiplied and divided by a factor as long as that leaves clearly fewer wrong characters (edit distance
//! without spaces): by more than the root of the characters that change, summed over pages, which is what chance alone does; then with a
//! smaller factor. What the networks say of a letter does not depend on these numbers, and is computed once, in the view in which the page was
//! read at first. In which view a page is read does depend on them, so that a change which is better there counts only if the pages, read anew
//! from their pixels ("read" below), have clearly fewer wrong characters too. It starts at the values that were set by hand, so that it gives
//! those of [`Scoring::default`].

#[path = "../tests/common/composed.rs"]
mod composed;
#[path = "../tests/page_kinds/kinds.rs"]
mod kinds;
#[path = "../tests/common/sheets.rs"]
mod sheets;
#[path = "../tests/page_kinds/text.rs"]
mod text;

use std::path::PathBuf;

use composed::{Characters, Samples, noise};
use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use kiln::config::Backend;
use kiln::inference::Classifier;
use kiln::metrics::text::{TextScore, score, total};
use kiln::ocr::scoring::Scoring;
use kiln::ocr::{self, Evidence, ReadOptions, Reading};
use kiln::segmentation::Segmentation;
use kiln::{device, handwriting};
use kinds::KINDS;
use rayon::prelude::*;

/// Seeds of the drawn pages that are fitted on, and of those that are measured.
const FITTED: std::ops::Range<u64> = 70_000..70_016;
const MEASURED: std::ops::Range<u64> = 80_000..80_016;
/// Composed pages of each.
const COMPOSED: u64 = 96;
/// Factors by which a number is changed, one after the other.
const FACTORS: [f32; 2] = [1.5, 1.2];

/// The numbers that are fitted, by name. `context`, `letterness` and `not_a_letter` are not: they also decide how sure a reading is, hence in
/// which view a page is read and what is dropped from it, and the pages here are all read in the right view and have nothing to drop. Fitted
/// as well, they leave fewer wrong characters here, but turn other people's upright pages and read specks. `unknown`, `kinds`, `single` and
/// `prior_tokens` are not either: how often people write numbers, and names of no list, is no property of drawn text.
type Field = (&'static str, fn(&mut Scoring) -> &mut f32);
const FIELDS: [Field; 9] = [
    ("sequence", |s| &mut s.sequence),
    ("same_form", |s| &mut s.same_form),
    ("similar_form", |s| &mut s.similar_form),
    ("cut", |s| &mut s.cut),
    ("cut_touching", |s| &mut s.cut_touching),
    ("cut_ink", |s| &mut s.cut_ink),
    ("join", |s| &mut s.join),
    ("join_gap", |s| &mut s.join_gap),
    ("breadth", |s| &mut s.breadth),
];
/// Where the fit starts: what these numbers were before, set by hand.
fn by_hand() -> Scoring {
    Scoring {
        sequence: 0.9,
        same_form: 0.1,
        similar_form: 0.02,
        cut: 1.0,
        cut_touching: 0.3,
        cut_ink: 0.5,
        join: 2.5,
        join_gap: 8.0,
        breadth: 1.0,
        ..Scoring::default()
    }
}

/// What can't be more than 1: shares.
const SHARES: [&str; 2] = ["same_form", "similar_form"];

struct Known {
    image: RgbImage,
    lines: Vec<String>,
}

struct Models {
    capitals: Classifier,
    options: ReadOptions,
}

impl Models {
    fn with(&self, scoring: &Scoring) -> ReadOptions {
        ReadOptions {
            scoring: scoring.clone(),
            ..self.options.clone()
        }
    }

    fn read(&self, page: &Known, scoring: &Scoring) -> Reading {
        ocr::read_with(&page.image, &self.capitals, &self.with(scoring)).expect("a page")
    }

    /// What was read of each page.
    fn scores(&self, pages: &[Known], scoring: &Scoring) -> Vec<TextScore> {
        let of = |page: &Known| score(&self.read(page, scoring).page.text_lines(), &page.lines);
        pages.par_iter().map(of).collect()
    }

    /// Wrong characters of each page, from its pixels.
    fn misread(&self, pages: &[Known], scoring: &Scoring) -> Vec<usize> {
        let scores = self.scores(pages, scoring).into_iter();
        scores
            .map(|page| page.characters_without_spaces.distance)
            .collect()
    }

    /// Where the letters of pages are, in the view in which each is read.
    fn cut(&self, pages: &[Known], scoring: &Scoring) -> Vec<Segmentation> {
        let of = |page: &Known| self.read(page, scoring).segmentation;
        pages.par_iter().map(of).collect()
    }

    /// What the networks say of pages.
    fn classify<'a>(&self, pages: &'a [Segmentation]) -> Vec<Evidence<'a>> {
        let of = |page| Evidence::of(page, &self.capitals, &self.options).expect("a page");
        pages.par_iter().map(of).collect()
    }

    /// Wrong characters of each classified page.
    fn errors(&self, evidence: &[Evidence], pages: &[Known], scoring: &Scoring) -> Vec<usize> {
        let options = self.with(scoring);
        let of = |(evidence, page): (&Evidence, &Known)| {
            let lines = evidence.read(&options).expect("a page");
            let text: Vec<String> = lines.into_iter().map(|line| line.text).collect();
            score(&text, &page.lines).characters_without_spaces.distance
        };
        evidence.par_iter().zip(pages).map(of).collect()
    }
}

/// Wrong characters of each page.
struct Errors {
    /// In the view and with the cuts of the first reading.
    as_cut: Vec<usize>,
    /// From its pixels.
    read: Vec<usize>,
}

/// The best numbers so far.
struct Fit<'a> {
    models: &'a Models,
    pages: &'a [Known],
    evidence: &'a [Evidence<'a>],
    best: Scoring,
    errors: Errors,
}

impl Fit<'_> {
    /// Takes a number times `by` if that is better, and says whether it is.
    fn take(&mut self, (name, field): Field, by: f32) -> bool {
        let mut tried = self.best.clone();
        let value = field(&mut tried);
        *value *= by;
        let value = *value;
        if SHARES.contains(&name) && value > 0.9 {
            return false;
        }
        let as_cut = self.models.errors(self.evidence, self.pages, &tried);
        if !is_clearly_better(&self.errors.as_cut, &as_cut) {
            return false;
        }
        let read = self.models.misread(self.pages, &tried);
        let is_better = is_clearly_better(&self.errors.read, &read);
        let verdict = if is_better { "taken" } else { "not taken" };
        println!(
            "{name} {value:.3}: {} wrong as cut before, {} read: {verdict}",
            sum(&as_cut),
            sum(&read)
        );
        if is_better {
            self.best = tried;
            self.errors = Errors { as_cut, read };
        }
        is_better
    }
}

/// Whether pages have fewer wrong characters than before by more than one standard deviation of as many changes by chance.
fn is_clearly_better(before: &[usize], after: &[usize]) -> bool {
    let changes = || before.iter().zip(after);
    let better: f64 = changes().map(|(b, a)| *b as f64 - *a as f64).sum();
    let changed: usize = changes().map(|(b, a)| b.abs_diff(*a)).sum();
    better > (changed as f64).sqrt()
}

/// Pages of all kinds with these seeds, and composed ones.
fn pages(seeds: std::ops::Range<u64>, data: &std::path::Path, samples: Samples) -> Vec<Known> {
    let mut pages: Vec<Known> = KINDS
        .iter()
        .flat_map(|(_, draw)| seeds.clone().map(*draw))
        .map(|sheet| Known {
            image: sheet.image,
            lines: sheet.lines,
        })
        .collect();
    let characters = Characters::of(data, samples);
    pages.extend((0..COMPOSED).map(|page| {
        let seed = seeds.start + page;
        let text = handwriting::pages::varied(seed).text;
        let lines: Vec<String> = text.lines().map(str::to_string).collect();
        // A third of the pages each: letters apart, close, touching.
        let gaps = [(8, 20), (2, 9), (-5, 3)][(page % 3) as usize];
        let image = characters.page(&lines, gaps, noise(seed)());
        Known {
            // Every other one of each kind of gaps.
            image: match page % 6 {
                0..3 => image,
                _ => photograph(&image, seed),
            },
            lines,
        }
    }));
    pages
}

/// A photograph of a page: light that falls off to one side, blur, fewer pixels, JPEG.
fn photograph(page: &RgbImage, seed: u64) -> RgbImage {
    let mut random = noise(seed ^ 0x70686f746f);
    let mut share = || (random() >> 11) as f32 / (1u64 << 53) as f32;
    let (width, height) = page.dimensions();
    let (dark, turn, grain) = (
        0.55 * share(),
        std::f32::consts::TAU * share(),
        10.0 * share(),
    );
    let mut lit = page.clone();
    for (x, y, pixel) in lit.enumerate_pixels_mut() {
        let (across, down) = (
            x as f32 / width as f32 - 0.5,
            y as f32 / height as f32 - 0.5,
        );
        let light = 1.0 - dark * (0.5 + across * turn.cos() + down * turn.sin()).clamp(0.0, 1.0);
        let shake = grain * (share() + share() - 1.0);
        pixel.0 = pixel
            .0
            .map(|value| (f32::from(value) * light + shake).clamp(0.0, 255.0) as u8);
    }
    // Letters of the composed pages are 50 pixels high.
    let scale = (13.0 + 13.0 * share()) / 50.0;
    let side = |side: u32| (side as f32 * scale).round().max(1.0) as u32;
    let blurred = imageops::blur(&lit, 0.5 / scale * share());
    let small = imageops::resize(&blurred, side(width), side(height), FilterType::Triangle);
    let mut bytes = Vec::new();
    let quality = 55 + (35.0 * share()) as u8;
    small
        .write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality))
        .expect("a JPEG");
    image::load_from_memory(&bytes).expect("a JPEG").to_rgb8()
}

fn print(name: &str, models: &Models, pages: &[Known], scoring: &Scoring) {
    let all = total(&models.scores(pages, scoring)).characters_without_spaces;
    println!(
        "{name}, read: {} of {} characters wrong, accuracy {:.4}",
        all.distance, all.length, all.accuracy
    );
}

fn sum(errors: &[usize]) -> usize {
    errors.iter().sum()
}

fn main() {
    if !std::env::args().any(|argument| argument == "--fit") {
        println!(
            "fit_scoring takes a quarter of an hour: cargo bench --bench fit_scoring -- --fit"
        );
        return;
    }
    let data = PathBuf::from(std::env::var_os("KILN_DATA").expect("KILN_DATA with nist36"));
    let device = device::open(Backend::default()).expect("the CPU");
    let models = Models {
        capitals: ocr::shipped_model(&device).expect("the shipped model"),
        options: ReadOptions {
            mixed: Some(ocr::shipped_mixed_model(&device).expect("the shipped model")),
            ..ReadOptions::default()
        },
    };
    let fitted = pages(FITTED, &data, Samples::Even);
    let measured = pages(MEASURED, &data, Samples::Odd);
    let start = by_hand();
    print("before, fitted pages", &models, &fitted, &start);
    print("before, other pages", &models, &measured, &start);
    let segmentations = models.cut(&fitted, &start);
    let evidence = models.classify(&segmentations);
    let mut fit = Fit {
        errors: Errors {
            as_cut: models.errors(&evidence, &fitted, &start),
            read: models.misread(&fitted, &start),
        },
        models: &models,
        pages: &fitted,
        evidence: &evidence,
        best: start,
    };
    println!("as cut before: {} wrong", sum(&fit.errors.as_cut));
    for factor in FACTORS {
        for field in FIELDS {
            for by in [factor, 1.0 / factor] {
                let mut changed = false;
                while fit.take(field, by) {
                    changed = true;
                }
                if changed {
                    break;
                }
            }
        }
    }
    let best = fit.best;
    println!("{best:?}");
    print("after, fitted pages", &models, &fitted, &best);
    print("after, other pages", &models, &measured, &best);
}
