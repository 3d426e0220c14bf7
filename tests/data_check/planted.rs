//! Mistakes planted in real data sets by `plant.py`, in minutes:
//! `cargo test --release --test data_check -- --ignored`.

use std::path::Path;
use std::process::Command;

use crate::common::{Bench, real_data, repository};
use serde_json::Value;

fn python(arguments: &[&Path]) -> String {
    let output = Command::new(env!("KILN_PYTHON"))
        .arg(repository().join("tests/data_check/plant.py"))
        .args(arguments)
        .output()
        .expect("Python");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Plants, checks, and counts.
fn found(what: &str) -> Value {
    let bench = Bench::new();
    let out = bench.path("data");
    python(&[Path::new(what), &real_data(), &out]);
    let mut command = bench.kiln("data check data/config.json --json");
    let check = command.env("KILN_DATA", &out).assert().success();
    bench.write("check.json", &check.get_output().stdout);
    serde_json::from_str(&python(&[
        Path::new("judge"),
        &out,
        &bench.path("check.json"),
    ]))
    .unwrap()
}

fn share(found: &Value, what: &str) -> f64 {
    found[what].as_f64().unwrap() / found[format!("of_{what}")].as_f64().unwrap()
}

#[test]
#[ignore = "takes minutes; needs flowers17 and squeezenet1_1 in KILN_DATA, and a Python with Pillow"]
fn changed_labels_and_near_duplicates_of_flowers_are_among_the_first_suspects() {
    let found = found("flowers17");
    assert!(share(&found, "duplicates") >= 0.9, "{found}");
    assert!(share(&found, "labels") >= 0.7, "{found}");
}

#[test]
#[ignore = "takes a minute; needs nist26 in KILN_DATA, and a Python with SciPy"]
fn letters_that_are_copies_of_others_are_all_found() {
    let found = found("copies");
    assert_eq!(found["taken_first"], true, "{found}");
    assert_eq!(share(&found, "copies"), 1.0, "{found}");
}

#[test]
#[ignore = "takes a minute; needs nist26 and nist36 in KILN_DATA, and a Python with SciPy"]
fn a_class_of_letters_filled_with_another_is_the_first_finding() {
    let found = found("others");
    assert_eq!(found["taken_first"], true, "{found}");
    // Letters of different hands are no duplicates.
    assert!(found["near"].as_u64().unwrap() <= 2, "{found}");
}
