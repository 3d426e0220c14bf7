//! What a user may rely on about the shipped model: its accuracy on characters that it was not trained on, without context.

mod common;

use std::sync::Arc;

use burn::prelude::*;
use common::{Bench, repository};
use kiln::data::{self, DataSource, Split};
use kiln::evaluation::{Rivals, evaluate};
use kiln::progress::Monitor;
use kiln::{config, ocr};
use serde_json::Value;

/// The accuracy that `kiln eval artifacts/ocr` prints.
fn accuracy(arguments: &str) -> f64 {
    accuracy_of("artifacts/ocr", arguments)
}

/// The accuracy of a shipped model. `rows.txt` are every eighth of the first 7,600 rows.
fn accuracy_of(model: &str, arguments: &str) -> f64 {
    let bench = Bench::new();
    let rows: String = (0..7600).step_by(8).map(|row| format!("{row}\n")).collect();
    bench.write("rows.txt", rows);
    let [run, configs] = [model, "configs"].map(|name| repository().join(name));
    let arguments = arguments.replace("configs", configs.to_str().unwrap());
    let found = bench.json(&format!("eval {} {arguments} --json", run.display()));
    found["accuracy"].as_f64().expect("a number")
}

#[test]
#[cfg_attr(not(kiln_data = "nist26"), ignore = "needs nist26 in KILN_DATA")]
fn the_shipped_model_names_nist_letters() {
    let found = accuracy("--data configs/nist26.json");
    assert!(found >= 0.97, "{found}");
}

#[test]
#[cfg_attr(not(kiln_data = "nist36"), ignore = "needs nist36 in KILN_DATA")]
fn the_shipped_model_names_characters_of_unseen_writers() {
    let found = accuracy("--data configs/nist36_cnn.json");
    assert!(found >= 0.885, "{found}");
    let known = accuracy("--data configs/nist36_cnn.json --known-kind");
    assert!(known >= 0.96, "{known}");
}

#[test]
#[cfg_attr(
    not(kiln_data = "handwritten36"),
    ignore = "needs handwritten36 in KILN_DATA"
)]
fn the_shipped_model_names_photographed_characters_held_out_of_training() {
    // Opened once: finding the characters in the photographs takes longer than naming them.
    let config = config::load(&repository().join("configs/handwritten36.json"), &[]).unwrap();
    let source: Arc<dyn DataSource> =
        Arc::from(data::open(&config.data, &Monitor::default()).unwrap());
    let model = ocr::shipped_model(&Device::flex()).unwrap();
    let found = |rivals| {
        let found = evaluate(&model, source.clone(), Split::Test, rivals);
        found.unwrap().metrics
    };
    let open = found(Rivals::All);
    assert!(open["accuracy"] >= 0.925, "{open:?}");
    assert!(open["ece"] <= 0.04, "{open:?}");
    let known = found(Rivals::SameKind);
    assert!(known["accuracy"] >= 0.98, "{known:?}");
}

#[test]
#[cfg_attr(not(kiln_data = "unipen"), ignore = "needs unipen in KILN_DATA")]
fn the_shipped_model_recognises_junk() {
    let found = accuracy("--data configs/ocr_junk.json");
    assert!(found >= 0.7, "{found}");
}

#[test]
#[cfg_attr(
    not(kiln_data = "unipen-lower"),
    ignore = "needs unipen-lower in KILN_DATA"
)]
fn the_shipped_model_of_mixed_text_names_lower_case_of_unseen_writers() {
    let found = accuracy_of(
        "artifacts/ocr_mixed",
        "--data configs/unipen_lower.json --rows rows.txt",
    );
    assert!(found >= 0.92, "{found}");
}

/// The glyphs' own test split, small.
const GLYPHS: &str = r#"{"data": {"kind": "glyphs", "test": 72}, "model": {"kind": "cnn"}}"#;

#[test]
fn eval_of_chosen_rows_is_a_part_of_the_whole() {
    let bench = Bench::new();
    bench.write("glyphs.json", GLYPHS);
    let even: String = (0..72).step_by(2).map(|row| format!("{row}\n")).collect();
    let odd: String = (1..72).step_by(2).map(|row| format!("{row}\n")).collect();
    bench.write("even.txt", format!("# the even rows\n\n{even}"));
    bench.write("odd.txt", odd);
    let run = repository().join("artifacts/ocr");
    let eval = |rows: &str| {
        bench.json(&format!(
            "eval {} --data glyphs.json --json {rows}",
            run.display()
        ))
    };
    let (whole, even, odd) = (eval(""), eval("--rows even.txt"), eval("--rows odd.txt"));
    assert_eq!(even["samples"], 36);
    let loss = |found: &Value| found["loss"].as_f64().unwrap();
    let mean = (loss(&even) + loss(&odd)) / 2.0;
    assert!(
        (mean - loss(&whole)).abs() < 1e-6,
        "{mean} {}",
        loss(&whole)
    );
    assert!(loss(&even) != loss(&odd));
}

#[test]
fn a_bad_list_of_rows_is_refused_with_its_line() {
    let bench = Bench::new();
    bench.write("glyphs.json", GLYPHS);
    let run = repository().join("artifacts/ocr");
    for (rows, expected) in [
        (
            "0\n72\n",
            "line 2: there is no row 72; the test split has 72 rows",
        ),
        ("3\n\n3\n", "line 3: row 3 is listed twice"),
        ("1\ntwo\n", "line 2: \"two\" is not a row number"),
        ("-1\n", "line 1: \"-1\" is not a row number"),
        ("# none\n", "has no rows"),
    ] {
        bench.write("rows.txt", rows);
        let arguments = format!("eval {} --data glyphs.json --rows rows.txt", run.display());
        let output = bench.kiln(&arguments).assert().code(1).get_output().clone();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(
            error.contains("rows.txt") && error.contains(expected),
            "{rows:?}: {error}"
        );
    }
}
