//! What a user may rely on when kiln draws characters: the glyphs, the pages and the UNIPEN strokes.

mod common;

use std::io::Write;

use kiln::data::glyphs::Glyphs;
use kiln::data::unipen::{Unipen, flaw};
use kiln::data::{DataError, DataSource, Split};
use kiln::data::{GlyphsConfig, UnipenConfig};
use kiln::handwriting::pages::{Bounds, DrawnPage, PageError, PageOptions, compose};

fn small(seed: u64) -> Glyphs {
    Glyphs::new(&GlyphsConfig {
        train: 720,
        valid: 360,
        test: 360,
        seed,
        ..GlyphsConfig::default()
    })
}

fn read(source: &dyn DataSource, split: Split, index: usize, draw: u64) -> Vec<f32> {
    let mut values = vec![0.0; source.shape().values()];
    source.read(split, index, draw, &mut values).unwrap();
    values
}

#[test]
fn a_glyph_depends_only_on_seed_split_and_index() {
    let (one, again) = (small(1), small(1));
    for index in (0..720).rev().step_by(7) {
        let first = read(&again, Split::Train, index, 0);
        assert_eq!(read(&one, Split::Train, index, 5), first);
    }
    // A larger set begins with the same samples.
    let larger = Glyphs::new(&GlyphsConfig {
        train: 1440,
        seed: 1,
        ..GlyphsConfig::default()
    });
    assert_eq!(
        read(&one, Split::Train, 700, 0),
        read(&larger, Split::Train, 700, 0)
    );
}

#[test]
fn splits_seeds_and_indices_give_different_glyphs() {
    let (one, other) = (small(1), small(2));
    for index in 0..100 {
        let train = read(&one, Split::Train, index, 0);
        assert_ne!(train, read(&one, Split::Valid, index, 0));
        assert_ne!(train, read(&one, Split::Test, index, 0));
        assert_ne!(train, read(&one, Split::Train, index + 36, 0));
        assert_ne!(train, read(&other, Split::Train, index, 0));
    }
}

#[test]
fn the_classes_are_a_to_z_and_0_to_9_and_equally_frequent() {
    let glyphs = small(0);
    assert_eq!(
        glyphs.classes().concat(),
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    );
    let mut counts = [0; 36];
    for index in 0..glyphs.len(Split::Train) {
        counts[glyphs.label(Split::Train, index)] += 1;
    }
    assert_eq!(counts, [20; 36]);
}

#[test]
fn every_glyph_is_dark_ink_within_a_white_margin_of_a_pixel() {
    // Half of the margin of a small image is the soft edge.
    for (size, paper) in [(16, 0.5), (32, 0.99), (48, 0.99)] {
        let glyphs = Glyphs::new(&GlyphsConfig {
            train: 2160,
            size,
            ..GlyphsConfig::default()
        });
        for index in 0..2160 {
            let values = read(&glyphs, Split::Train, index, 0);
            assert!(values.iter().all(|value| (0.0..=1.0).contains(value)));
            assert!(values.iter().any(|&value| value < 0.4), "{size} {index}");
            for (place, &value) in values.iter().enumerate() {
                let (x, y) = (place % size, place / size);
                let border = x == 0 || y == 0 || x == size - 1 || y == size - 1;
                assert!(!border || value > paper, "{size} {index}: ink at {x},{y}");
            }
        }
    }
}

/// The proportions that `nist36/README.md` gives for the course's letters.
#[test]
fn glyphs_have_the_proportions_of_nist36() {
    let glyphs = small(0);
    let (mut longer, mut ink) = (0.0, 0.0);
    for index in 0..720 {
        let values = read(&glyphs, Split::Train, index, 0);
        let dark = |i: &usize| values[*i] < 0.5;
        let xs: Vec<usize> = (0..1024).filter(dark).map(|i| i % 32).collect();
        let ys: Vec<usize> = (0..1024).filter(dark).map(|i| i / 32).collect();
        let span = |v: &[usize]| v.iter().max().unwrap() - v.iter().min().unwrap() + 1;
        longer += span(&xs).max(span(&ys)) as f32 / 720.0;
        ink += values.iter().map(|value| 1.0 - value).sum::<f32>() / 720.0;
    }
    assert!((24.5..26.5).contains(&longer), "longer side {longer}");
    assert!((130.0..200.0).contains(&ink), "ink {ink}");
}

