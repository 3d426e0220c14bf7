//! What a user may rely on when several sources are trained on together.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Bench, SMALL};
use image::{GrayImage, Luma};
use kiln::config;
use kiln::data::mix::Mix;
use kiln::data::{
    DataConfig, GlyphsConfig, ImageFolderConfig, MixConfig, RandomCropConfig, ShareConfig,
    SplitRule,
};
use kiln::data::{DataError, DataSource, Split};
use kiln::progress::Monitor;
use serde_json::{Value, json};

// ---- Helpers ----

fn save_grey(path: PathBuf, value: u8) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    GrayImage::from_pixel(4, 4, Luma([value]))
        .save(path)
        .unwrap();
}

/// A folder of 4x4 samples, all of them for training where it has no splits of its own.
fn folder(name: &str) -> ImageFolderConfig {
    ImageFolderConfig {
        folder: name.into(),
        height: 4,
        width: 4,
        split: SplitRule::Share(ShareConfig {
            valid: 0.0,
            test: 0.0,
            stratify: false,
        }),
        ..ImageFolderConfig::default()
    }
}

fn mix(sources: Vec<ImageFolderConfig>, repeat: &[usize]) -> MixConfig<DataConfig> {
    MixConfig {
        sources: sources.into_iter().map(DataConfig::ImageFolder).collect(),
        repeat: repeat.to_vec(),
        ..MixConfig::default()
    }
}

/// `first/` has classes a, b and c in three splits; `second/` has c and a, with two samples of c.
fn two_folders(root: &Path) -> Vec<ImageFolderConfig> {
    for (class, value) in [("a", 10), ("b", 20), ("c", 30)] {
        save_grey(root.join("first/train").join(class).join("0.png"), value);
        save_grey(root.join("first/valid").join(class).join("0.png"), 255);
    }
    save_grey(root.join("first/test/b/0.png"), 255);
    save_grey(root.join("second/c/0.png"), 130);
    save_grey(root.join("second/c/1.png"), 131);
    save_grey(root.join("second/a/0.png"), 110);
    vec![folder("first"), folder("second")]
}

/// Class names and bytes of the samples of a split, in the source's order.
fn samples(source: &dyn DataSource, split: Split) -> Vec<(String, u8)> {
    let mut values = vec![0.0; source.shape().values()];
    (0..source.len(split))
        .map(|index| {
            source.read(split, index, 0, &mut values).unwrap();
            let class = source.classes()[source.label(split, index)].clone();
            (class, (values[0] * 255.0).round() as u8)
        })
        .collect()
}

fn expect(found: &[(String, u8)], expected: &[(&str, u8)]) {
    let found: Vec<(&str, u8)> = found.iter().map(|(c, v)| (c.as_str(), *v)).collect();
    assert_eq!(found, expected);
}

