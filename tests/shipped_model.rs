//! What a user may rely on in the model that kiln ships: how well it names letters that it never saw, without context.

mod common;

use common::{Bench, real_data, repository};
use serde_json::Value;

/// What `kiln eval artifacts/ocr` says.
fn eval(arguments: &str) -> Value {
    let bench = Bench::new();
    let [run, configs] = ["artifacts/ocr", "configs"].map(|name| repository().join(name));
    let arguments = arguments.replace("configs", configs.to_str().unwrap());
    bench.json(&format!("eval {} {arguments} --json", run.display()))
}

fn accuracy(arguments: &str) -> f64 {
    eval(arguments)["accuracy"].as_f64().expect("a number")
}

#[test]
fn the_shipped_model_names_nist_letters() {
    if real_data().is_none() {
        return;
    }
    let found = accuracy("--data configs/nist26.json");
    assert!(found >= 0.97, "{found}");
}

#[test]
fn the_shipped_model_names_characters_by_writers_that_it_never_saw() {
    if real_data().is_none() {
        return;
    }
    let found = accuracy("--data configs/nist36_cnn.json");
    assert!(found >= 0.885, "{found}");
    let known = accuracy("--data configs/nist36_cnn.json --known-kind");
    assert!(known >= 0.96, "{known}");
}

#[test]
fn the_shipped_model_names_photographed_characters_that_were_kept_out_of_training() {
    if real_data().is_none() {
        return;
    }
    let found = eval("--data configs/handwritten36.json");
    assert!(found["accuracy"].as_f64() >= Some(0.925), "{found}");
    assert!(found["ece"].as_f64() <= Some(0.04), "{found}");
    let known = accuracy("--data configs/handwritten36.json --known-kind");
    assert!(known >= 0.98, "{known}");
}

#[test]
fn the_shipped_model_knows_junk_when_it_sees_it() {
    if real_data().is_none() {
        return;
    }
    let found = accuracy("--data configs/ocr_junk.json");
    assert!(found >= 0.7, "{found}");
}
