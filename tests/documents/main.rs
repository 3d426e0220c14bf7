//! What a user may rely on with files of several pages: PDFs and TIFFs that Pillow, img2pdf, reportlab and pikepdf have written
//! (tests/fixtures/pages), hostile ones, and the photographs under KILN_DATA/pages.

#[path = "../common/mod.rs"]
mod common;
mod hostile;
mod written;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{Bench, real_data, repository};
use image::imageops;
use kiln::document::{DEFAULT_DPI, Document, PageImage, PageSelection};
use kiln::metrics::text::score;
use kiln::photo;
use predicates::prelude::*;
use predicates::str::contains;

/// What stands on the three pages of each file; the last two are the same page in other kinds of pixels.
const TEXTS: [&str; 3] = ["HELLO WORLD", "PACK MY BOX", "PACK MY BOX"];

fn fixture(name: &str) -> PathBuf {
    repository().join("tests/fixtures/pages").join(name)
}

/// A bench with some of the fixtures.
fn bench(names: &[&str]) -> Bench {
    let bench = Bench::new();
    for name in names {
        bench.write(name, std::fs::read(fixture(name)).unwrap());
    }
    bench
}

fn open(name: &str) -> Document {
    Document::new(
        Arc::new(std::fs::read(fixture(name)).unwrap()),
        Path::new(name),
    )
    .unwrap()
}

fn page(document: &Document, number: usize) -> PageImage {
    let page = document.page(number, DEFAULT_DPI, Path::new("page"));
    page.unwrap()
}

