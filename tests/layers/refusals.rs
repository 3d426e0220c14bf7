//! What can't be built is refused in one line that names the layer, before anything is read or allocated.

use std::fmt::Write as _;

use super::broken::BROKEN;
use super::common::{Bench, repository};
use super::watched;

/// Maximum memory of a refusal in bytes. A program that has only started takes 20 MB, but Linux counts what the test held when it
/// started it.
const MAX_BYTES: u64 = 400 << 20;

#[test]
fn each_broken_list_gets_one_line_exit_code_2_and_no_memory() {
    let bench = Bench::new();
    let mut found = String::new();
    assert!(BROKEN.len() >= 40);
    for (name, layers) in BROKEN {
        bench.write(
            "broken.json",
            format!(r#"{{"data": {{"kind": "glyphs"}}, "model": {{"kind": "layers", "layers": {layers}}}}}"#),
        );
        let before = bench.listing();
        let end = watched::run(&bench, ["train", "broken.json"].into_iter());
        let err = &end.err;
        assert_eq!(end.code, Some(2), "{name}: {err}");
        assert_eq!(
            err.lines().count(),
            1,
            "{name}: one line expected, found\n{err}"
        );
        let start = "error: broken.json: model.";
        assert!(err.starts_with(start), "{name}: {err}");
        assert!(end.peak < MAX_BYTES, "{name}: takes {} bytes", end.peak);
        assert!(end.out.is_empty(), "{name}: a failure has no result");
        assert_eq!(bench.listing(), before, "{name}: something was written");
        writeln!(found, "{name}\n  {layers}\n  {err}").unwrap();
    }
    let path = repository().join("tests/snapshots/broken_layers.txt");
    if std::env::var_os("KILN_UPDATE_SNAPSHOTS").is_some() {
        return std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    for (found, expected) in found.split("\n\n").zip(expected.split("\n\n")) {
        assert_eq!(
            found, expected,
            "KILN_UPDATE_SNAPSHOTS=1 updates the snapshot"
        );
    }
    assert_eq!(
        found.len(),
        expected.len(),
        "KILN_UPDATE_SNAPSHOTS=1 updates the snapshot"
    );
}

#[test]
fn the_message_names_the_place_the_shapes_and_where_they_come_from() {
    let bench = Bench::new();
    bench.write(
        "lenet.json",
        r#"{"data": {"kind": "glyphs"}, "model": {"kind": "layers", "layers": [
            {"kind": "conv", "channels": 6, "kernel": 5}, "relu", {"kind": "max_pool", "kernel": 7},
            {"kind": "conv", "channels": 16, "kernel": 7}, "flatten", "linear"
        ]}}"#,
    );
    let assert = bench.kiln("config check lenet.json").assert().code(2);
    let err = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert_eq!(
        err.trim_end(),
        "error: lenet.json: model.layers[3]: a kernel of 7 does not fit its input of 4x4 (from layers[2])"
    );
}

/// Class folders `a` to `e`, of two images each.
fn five_classes(bench: &Bench) -> String {
    for class in ["a", "b", "c", "d", "e"] {
        let folder = bench.path("letters").join(class);
        std::fs::create_dir_all(&folder).unwrap();
        for number in 0..4u8 {
            let image = image::GrayImage::from_pixel(32, 32, image::Luma([number]));
            image.save(folder.join(format!("{number}.png"))).unwrap();
        }
    }
    let folder = bench.path("letters");
    serde_json::json!({
        "kind": "image_folder", "folder": folder, "channels": 1, "height": 32, "width": 32,
        "split": {"by": "share", "valid": 0.25, "test": 0.25, "stratify": true},
    })
    .to_string()
}

#[test]
fn a_network_that_only_the_classes_of_the_data_make_too_large_is_refused_everywhere_alike() {
    let bench = Bench::new();
    let data = five_classes(&bench);
    let config = |data: &str, classes: &str| {
        format!(
            r#"{{"data": {data}, "model": {{"kind": "layers", "layers": [
                {{"kind": "conv", "channels": 65536, "kernel": 1}}, "flatten", {{"kind": "linear"}}]{classes}}}}}"#
        )
    };
    bench.write("large.json", config(&data, ""));
    let expected = "error: large.json: model.layers[2]: with this layer, the network has more than 268435456 weights; make this \
                    layer or its input smaller (the data has 5 classes)";
    for command in [
        "config check",
        "train",
        "train --dry-run",
        "model info",
        "bench --mode train",
    ] {
        let before = bench.listing();
        let end = watched::run(&bench, format!("{command} large.json").split(' '));
        assert_eq!(
            (end.code, end.err.trim_end()),
            (Some(2), expected),
            "{command}"
        );
        assert!(end.peak < MAX_BYTES, "{command}: takes {} bytes", end.peak);
        assert_eq!(bench.listing(), before, "{command}: something was written");
    }
    // Two classes fit, and without the data nobody knows.
    bench.write("small.json", config(&data, r#", "classes": 2"#));
    bench.kiln("config check small.json").assert().success();
    bench.write(
        "absent.json",
        config(&data.replace("letters", "absent"), ""),
    );
    let assert = bench.kiln("config check absent.json").assert().success();
    let err = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(
        err.contains("absent.json: the network is not too large for up to 3 classes"),
        "{err}"
    );
}

#[test]
fn a_network_for_other_classes_than_those_of_the_data_is_refused_with_the_file_and_what_to_set() {
    let bench = Bench::new();
    let data = five_classes(&bench);
    for (model, says) in [
        (
            r#"{"kind": "layers", "layers": ["flatten", {"kind": "linear", "features": 7}]}"#,
            "seven.json: model.layers: found 7 classes, but the data has 5; let its last layer give 5, or leave out the size",
        ),
        // There is no size that could be left out.
        (
            r#"{"kind": "layers", "layers": ["flatten"]}"#,
            "seven.json: model.layers[0]: the network ends with 1024 values, which must be the number of classes: add a \"linear\" layer",
        ),
        (
            r#"{"kind": "layers", "layers": ["relu", "global_avg_pool"]}"#,
            "seven.json: model.layers[1]: the network ends with 1 value, which must be the number of classes: add a \"linear\" layer",
        ),
        (
            r#"{"kind": "layers", "layers": ["flatten", "linear"], "classes": 7}"#,
            "seven.json: model.classes: found 7 classes, but the data has 5; set 5, or leave it out",
        ),
        (
            r#"{"kind": "layers", "layers": ["flatten", {"kind": "adaptive_avg_pool", "size": 1}]}"#,
            "seven.json: model.layers[1]: needs feature maps, but its input is a vector of 1024 values",
        ),
    ] {
        bench.write(
            "seven.json",
            format!(r#"{{"data": {data}, "model": {model}}}"#),
        );
        let assert = bench.kiln("train seven.json").assert().code(2);
        let err = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert_eq!(err.lines().count(), 1, "{err}");
        assert!(err.starts_with(&format!("error: {says}")), "{err}");
    }
}

#[test]
fn a_network_without_weights_has_nothing_to_train() {
    let bench = Bench::new();
    let data = r#"{"kind": "glyphs", "size": 16}"#;
    let layers = r#"[{"kind": "adaptive_avg_pool", "size": 6}, "flatten"]"#;
    let model = format!(r#"{{"kind": "layers", "layers": {layers}, "classes": 36}}"#);
    bench.write(
        "idle.json",
        format!(r#"{{"data": {data}, "model": {model}}}"#),
    );
    let assert = bench.kiln("train idle.json").assert().code(2);
    let err = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(
        err.starts_with("error: idle.json: model: the network has no parameters to train"),
        "{err}"
    );
}
