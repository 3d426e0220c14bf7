//! What a user may rely on where a model learns to read pages: ink that is no character, and photographs of characters that
//! are drawn as pages' letters are.

mod common;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use common::real_data;
use flate2::Compression;
use flate2::write::GzEncoder;
use image::{GrayImage, Luma};
use kiln::config;
use kiln::data::image_folder::ImageFolder;
use kiln::data::junk::Junk;
use kiln::data::mix::Mix;
use kiln::data::{
    DataConfig, Fit, GlyphsConfig, ImageFolderConfig, JunkConfig, MixConfig, NumberConfig,
    SplitRule,
};
use kiln::data::{DataSource, Split};
use serde_json::{Value, json};

// ---- Helpers ----

/// An H and a Z as the stroke file has them.
const STROKES: [&str; 2] = [
    r#"{"c":"H","q":"OK","src":"a","s":[[[0,0],[0,1000]],[[800,0],[800,1000]],[[0,500],[800,500]]]}"#,
    r#"{"c":"Z","q":"OK","src":"a","s":[[[0,0],[700,0],[0,1000],[700,1000]]]}"#,
];

/// A data folder with these two characters.
fn strokes() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("unipen")).unwrap();
    let file = std::fs::File::create(root.path().join("unipen/strokes.jsonl.gz")).unwrap();
    let mut file = GzEncoder::new(file, Compression::fast());
    for line in STROKES {
        writeln!(file, "{line}").unwrap();
    }
    file.finish().unwrap();
    root
}

fn junk(root: &Path) -> Junk {
    let config = JunkConfig {
        train: 400,
        valid: 50,
        ..JunkConfig::default()
    };
    Junk::open(&config, root).unwrap()
}

fn read(source: &dyn DataSource, split: Split, index: usize, draw: u64) -> Vec<f32> {
    let mut values = vec![0.0; source.shape().values()];
    source.read(split, index, draw, &mut values).unwrap();
    values
}

/// A dark H, `size` pixels high, on paper of one grey.
fn photographed(size: u32, paper: u8, ink: u8) -> GrayImage {
    let pen = size / 8;
    GrayImage::from_fn(size * 3 / 4 + 8, size + 8, |x, y| {
        let (x, y) = (x.wrapping_sub(4), y.wrapping_sub(4));
        let inside = x < size * 3 / 4 && y < size;
        let bars = x < pen || x + pen >= size * 3 / 4 || y.abs_diff(size / 2) * 2 < pen;
        Luma([if inside && bars { ink } else { paper }])
    })
}

fn letters(root: &Path, fit: Fit) -> ImageFolder {
    let config = ImageFolderConfig {
        folder: root.to_str().unwrap().into(),
        fit,
        split: SplitRule::Number(NumberConfig {
            divisor: 100,
            valid: None,
            test: 99,
        }),
        ..ImageFolderConfig::default()
    };
    ImageFolder::open(&config, root).unwrap()
}

/// Columns and rows between the first and the last with ink.
fn extent(values: &[f32]) -> (usize, usize) {
    let inked = |at: &usize| values[*at] < 0.5;
    let columns: BTreeSet<usize> = (0..1024).filter(inked).map(|at| at % 32).collect();
    let rows: BTreeSet<usize> = (0..1024).filter(inked).map(|at| at / 32).collect();
    let span = |set: BTreeSet<usize>| set.last().unwrap() - set.first().unwrap() + 1;
    (span(columns), span(rows))
}

// ---- Junk ----

