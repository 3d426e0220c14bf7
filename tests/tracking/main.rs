//! `training.log`: event files for TensorBoard, and runs on an MLflow server, which may be away.

#[path = "../common/mod.rs"]
mod common;

mod away;
mod events;
mod real;
mod server;
mod told;

use std::collections::BTreeMap;

use common::{Bench, SMALL};

/// A bench with a small config.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    bench
}

/// Every number of a run's `metrics.jsonl`: by name and epoch.
fn numbers(bench: &Bench, run: &str) -> BTreeMap<(String, u64), f64> {
    let text = String::from_utf8(bench.read(&format!("{run}/metrics.jsonl"))).unwrap();
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let epoch = line["epoch"].as_u64().unwrap();
        let rate = line["learning_rate"].as_f64().unwrap();
        found.insert(("learning_rate".to_string(), epoch), rate);
        for part in ["train", "valid"] {
            for (name, value) in line[part].as_object().unwrap() {
                found.insert((format!("{part}/{name}"), epoch), value.as_f64().unwrap());
            }
        }
    }
    found
}

/// What the run is, and must stay whatever is logged.
fn bytes(bench: &Bench, run: &str) -> [Vec<u8>; 2] {
    ["model.safetensors", "metrics.jsonl"].map(|name| bench.read(&format!("{run}/{name}")))
}

/// What `kiln` said on standard error; it must succeed.
fn said(bench: &Bench, arguments: &str) -> String {
    let output = bench
        .kiln(arguments)
        .assert()
        .success()
        .get_output()
        .clone();
    String::from_utf8(output.stderr).unwrap()
}
