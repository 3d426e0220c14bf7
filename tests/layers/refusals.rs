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