#[test]
fn junk_is_ink_on_paper_and_the_same_at_every_reading() {
    let root = strokes();
    let junk = junk(root.path());
    assert_eq!(junk.classes(), ["junk"]);
    let mut seen = BTreeSet::new();
    for index in 0..400 {
        let values = read(&junk, Split::Train, index, 7);
        assert_eq!(values, read(&junk, Split::Train, index, 7));
        assert!(values.iter().all(|value| (0.0..=1.0).contains(value)));
        assert!(values.iter().any(|&value| value < 0.5), "{index} is empty");
        let border = (0..32).flat_map(|i| [i, 31 * 32 + i, i * 32, i * 32 + 31]);
        let cut = border.filter(|&at| values[at] < 0.5).count();
        assert!(cut <= 32, "{index} is cut off");
        seen.insert(
            values
                .iter()
                .map(|value| value.to_bits())
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(seen.len(), 400);
    assert_ne!(
        read(&junk, Split::Train, 3, 7),
        read(&junk, Split::Train, 3, 8)
    );
    assert_ne!(
        read(&junk, Split::Train, 3, 0),
        read(&junk, Split::Valid, 3, 0)
    );
}

#[test]
fn junk_is_wider_than_the_characters_that_it_is_made_of_or_a_piece_of_them() {
    let root = strokes();
    let junk = junk(root.path());
    let shapes: Vec<(usize, usize)> = (0..400)
        .map(|index| extent(&read(&junk, Split::Train, index, 1)))
        .collect();
    // H and Z are higher than wide, alone; two of them are wider than high.
    let wide = shapes.iter().filter(|(width, height)| width > height);
    assert!(wide.count() > 120, "{shapes:?}");
    let high = shapes.iter().filter(|(width, height)| height > width);
    assert!(high.count() > 40, "{shapes:?}");
}

#[test]
fn a_sample_of_junk_that_does_not_exist_is_an_error() {
    let root = strokes();
    let junk = junk(root.path());
    let mut values = vec![0.0; 1024];
    let error = junk.read(Split::Valid, 50, 0, &mut values).unwrap_err();
    assert!(error.to_string().contains("no sample 50"), "{error}");
    let error = Junk::open(&JunkConfig::default(), Path::new("nowhere"));
    assert!(
        error
            .err()
            .unwrap()
            .to_string()
            .contains("strokes.jsonl.gz")
    );
}

#[test]
fn an_extra_class_of_a_mix_stands_behind_those_of_the_first_source() {
    let root = strokes();
    let sources = vec![
        DataConfig::Glyphs(GlyphsConfig {
            train: 36,
            valid: 36,
            test: 36,
            ..GlyphsConfig::default()
        }),
        DataConfig::Junk(JunkConfig {
            train: 5,
            ..JunkConfig::default()
        }),
    ];
    let mut config = MixConfig {
        sources,
        extra_classes: vec!["junk".into()],
        ..MixConfig::default()
    };
    let mix = Mix::open(&config, root.path()).unwrap();
    assert_eq!(mix.classes().len(), 37);
    assert_eq!(mix.classes()[36], "junk");
    assert_eq!(DataConfig::Mix(config.clone()).classes(), Some(37));
    assert_eq!((mix.len(Split::Train), mix.len(Split::Valid)), (41, 36));
    assert!((36..41).all(|index| mix.label(Split::Train, index) == 36));
    assert!((0..36).all(|index| mix.label(Split::Train, index) == index));
    // Not named, it is refused; named twice, too.
    config.extra_classes.clear();
    let text = Mix::open(&config, root.path()).err().unwrap().to_string();
    assert!(
        text.contains("data.sources[1] (junk)") && text.contains("data.extra_classes"),
        "{text}"
    );
    config.extra_classes = vec!["A".into()];
    let text = Mix::open(&config, root.path()).err().unwrap().to_string();
    assert!(
        text.contains("data.sources[0] (glyphs)") && text.contains("\"A\""),
        "{text}"
    );
}

/// Contradictory `data` sections, and the message.
const CONTRADICTORY: &[(&str, &str)] = &[
    (
        r#"{"kind": "image_folder", "folder": "x", "fit": "letter", "channels": 3}"#,
        "data.fit: found \"letter\" for samples of 3x32x32",
    ),
    (
        r#"{"kind": "image_folder", "folder": "x", "fit": "letter", "width": 16}"#,
        "data.fit: found \"letter\" for samples of 1x32x16",
    ),
    (
        r#"{"kind": "image_folder", "folder": "x", "split": {"by": "number", "divisor": 5, "valid": 2, "test": 2}}"#,
        "data.split.valid: found 2; must differ from data.split.test",
    ),
    (
        r#"{"kind": "image_folder", "folder": "x", "split": {"by": "number", "divisor": 5, "valid": 5, "test": 2}}"#,
        "data.split.valid: found 5; must be less than divisor (5)",
    ),
    (
        r#"{"kind": "junk", "pen_min": 3, "pen_max": 2}"#,
        "data.pen_min: found 3",
    ),
    (
        r#"{"kind": "mix", "sources": [{"kind": "glyphs"}], "extra_classes": ["x", "x"]}"#,
        "data.extra_classes[1]: duplicate name \"x\"",
    ),
    (
        r#"{"kind": "mix", "sources": [{"kind": "glyphs"}], "extra_classes": [""]}"#,
        "data.extra_classes[0]: found an empty name",
    ),
];

#[test]
fn settings_for_letters_that_can_mean_nothing_are_refused() {
    for (data, says) in CONTRADICTORY {
        let data: Value = serde_json::from_str(data).unwrap();
        let config = json!({"data": data, "model": {"kind": "mlp"}, "training": {}});
        let parsed = config::parse(&config.to_string(), Path::new("run.json"), &[]);
        let text = parsed.expect_err("a refusal").to_string();
        assert!(text.contains(says), "{text}");
    }
    let config = json!({
        "data": {"kind": "glyphs"}, "model": {"kind": "autoencoder"}, "training": {"calibrate": true},
    });
    let refused = config::parse(&config.to_string(), Path::new("run.json"), &[]);
    let text = refused.expect_err("a refusal").to_string();
    assert!(
        text.contains("training.calibrate: found true, but autoencoders"),
        "{text}"
    );
    let split = json!({"by": "number", "divisor": 5, "valid": null, "test": 2});
    let data = json!({"kind": "image_folder", "folder": "x", "split": split});
    let config = json!({"data": data, "model": {"kind": "mlp", "classes": 2}});
    assert!(config::parse(&config.to_string(), Path::new("run.json"), &[]).is_ok());
}

// ---- Letters ----

#[test]
fn a_photographed_letter_is_drawn_as_reading_draws_those_of_a_page() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("H")).unwrap();
    for (name, size, paper, ink) in [("0", 20, 230, 60), ("1", 60, 200, 90), ("2", 90, 250, 10)] {
        let image = photographed(size, paper, ink);
        image
            .save(root.path().join("H").join(format!("{name}.png")))
            .unwrap();
    }
    let source = letters(root.path(), Fit::Letter);
    for index in 0..3 {
        let values = read(&source, Split::Train, index, 0);
        // White paper and black ink whatever the photograph's greys; 25 of 32 pixels high whatever its size.
        assert!(values[0] == 1.0 && values.contains(&0.0), "{index}");
        let (width, height) = extent(&values);
        assert!((24..=26).contains(&height), "{index}: {width}x{height}");
        assert!((17..=22).contains(&width), "{index}: {width}x{height}");
        // The pen is about 2.75 pixels wide: ink in a row through both bars.
        let row: f32 = (0..32).map(|column| 1.0 - values[8 * 32 + column]).sum();
        assert!((4.5..7.0).contains(&row), "{index}: {row}");
    }
}