#[test]
fn a_sample_that_does_not_exist_is_an_error() {
    let mut values = vec![0.0; 1024];
    let glyphs = small(0);
    assert!(glyphs.read(Split::Valid, 360, 0, &mut values).is_err());
    assert!(glyphs.read(Split::Valid, 0, 0, &mut values[1..]).is_err());
}

const TEXT: &str = "THE QUICK BROWN FOX\nJUMPS OVER 13 LAZY DOGS\n\n2456789 0 I";

/// No light and no noise, so that a fixed threshold finds the ink.
fn plain(seed: u64, letter_height: f32) -> PageOptions {
    PageOptions {
        seed,
        letter_height,
        light: 0.0,
        noise: 0.0,
        ..PageOptions::default()
    }
}

fn is_ink(page: &DrawnPage, x: u32, y: u32) -> bool {
    // Half-way between the paper's green (248) and the ink's (40).
    page.image.get_pixel(x, y).0[1] <= 144
}

fn letters(page: &DrawnPage) -> Vec<(char, Bounds)> {
    let words = page.lines.iter().flat_map(|line| &line.words);
    words
        .flat_map(|word| &word.letters)
        .map(|letter| (letter.character, letter.bounds))
        .collect()
}

#[test]
fn the_boxes_of_a_page_hold_all_of_its_ink_and_touch_it_on_every_side() {
    for (seed, letter_height) in [(0, 80.0), (1, 33.0), (2, 140.0), (3, 24.5)] {
        let page = compose(TEXT, &plain(seed, letter_height)).unwrap();
        let mut covered = vec![false; (page.width * page.height) as usize];
        for (character, b) in letters(&page) {
            let (mut sides, mut mark) = ([false; 4], 0);
            for y in b.y..b.y + b.height {
                for x in b.x..b.x + b.width {
                    covered[(y * page.width + x) as usize] = true;
                    if is_ink(&page, x, y) {
                        mark += 1;
                        sides[0] |= x == b.x;
                        sides[1] |= y == b.y;
                        sides[2] |= x + 1 == b.x + b.width;
                        sides[3] |= y + 1 == b.y + b.height;
                    }
                }
            }
            assert!(
                mark > 0 && sides == [true; 4],
                "{character} {b:?} {sides:?}"
            );
        }
        for (x, y, _) in page.image.enumerate_pixels() {
            let inside = covered[(y * page.width + x) as usize];
            assert!(inside || !is_ink(&page, x, y), "ink at {x},{y} in no box");
        }
    }
}

#[test]
fn the_letters_of_a_page_keep_apart() {
    for seed in 0..20 {
        let page = compose(TEXT, &plain(seed, 40.0)).unwrap();
        for line in &page.lines {
            for pair in line.words.windows(2) {
                let gap = pair[1].bounds.x - (pair[0].bounds.x + pair[0].bounds.width);
                assert!(gap >= 25, "words {gap} px apart");
            }
            for word in &line.words {
                for pair in word.letters.windows(2) {
                    let gap = pair[1].bounds.x - (pair[0].bounds.x + pair[0].bounds.width);
                    assert!((3..20).contains(&gap), "letters {gap} px apart");
                }
            }
        }
        for pair in page.lines.windows(2) {
            assert!(pair[1].bounds.y > pair[0].bounds.y + pair[0].bounds.height);
        }
    }
}

#[test]
fn a_page_says_what_is_written_on_it() {
    let page = compose("hello  World \n\n 42\n", &PageOptions::default()).unwrap();
    assert_eq!(page.text(), "HELLO WORLD\n42");
    let drawn: String = letters(&page).iter().map(|(c, _)| *c).collect();
    assert_eq!(drawn, "HELLOWORLD42");
    let json = serde_json::to_value(&page).unwrap();
    assert_eq!(json["lines"][0]["words"][1]["text"], "WORLD");
    assert_eq!(json["lines"][1]["words"][0]["letters"][1]["character"], "2");
    let b = page.lines[0].words[0].letters[0].bounds;
    assert_eq!(
        json["lines"][0]["words"][0]["letters"][0]["bounds"]["x"],
        b.x
    );
    assert_eq!(json["lines"][0]["bounds"]["x"], page.lines[0].bounds.x);
    assert!(json.get("image").is_none());
}