/// The text of an error, which has one line.
fn refusal(result: Result<Mix, DataError>) -> String {
    let text = result.err().expect("an error").to_string();
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

// ---- Samples ----

#[test]
fn training_takes_the_samples_of_all_sources_with_classes_matched_by_name() {
    let root = tempfile::tempdir().unwrap();
    let config = mix(two_folders(root.path()), &[]);
    let source = Mix::open(&config, root.path()).unwrap();
    assert_eq!(source.classes(), ["a", "b", "c"]);
    expect(
        &samples(&source, Split::Train),
        &[
            ("a", 10),
            ("b", 20),
            ("c", 30),
            ("a", 110),
            ("c", 130),
            ("c", 131),
        ],
    );
}

#[test]
fn the_first_source_alone_is_validated_and_tested_on() {
    let root = tempfile::tempdir().unwrap();
    let mut sources = two_folders(root.path());
    let config = mix(sources.clone(), &[]);
    let source = Mix::open(&config, root.path()).unwrap();
    let first = [("a", 255), ("b", 255), ("c", 255)];
    expect(&samples(&source, Split::Valid), &first);
    expect(&samples(&source, Split::Test), &[("b", 255)]);
    // A first source without these splits leaves the mix without them, whatever the second has.
    sources.reverse();
    for class in ["a", "b", "c"] {
        save_grey(root.path().join("second").join(class).join("9.png"), 9);
    }
    let source = Mix::open(&mix(sources, &[]), root.path()).unwrap();
    assert_eq!((source.len(Split::Valid), source.len(Split::Test)), (0, 0));
}

#[test]
fn a_source_is_trained_on_as_often_as_it_is_repeated() {
    let root = tempfile::tempdir().unwrap();
    let sources = two_folders(root.path());
    let source = Mix::open(&mix(sources.clone(), &[2]), root.path()).unwrap();
    let first = [("a", 10), ("b", 20), ("c", 30)];
    let second = [("a", 110), ("c", 130), ("c", 131)];
    expect(
        &samples(&source, Split::Train),
        &[first, first, second].concat(),
    );
    // Zero: the first only measures.
    let source = Mix::open(&mix(sources, &[0, 2]), root.path()).unwrap();
    expect(&samples(&source, Split::Train), &[second, second].concat());
    assert_eq!(source.len(Split::Valid), 3);
    let beyond = source.read(Split::Train, 6, 0, &mut [0.0; 16]);
    assert!(beyond.unwrap_err().to_string().contains("no sample 6"));
}

#[test]
fn a_mix_redraws_if_one_of_its_sources_does() {
    let root = tempfile::tempdir().unwrap();
    let mut sources = two_folders(root.path());
    let still = Mix::open(&mix(sources.clone(), &[]), root.path()).unwrap();
    assert!(!still.redraws());
    sources[1].random_crop = Some(RandomCropConfig::default());
    let redrawn = Mix::open(&mix(sources.clone(), &[]), root.path()).unwrap();
    assert!(redrawn.redraws());
    let left_out = Mix::open(&mix(sources, &[1, 0]), root.path()).unwrap();
    assert!(!left_out.redraws());
}

// ---- Errors ----

#[test]
fn a_source_that_can_not_be_opened_is_named() {
    let root = tempfile::tempdir().unwrap();
    let mut sources = two_folders(root.path());
    sources.push(folder("nowhere"));
    let text = refusal(Mix::open(&mix(sources, &[]), root.path()));
    assert!(
        text.starts_with("data.sources[2] (image_folder): ") && text.contains("nowhere"),
        "{text}"
    );
}

#[test]
fn a_class_that_the_first_source_lacks_is_named() {
    let root = tempfile::tempdir().unwrap();
    let mut sources = two_folders(root.path());
    save_grey(root.path().join("second/d/0.png"), 0);
    let text = refusal(Mix::open(&mix(sources.clone(), &[]), root.path()));
    assert!(
        text.starts_with("data.sources[1] (image_folder): has class \"d\"")
            && text.contains("classes are a, b, c"),
        "{text}"
    );
    // Drawn samples come in another shape as well; what a config can't know is found on opening.
    sources.truncate(1);
    let mut config = mix(sources, &[]);
    config
        .sources
        .push(DataConfig::Glyphs(GlyphsConfig::default()));
    let text = refusal(Mix::open(&config, root.path()));
    assert!(
        text.contains("data.sources[1] (glyphs): has samples of 1x32x32"),
        "{text}"
    );
}

#[test]
fn a_mix_without_training_samples_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let config = mix(two_folders(root.path()), &[0, 0]);
    let text = refusal(Mix::open(&config, root.path()));
    assert!(text.contains("data.repeat"), "{text}");
    let text = refusal(Mix::open(&MixConfig::<DataConfig>::default(), root.path()));
    assert!(text.contains("data.sources"), "{text}");
}

#[test]
fn an_image_that_can_not_be_read_is_named_with_its_source() {
    let root = tempfile::tempdir().unwrap();
    let sources = two_folders(root.path());
    fs::write(root.path().join("second/c/1.png"), "not an image").unwrap();
    let source = Mix::open(&mix(sources, &[]), root.path()).unwrap();
    for error in [
        source.check(&Split::ALL, &Monitor::default()).unwrap_err(),
        source.read(Split::Train, 5, 0, &mut [0.0; 16]).unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(
            text.starts_with("data.sources[1] (image_folder): ") && text.contains("1.png"),
            "{text}"
        );
    }
}

// ---- Config ----

/// The complaint about an MLP on this data, or nothing.
fn complaint(data: Value) -> Option<String> {
    let config = json!({"data": data, "model": {"kind": "mlp"}});
    let parsed = config::parse(&config.to_string(), Path::new("run.json"), &[]);
    parsed.err().map(|error| error.to_string())
}

/// Second sources (after a `nist36`) that a mix can't have, and the message.
const WRONG_SECOND_SOURCES: &[(&str, &str)] = &[
    (
        r#"{"kind": "unipem"}"#,
        "data.sources[1].kind: found \"unipem\"",
    ),
    (
        r#"{"kind": "unipen", "pens": 1}"#,
        "data.sources[1].pens: unknown key",
    ),
    (
        r#"{"kind": "mix", "sources": [{"kind": "nist36"}]}"#,
        "data.sources[1].kind: mixes cannot be nested",
    ),
    (
        r#"{"kind": "nist36", "normalize": {"mean": [1]}}"#,
        "data.sources[1].normalize: is not allowed inside a mix",
    ),
    (
        r#"{"kind": "nist36", "augment": {"shift": 1}}"#,
        "data.sources[1].augment: is not allowed inside a mix",
    ),
    (
        r#"{"kind": "cifar10"}"#,
        "data.sources[1]: has samples of 3x32x32",
    ),
    (
        r#"{"kind": "image_folder"}"#,
        "data.sources[1].folder: missing",
    ),
    (
        r#"{"kind": "unipen", "pen_min": 3, "pen_max": 2}"#,
        "data.sources[1].pen_min: found 3; must not exceed data.sources[1].pen_max (2)",
    ),
    (
        r#"{"kind": "unipen", "split": {"by": "share", "valid": 0.6, "test": 0.6}}"#,
        "data.sources[1].split: ",
    ),
    (
        r#"{"kind": "image_folder", "folder": "x", "random_crop": {}}"#,
        "data.sources[1].random_crop: requires data.sources[1].fit",
    ),
];