#[test]
fn a_photograph_without_a_letter_is_padded() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("a")).unwrap();
    let empty = GrayImage::from_pixel(30, 40, Luma([200]));
    empty.save(root.path().join("a/0.png")).unwrap();
    let drawn = read(&letters(root.path(), Fit::Letter), Split::Train, 0, 0);
    let padded = read(&letters(root.path(), Fit::Pad), Split::Train, 0, 0);
    assert_eq!(drawn, padded);
}

#[test]
#[cfg_attr(
    not(kiln_data = "handwritten36"),
    ignore = "needs handwritten36 in KILN_DATA"
)]
fn nearly_all_photographed_characters_are_found_and_every_fifth_is_kept_out_of_training() {
    let root = real_data();
    let config = |fit| ImageFolderConfig {
        folder: "handwritten36".into(),
        fit,
        split: SplitRule::Number(NumberConfig {
            divisor: 5,
            valid: None,
            test: 0,
        }),
        ..ImageFolderConfig::default()
    };
    let source = ImageFolder::open(&config(Fit::Letter), &root).unwrap();
    let padded = ImageFolder::open(&config(Fit::Pad), &root).unwrap();
    assert_eq!(source.len(Split::Valid), 0);
    let number = |split, index| -> u32 {
        let name = source
            .path(split, index)
            .file_stem()
            .unwrap()
            .to_str()
            .unwrap();
        name.parse().unwrap()
    };
    assert!((0..source.len(Split::Test)).all(|index| number(Split::Test, index) % 5 == 0));
    assert!((0..source.len(Split::Train)).all(|index| number(Split::Train, index) % 5 != 0));
    let samples: Vec<usize> = (0..source.len(Split::Test)).step_by(8).collect();
    let missed = samples.iter().filter(|&&index| {
        read(&source, Split::Test, index, 0) == read(&padded, Split::Test, index, 0)
    });
    let missed = missed.count();
    assert!(
        missed * 50 <= samples.len(),
        "{missed} of {}",
        samples.len()
    );
}