#[test]
fn the_same_options_give_the_same_page_and_another_seed_another_one() {
    let options = PageOptions::default();
    let page = compose("SAME", &options).unwrap();
    assert_eq!(page, compose("SAME", &options).unwrap());
    let other = PageOptions { seed: 1, ..options };
    assert_ne!(page, compose("SAME", &other).unwrap());
}

#[test]
fn without_variation_equal_letters_are_equal() {
    let options = PageOptions {
        variation: 0.0,
        ..plain(4, 64.0)
    };
    let page = compose("EEE", &options).unwrap();
    let sizes: Vec<_> = letters(&page)
        .iter()
        .map(|(_, b)| (b.y, b.width, b.height))
        .collect();
    assert_eq!(sizes, [sizes[0]; 3]);
}

#[test]
fn a_character_that_cannot_be_written_is_named_with_its_place() {
    let error = compose("ABC\nD~", &PageOptions::default()).unwrap_err();
    let expected = PageError::Character {
        character: '~',
        line: 2,
        column: 2,
    };
    assert_eq!(error, expected);
    assert!(error.to_string().contains("'~'"), "{error}");
    assert!(compose("É", &PageOptions::default()).is_err());
}

#[test]
fn a_page_has_the_wanted_size_or_says_that_it_is_too_small() {
    let options = PageOptions {
        size: Some((900, 300)),
        ..PageOptions::default()
    };
    let page = compose("HELLO", &options).unwrap();
    assert_eq!(page.image.dimensions(), (900, 300));
    let options = PageOptions {
        size: Some((200, 300)),
        ..options
    };
    let error = compose("HELLO", &options).unwrap_err();
    assert!(matches!(error, PageError::Size { width: 200, .. }));
    let options = PageOptions {
        letter_height: f32::NAN,
        ..PageOptions::default()
    };
    assert!(compose("A", &options).is_err());
    let blank = compose("", &PageOptions::default()).unwrap();
    assert!(blank.lines.is_empty() && blank.width > 0);
}

/// A data set of the given lines in a temporary folder.
fn stroke_file(lines: &[&str]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("unipen")).unwrap();
    let file = std::fs::File::create(root.path().join("unipen/strokes.jsonl.gz")).unwrap();
    let mut gz = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    gz.write_all(lines.join("\n").as_bytes()).unwrap();
    gz.finish().unwrap();
    root
}

const GOOD: &str = r#"{"c":"L","q":"OK","src":"a","s":[[[0,0],[0,1000],[700,1000]]]}"#;

#[test]
#[cfg_attr(not(kiln_data = "unipen"), ignore = "needs unipen in KILN_DATA")]
fn unipen_reads_every_segment_and_draws_it_in_frame() {
    let root = common::real_data();
    let unipen = Unipen::open(&UnipenConfig::default(), &root).unwrap();
    let total: usize = Split::ALL.iter().map(|&split| unipen.len(split)).sum();
    // 30,045 segments in the folder's README.
    assert_eq!(total + unipen.left_out(), 30_045);
    assert!(unipen.left_out() < 600, "{}", unipen.left_out());
    let told = format!(
        "not used: {} segments that are no characters",
        unipen.left_out()
    );
    assert_eq!(unipen.notes(), [told]);
    for split in Split::ALL {
        for index in (0..unipen.len(split)).step_by(37) {
            for draw in [0, 3] {
                let values = read(&unipen, split, index, draw);
                assert!(values.iter().all(|value| (0.0..=1.0).contains(value)));
                assert!(values.iter().any(|&value| value < 0.1));
                let edge = |i: usize| [i, 31 * 32 + i, i * 32, i * 32 + 31];
                // As in the stand-in, the longest letters come within a quarter of a pixel of the border.
                let border: Vec<f32> = (0..32).flat_map(edge).map(|i| values[i]).collect();
                assert!(border.iter().all(|&value| value > 0.1), "{border:?}");
                assert!(
                    border.iter().filter(|&&value| value < 0.5).count() < 64,
                    "{border:?}"
                );
            }
        }
    }
}

