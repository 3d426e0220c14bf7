//! What a user may rely on where kiln learns and draws lower case and punctuation.

mod common;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;

use common::real_data;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use kiln::data::glyphs::Glyphs;
use kiln::data::mix::Mix;
use kiln::data::unipen::Unipen;
use kiln::data::{DataConfig, DataSource, GlyphsConfig, MixConfig, Split, UnipenConfig};
use kiln::handwriting::pages::{DrawnLetter, PageOptions, compose};
use kiln::handwriting::{PUNCTUATION, characters};
use serde_json::Value;

/// Writes a file of strokes into a folder `lower` of a new data folder.
fn strokes(lines: &[&str]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("lower")).unwrap();
    let file = std::fs::File::create(root.path().join("lower/strokes.jsonl.gz")).unwrap();
    let mut file = GzEncoder::new(file, Compression::fast());
    for line in lines {
        writeln!(file, "{line}").unwrap();
    }
    file.finish().unwrap();
    root
}

fn lower(characters: &str) -> UnipenConfig {
    UnipenConfig {
        folder: "lower".into(),
        characters: Some(characters.into()),
        recorded_split: true,
        ..UnipenConfig::default()
    }
}

/// Fraction of a sample's area that is ink.
fn ink(source: &dyn DataSource, split: Split, index: usize, draw: u64) -> f32 {
    let mut pixels = vec![0.0; source.shape().values()];
    source.read(split, index, draw, &mut pixels).unwrap();
    pixels.iter().map(|value| 1.0 - value).sum::<f32>() / pixels.len() as f32
}

const X: &str = r#"{"c":"x","q":"OK","src":"a","l":1.1,"split":"train","s":[[[0,0],[800,1000]],[[800,0],[0,1000]]]}"#;
const DOT: &str = r#"{"c":".","q":"?","src":"a","l":0,"split":"train","s":[[[0,0]]]}"#;

#[test]
fn a_full_stop_is_drawn_as_thick_as_a_crop_of_it_and_letters_keep_their_pen() {
    let root = strokes(&[X, DOT]);
    let source = Unipen::open(&lower("x."), root.path()).unwrap();
    for draw in [0, 1, 2, 3] {
        // The longer side of the ink is 16 to 31 of 32 pixels, and a dot fills its disc: 0.785 of the square.
        let dot = ink(&source, Split::Train, 1, draw);
        assert!((0.18..0.75).contains(&dot), "draw {draw}: {dot}");
        let x = ink(&source, Split::Train, 0, draw);
        assert!(x < 0.35, "draw {draw}: {x}");
    }
    // Without its size nothing says that a dot is small, and the pen is that of letters.
    let unknown = DOT.replace(r#""l":0,"#, "");
    let root = strokes(&[X, &unknown]);
    let source = Unipen::open(&lower("x."), root.path()).unwrap();
    assert!(ink(&source, Split::Train, 1, 0) < 0.03);
}

#[test]
fn segments_go_to_the_split_that_their_line_names_and_others_are_counted() {
    let in_split = |split: &str| X.replace("\"train\"", &format!("{split:?}"));
    let other = X.replace("\"x\"", "\"<\"");
    let lines = [
        X,
        &in_split("extra"),
        &in_split("valid"),
        &in_split("test"),
        &other,
    ];
    let root = strokes(&lines);
    let source = Unipen::open(&lower("xy"), root.path()).unwrap();
    assert_eq!(Split::ALL.map(|split| source.len(split)), [2, 1, 1]);
    assert_eq!(source.classes(), ["x", "y"]);
    assert_eq!(source.notes().len(), 1);
    assert!(
        source.notes()[0].starts_with("not used: 1 segment of characters"),
        "{:?}",
        source.notes()
    );

    let root = strokes(&[X, &in_split("other")]);
    let error = Unipen::open(&lower("x"), root.path())
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("line 2") && error.contains("\"other\""),
        "{error}"
    );
    let error = Unipen::open(
        &UnipenConfig {
            characters: None,
            ..lower("")
        },
        root.path(),
    );
    let error = error.err().unwrap().to_string();
    assert!(
        error.contains("\"c\" is \"x\"; expected A-Z or 0-9"),
        "{error}"
    );
}