/// Checks that each of the three pages of a file is read.
fn assert_three_pages_are_read(file: &str) {
    let read = bench(&[file]).json(&format!("ocr {file} --json"));
    let pages = read.as_array().unwrap();
    assert_eq!(pages.len(), 3, "{file}");
    for (page, (number, truth)) in pages.iter().zip((1..).zip(TEXTS)) {
        assert_eq!(page["image"], file);
        assert_eq!(page["page"], number);
        let lines: Vec<String> = page["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["text"].as_str().unwrap().to_string())
            .collect();
        let accuracy = score(&lines, &[truth.to_string()]).characters.accuracy;
        assert!(accuracy >= 0.9, "{file}, page {number}: {lines:?}");
    }
}

#[test]
fn all_pages_of_a_tiff_are_read_in_order() {
    assert_three_pages_are_read("three.tiff");
}

#[test]
#[cfg_attr(not(feature = "pdf"), ignore = "needs --features pdf")]
fn all_scans_in_a_pdf_are_read_in_order() {
    assert_three_pages_are_read("scans.pdf");
}

#[test]
#[cfg_attr(not(feature = "pdf"), ignore = "needs --features pdf")]
fn a_scan_in_a_pdf_is_taken_as_it_is() {
    let scans = open("scans.pdf");
    assert_eq!(scans.pages(), 3);
    // A JPEG, whose bytes are kept.
    let jpeg = std::fs::read(fixture("one.jpg")).unwrap();
    let first = page(&scans, 1);
    let decoded = photo::decode(&jpeg, Path::new("one.jpg")).unwrap();
    assert_eq!(first.photo.to_luma8(), decoded.to_luma8());
    assert_eq!(*first.file, jpeg);
    // A fax that lies on its side, and that the PDF turns by 90 degrees.
    let fax = photo::open(&fixture("fax.tiff")).unwrap().to_luma8();
    let second = page(&scans, 2);
    assert_eq!(second.photo.to_luma8(), imageops::rotate90(&fax));
    // img2pdf makes pages as large as 150 dots per inch ask for.
    let [width, height] = second.size.unwrap();
    let inches = [width, height].map(|points| points / 72.0 * 150.0);
    assert!(
        (inches[0] - second.photo.width() as f32).abs() < 1.0,
        "{inches:?}"
    );
    assert!(
        (inches[1] - second.photo.height() as f32).abs() < 1.0,
        "{inches:?}"
    );
}

#[test]
#[cfg_attr(not(feature = "pdf"), ignore = "needs --features pdf")]
fn a_drawn_page_is_rendered_at_the_resolution_that_is_asked_for() {
    let drawn = open("drawn.pdf");
    // A5 is 148 x 210 mm.
    for (dpi, width) in [(300, 1748.0), (72, 419.5)] {
        let page = drawn.page(1, dpi, Path::new("page")).unwrap();
        let got = page.photo.width() as f32;
        assert!((got - width).abs() <= 1.0, "{dpi} dpi: {got}");
        assert!(page.photo.to_luma8().pixels().any(|pixel| pixel[0] == 0));
    }
    let bench = bench(&["drawn.pdf"]);
    bench
        .kiln("ocr drawn.pdf")
        .assert()
        .success()
        .stdout(contains("== drawn.pdf, page 1\nTHE LAKE\nAT HALT\n"))
        .stderr(contains(
            "drawn.pdf, page 2: no writing that kiln can read: the page is blank",
        ));
}

#[test]
fn pages_are_chosen_and_those_that_are_missing_are_named() {
    let chosen = |pages: &str, count| pages.parse::<PageSelection>().unwrap().choose(count);
    assert_eq!(chosen("1,3-5", 6), Ok(vec![1, 3, 4, 5]));
    assert_eq!(chosen("5-,2,2", 6), Ok(vec![2, 5, 6]));
    assert_eq!(chosen("2-9", 6), Err(9));
    for wrong in ["", "0", "3-1", "a", "1-2-3", "1,,2", "-3"] {
        assert!(wrong.parse::<PageSelection>().is_err(), "{wrong}");
    }
    let bench = bench(&["three.tiff"]);
    let read = bench.json("ocr three.tiff --pages 2 --json");
    assert_eq!(read["page"], 2);
    bench
        .kiln("ocr three.tiff --pages 2-4")
        .assert()
        .code(2)
        .stderr("error: --pages: there is no page 4 in three.tiff, which has 3 pages\n");
    bench.kiln("ocr three.tiff --pages x").assert().code(2);
}

#[test]
#[cfg_attr(not(feature = "pdf"), ignore = "needs --features pdf")]
fn every_page_has_a_file_of_its_own_in_every_format_and_its_truth_beside_it() {
    let bench = bench(&["scans.pdf"]);
    for (format, extension) in [
        ("text", "txt"),
        ("json", "json"),
        ("tsv", "tsv"),
        ("hocr", "hocr"),
        ("alto", "xml"),
        ("pdf", "pdf"),
    ] {
        bench.output(&format!(
            "ocr scans.pdf --pages 1-2 --format {format} -o {format}"
        ));
        for number in 1..=2 {
            let name = format!("{format}/scans-page-{number}.{extension}");
            assert!(!bench.read(&name).is_empty(), "{name}");
        }
    }
    let title = String::from_utf8(bench.read("hocr/scans-page-2.hocr")).unwrap();
    assert!(title.contains("<title>scans.pdf</title>"), "{title}");
    for (number, truth) in (1..).zip(TEXTS) {
        bench.write(&format!("scans-page-{number}.txt"), truth);
    }
    let scores = bench.output("ocr scans.pdf --expect beside");
    assert!(scores.contains("scans.pdf, page 3"), "{scores}");
    bench.output("segment scans.pdf --overlay boxes --stages steps");
    assert!(bench.path("boxes/scans-page-3.png").exists());
    assert!(bench.path("steps/scans-page-1").is_dir());
}

#[test]
#[cfg_attr(not(feature = "pdf"), ignore = "needs --features pdf")]
fn a_searchable_pdf_of_kiln_is_read_again_and_its_pages_keep_their_size() {
    let bench = bench(&["scans.pdf"]);
    let before = bench.output("ocr scans.pdf");
    bench.output("ocr scans.pdf -o read.pdf");
    assert_eq!(
        bench
            .output("ocr read.pdf")
            .replace("read.pdf", "scans.pdf"),
        before
    );
    let again = Document::new(Arc::new(bench.read("read.pdf")), Path::new("read.pdf")).unwrap();
    for number in 1..=3 {
        let [sides, expected] =
            [&again, &open("scans.pdf")].map(|file| page(file, number).size.unwrap());
        for at in [0, 1] {
            assert!(
                (sides[at] - expected[at]).abs() < 0.1,
                "{sides:?} {expected:?}"
            );
        }
    }
}

#[test]
fn the_resolution_in_a_file_decides_the_size_of_the_page() {
    let inches = |name: &str| {
        page(&open(name), 1)
            .size
            .map(|size| size.map(|side| side / 72.0))
    };
    let sides = |name: &str| {
        let photo = photo::open(&fixture(name)).unwrap();
        [photo.width() as f32, photo.height() as f32]
    };
    for (name, dpi) in [
        ("one.jpg", 150.0),
        ("three.tiff", 200.0),
        ("fax.tiff", 150.0),
    ] {
        let expected = sides(name).map(|side| side / dpi);
        let got = inches(name).unwrap_or_else(|| panic!("{name}: no size"));
        assert!(
            (got[0] - expected[0]).abs() < 0.01 && (got[1] - expected[1]).abs() < 0.01,
            "{name}: {got:?}"
        );
    }
    // 72 dots per inch are what programs write that don't know.
    let mut jpeg = std::fs::read(fixture("one.jpg")).unwrap();
    let density = jpeg.windows(5).position(|five| five == b"JFIF\0").unwrap() + 8;
    jpeg[density..density + 4].copy_from_slice(&[0, 72, 0, 72]);
    assert_eq!(photo::resolution(&jpeg, 0), None);
}

#[test]
#[cfg_attr(not(feature = "pdf"), ignore = "needs --features pdf")]
fn pdfs_of_a_folder_are_read_and_other_documents_are_reported() {
    let bench = bench(&["drawn.pdf"]);
    bench.write("pages/a.PDF", bench.read("drawn.pdf"));
    bench.write("pages/b.heic", "");
    bench
        .kiln("ocr pages --pages 1")
        .assert()
        .success()
        .stdout(contains("== pages/a.PDF, page 1\nTHE LAKE\n"))
        .stderr(contains("passed over: 1 file (.heic)"));
    bench
        .kiln("ocr -")
        .write_stdin(bench.read("drawn.pdf"))
        .assert()
        .success()
        .stdout(contains("== -, page 1\nTHE LAKE\n"));
}

#[test]
#[cfg_attr(feature = "pdf", ignore = "needs a build without the feature pdf")]
fn a_build_without_the_feature_says_how_pdfs_are_read() {
    let bench = bench(&["drawn.pdf", "one.jpg"]);
    bench.write("pages/a.pdf", bench.read("drawn.pdf"));
    bench.write("pages/b.jpg", bench.read("one.jpg"));
    for command in ["ocr", "segment"] {
        bench
            .kiln(&format!("{command} drawn.pdf"))
            .assert()
            .code(1)
            .stderr(predicate::function(|text: &str| text.lines().count() == 1))
            .stderr(contains("`pdftoppm -r 300 -png in.pdf page`"))
            .stderr(contains("`cargo build --release --features pdf`"));
    }
    bench
        .kiln("ocr pages")
        .assert()
        .success()
        .stdout(contains("HELLO WORLD"))
        .stderr(contains("1 file (.pdf)"))
        .stderr(contains("--features pdf"));
}

#[test]
#[cfg_attr(not(kiln_data = "pages"), ignore = "needs pages in KILN_DATA")]
fn a_photograph_of_an_alphabet_is_read_in_every_format() {
    let folder = real_data().join("pages");
    let bench = Bench::new();
    let truth = folder.join("ground-truth.json");
    let pdf = cfg!(feature = "pdf").then_some("alphabet.pdf");
    for name in ["alphabet.tiff", "alphabet.webp"].into_iter().chain(pdf) {
        let read = bench.json(&format!(
            "ocr {} --json --expect {}",
            folder.join(name).display(),
            truth.display()
        ));
        let accuracy = read["score"]["characters_without_spaces"]["accuracy"].as_f64();
        assert!(accuracy.unwrap() >= 0.85, "{name}: {accuracy:?}");
    }
    bench
        .kiln(&format!("ocr {}", folder.join("alphabet.heic").display()))
        .assert()
        .code(1)
        .stderr(contains(
            "this is a HEIC image, which kiln does not read; convert it with",
        ));
}