#[test]
fn unipen_draws_anew_only_when_asked() {
    let root = stroke_file(&[GOOD]);
    let unipen = Unipen::open(&one_split(), root.path()).unwrap();
    let plain = read(&unipen, Split::Train, 0, 0);
    assert_eq!(plain, read(&unipen, Split::Train, 0, 0));
    let again = read(&unipen, Split::Train, 0, 9);
    assert_ne!(plain, again);
    assert_eq!(again, read(&unipen, Split::Train, 0, 9));
    assert_ne!(again, read(&unipen, Split::Train, 0, 10));
    assert_eq!(unipen.label(Split::Train, 0), 11);
}

fn one_split() -> UnipenConfig {
    serde_json::from_str(r#"{"split": {"by": "share", "valid": 0.0, "test": 0.0}}"#).unwrap()
}

#[test]
fn unipen_names_the_line_that_it_cannot_read() {
    for (bad, word) in [
        ("{", "EOF"),
        (r#"{"c":"a","q":"OK","src":"f","s":[[[0,0]]]}"#, "\"c\""),
        (r#"{"c":"A","q":"no","src":"f","s":[[[0,0]]]}"#, "\"q\""),
        (r#"{"c":"A","q":"OK","src":"f","s":[]}"#, "\"s\""),
        (r#"{"c":"A","q":"OK","src":"f","s":[[[0]]]}"#, "length"),
        (r#"{"c":"A","q":"OK","s":[[[0,0]]]}"#, "src"),
        ("", "EOF"),
    ] {
        let root = stroke_file(&[GOOD, bad, GOOD]);
        let error = Unipen::open(&one_split(), root.path()).err().unwrap();
        let text = error.to_string();
        assert!(matches!(error, DataError::File(_)), "{text}");
        assert!(text.contains("strokes.jsonl.gz: line 2: "), "{text}");
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn a_cut_or_missing_stroke_file_is_refused_by_name() {
    let root = stroke_file(&[GOOD, GOOD, GOOD]);
    let path = root.path().join("unipen/strokes.jsonl.gz");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 12]).unwrap();
    let text = Unipen::open(&one_split(), root.path()).err().unwrap();
    assert!(text.to_string().contains("strokes.jsonl.gz"), "{text}");
    std::fs::remove_file(&path).unwrap();
    let error = Unipen::open(&one_split(), root.path()).err().unwrap();
    assert!(
        error.to_string().contains(": not found; set KILN_DATA"),
        "{error}"
    );
}

#[test]
fn unverified_segments_are_left_out_on_request() {
    let unverified = GOOD.replace("OK", "?");
    let root = stroke_file(&[GOOD, &unverified]);
    let config = one_split();
    let all = Unipen::open(&config, root.path()).unwrap();
    assert_eq!(all.len(Split::Train), 2);
    let config = UnipenConfig {
        unverified: false,
        ..config
    };
    let verified = Unipen::open(&config, root.path()).unwrap();
    assert_eq!(verified.len(Split::Train), 1);
    let told = "not used: 1 segment with labels that are not verified";
    assert_eq!(verified.notes(), [told]);
}

#[test]
fn segments_of_one_file_stay_together() {
    let lines: Vec<String> = (0..200)
        .map(|i| GOOD.replace("\"a\"", &format!("\"writer{}\"", i % 10)))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let root = stroke_file(&lines);
    let unipen = Unipen::open(&UnipenConfig::default(), root.path()).unwrap();
    for split in Split::ALL {
        // Every file has 20 segments.
        assert_eq!(unipen.len(split) % 20, 0);
    }
}

#[test]
fn bars_and_dots_are_no_letters_but_a_bar_is_a_1() {
    let bar = [vec![[0.0, 0.0], [10.0, 1000.0]]];
    assert_eq!(flaw("1", &bar), None);
    assert_eq!(flaw("T", &bar), Some("a bar"));
    let diagonal = [vec![[0.0, 0.0], [480.0, 510.0], [1000.0, 1000.0]]];
    assert_eq!(flaw("X", &diagonal), Some("a bar"));
    assert_eq!(flaw("I", &[vec![[0.0, 0.0]]]), Some("a dot"));
    let cross = [
        vec![[0.0, 0.0], [1000.0, 1000.0]],
        vec![[1000.0, 0.0], [0.0, 1000.0]],
    ];
    assert_eq!(flaw("X", &cross), None);
}