#[test]
#[cfg_attr(
    not(kiln_data = "unipen-lower"),
    ignore = "needs unipen-lower in KILN_DATA"
)]
fn the_recorded_lower_case_is_used_as_its_file_divides_it() {
    let root = real_data();
    let all: String = ('a'..='z').chain(PUNCTUATION.chars()).collect();
    let config = UnipenConfig {
        folder: "unipen-lower".into(),
        ..lower(&all)
    };
    let source = Unipen::open(&config, &root).unwrap();
    let counts = counted(&root, &all);
    let found = Split::ALL.map(|split| source.len(split));
    let expected = [
        counts["train"] + counts["extra"],
        counts["valid"],
        counts["test"],
    ];
    assert_eq!(
        found.iter().sum::<usize>() + source.left_out(),
        expected.iter().sum::<usize>()
    );
    // Few are no characters (a bar, a scribble), whatever the split.
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (0.97..=1.0).contains(&(*found as f64 / expected as f64)),
            "{found} of {expected}"
        );
    }
}

/// Segments of these characters by the split that the file gives them, counted without kiln.
fn counted(root: &Path, characters: &str) -> BTreeMap<String, usize> {
    let file = std::fs::File::open(root.join("unipen-lower/strokes.jsonl.gz")).unwrap();
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let mut counts = BTreeMap::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if characters.contains(line["c"].as_str().unwrap()) {
            *counts
                .entry(line["split"].as_str().unwrap().to_string())
                .or_default() += 1;
        }
    }
    counts
}

#[test]
fn every_character_that_can_be_drawn_is_a_class_of_the_glyphs() {
    let all: String = characters().collect();
    let config = GlyphsConfig {
        characters: Some(all.clone()),
        train: 164,
        valid: 82,
        test: 82,
        ..GlyphsConfig::default()
    };
    let glyphs = Glyphs::new(&config);
    assert_eq!(glyphs.classes().concat(), all);
    for index in 0..164 {
        let ink = ink(&glyphs, Split::Train, index, 0);
        assert!(
            (0.02..0.8).contains(&ink),
            "{:?}: {ink}",
            glyphs.classes()[index % 82]
        );
    }
    // The capitals are those of the set without the key.
    let plain = Glyphs::new(&GlyphsConfig {
        train: 36,
        valid: 36,
        test: 36,
        ..GlyphsConfig::default()
    });
    assert_eq!(plain.classes(), &glyphs.classes()[..36]);
}

#[test]
fn a_mix_is_evaluated_on_the_sources_that_it_names() {
    let glyphs = |characters: &str, valid| {
        DataConfig::Glyphs(GlyphsConfig {
            characters: Some(characters.into()),
            train: 36,
            valid,
            test: 36,
            ..GlyphsConfig::default()
        })
    };
    let config = MixConfig {
        sources: vec![glyphs("AB", 40), glyphs("ab", 50), glyphs("a.", 60)],
        evaluate: vec![0, 2],
        extra_classes: ["a", "b", "."].map(String::from).to_vec(),
        ..MixConfig::default()
    };
    let mix = Mix::open(&config, Path::new(".")).unwrap();
    assert_eq!(mix.len(Split::Valid), 100);
    let name = |index| mix.classes()[mix.label(Split::Valid, index)].as_str();
    assert_eq!([name(0), name(1), name(39)], ["A", "B", "B"]);
    assert_eq!([name(40), name(41), name(99)], ["a", ".", "."]);
    let first = MixConfig {
        evaluate: Vec::new(),
        ..config
    };
    assert_eq!(
        Mix::open(&first, Path::new(".")).unwrap().len(Split::Valid),
        40
    );
}

#[test]
fn a_page_keeps_lower_case_and_marks_where_they_belong() {
    let options = PageOptions {
        lower_case: true,
        variation: 0.0,
        slant: 0.0,
        ..PageOptions::default()
    };
    let page = compose("Xx gpE.,' -", &options).unwrap();
    assert_eq!(page.text(), "Xx gpE.,' -");
    let letters: Vec<&DrawnLetter> = page.lines[0]
        .words
        .iter()
        .flat_map(|word| &word.letters)
        .collect();
    let of = |wanted: char| {
        letters
            .iter()
            .find(|l| l.character == wanted)
            .unwrap()
            .bounds
    };
    let foot = |c: char| i64::from(of(c).y + of(c).height);
    let height = options.letter_height;
    let base = foot('E');
    let near = |a: i64, b: i64| (a - b).abs() as f32 <= 0.06 * height;
    assert!(near(foot('X'), base) && near(foot('x'), base) && near(foot('.'), base));
    let ratio = of('x').height as f32 / of('X').height as f32;
    assert!((0.58..0.72).contains(&ratio), "{ratio}");
    assert!(foot('g') - base > (0.2 * height) as i64 && foot('p') - base > (0.2 * height) as i64);
    assert!(foot(',') > base && of('\'').y + of('\'').height < of('x').y);
    assert!(of('-').y > of('x').y && foot('-') < base);
    // Without the option, what is not a capital is written as one.
    let page = compose("Xx", &PageOptions::default()).unwrap();
    assert_eq!(page.text(), "XX");
}