/// `data` sections of mixes that are refused, and the message.
const WRONG_MIXES: &[(&str, &str)] = &[
    (r#"{"kind": "mix"}"#, "data.sources: missing"),
    (
        r#"{"kind": "mix", "sources": []}"#,
        "data.sources: list has 0 values; must have",
    ),
    (
        r#"{"kind": "mix", "sources": [{"kind": "nist36"}], "repeat": [1, 2]}"#,
        "data.repeat: found 2 values, but data.sources has 1",
    ),
    (
        r#"{"kind": "mix", "sources": [{"kind": "nist36"}], "repeat": [0]}"#,
        "data.repeat: found only 0",
    ),
    (
        r#"{"kind": "mix", "sources": [{"kind": "nist36"}], "augment": {"hue": 0.1}}"#,
        "data.augment.hue",
    ),
    (
        r#"{"kind": "mix", "sources": [{"kind": "nist36"}], "normalize": {"mean": [0, 0, 0]}}"#,
        "data.normalize.mean: found 3 values",
    ),
];

#[test]
fn what_the_sources_of_a_mix_may_not_say_is_refused_with_its_path() {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let second = WRONG_SECOND_SOURCES.iter().map(|(second, says)| {
        let sources = [json!({"kind": "nist36"}), parsed(second)];
        (json!({"kind": "mix", "sources": sources}), says)
    });
    let whole = WRONG_MIXES.iter().map(|(data, says)| (parsed(data), says));
    for (data, says) in second.chain(whole) {
        let text = complaint(data.clone()).unwrap_or_else(|| panic!("taken: {data}"));
        assert!(text.contains(says), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

#[test]
fn a_mix_has_the_classes_and_the_shape_of_its_first_source() {
    let text = json!({
        "data": {
            "kind": "mix",
            "sources": [{"kind": "unipen", "size": 24}, {"kind": "glyphs", "size": 24}],
            "repeat": [2],
            "augment": {"rotate": 5},
        },
        "model": {"kind": "cnn"},
    })
    .to_string();
    let experiment = config::parse(&text, Path::new("run.json"), &[]).unwrap();
    assert_eq!(experiment.data.classes(), Some(36));
    assert_eq!(experiment.data.shape(), [1, 24, 24].into());
    assert_eq!(experiment.data.augment().rotate, 5.0);
    // What is resolved resolves to itself, and single keys of a source can be set.
    let resolved = serde_json::to_string(&experiment).unwrap();
    let again = config::parse(&resolved, Path::new("run.json"), &[]).unwrap();
    assert_eq!(again, experiment);
    let set = ["data.sources.1.train=72".to_string()];
    let changed = config::parse(&text, Path::new("run.json"), &set).unwrap();
    let DataConfig::Mix(mix) = &changed.data else {
        panic!("the data is a mix")
    };
    let DataConfig::Glyphs(glyphs) = &mix.sources[1] else {
        panic!("the second source is glyphs")
    };
    assert_eq!(glyphs.train, 72);
}

// ---- The program ----

#[test]
fn a_run_on_a_mix_trains_evaluates_and_tells_what_it_holds() {
    let bench = Bench::new();
    let mut config: Value = serde_json::from_str(SMALL).unwrap();
    let glyphs = config["data"].clone();
    config["data"] = json!({
        "kind": "mix",
        "sources": [glyphs, {"kind": "glyphs", "train": 360, "seed": 7}],
        "repeat": [1, 2],
        "normalize": {"mean": [1.0], "std": [0.5]},
        "augment": {"shift": 0.5},
    });
    bench.write("mix.json", config.to_string());
    let info = bench.json("data info mix.json --json");
    let counts: Vec<&Value> = info["splits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|split| &split["samples"])
        .collect();
    assert_eq!(counts, [1440 + 2 * 360, 360, 360]);
    bench.output("train mix.json --renderer plain --run-dir run");
    let evaluated = bench.json("eval run --json");
    assert_eq!(evaluated["samples"], 360);
    let accuracy = evaluated["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.6, "{accuracy}");
}
