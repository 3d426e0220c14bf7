//! Initial weights, parameter groups and averaged weights.

#[path = "../common/mod.rs"]
mod common;

mod frozen;
mod shortcuts;

use std::collections::BTreeMap;

use common::{Bench, tensors};
use kiln::models::Network;
use kiln::progress::Monitor;
use kiln::training::prepare;
use serde_json::{Value, json};

type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// A perceptron on drawn glyphs, one step an epoch; the last weights are kept.
fn mlp() -> Value {
    json!({
        "data": {"kind": "glyphs", "size": 16, "train": 72, "valid": 36, "test": 36},
        "model": {"kind": "mlp", "hidden": [12, 10], "activation": "relu"},
        "optimizer": {"kind": "sgd", "lr": 0.25, "momentum": 0.9},
        "training": {"epochs": 1, "batch_size": 72, "keep": "last"},
    })
}

/// A convolutional network on drawn glyphs, three steps an epoch.
fn cnn() -> Value {
    json!({
        "data": {"kind": "glyphs", "size": 16, "train": 144, "valid": 72, "test": 36},
        "model": {"kind": "cnn", "stem": 3, "channels": [4, 6], "more": [1], "hidden": 8},
        "training": {"epochs": 2, "batch_size": 48, "keep": "last"},
    })
}

/// Puts values at dotted paths.
fn with(mut config: Value, changes: &[(&str, Value)]) -> Value {
    for (path, value) in changes {
        let mut at = &mut config;
        for key in path.split('.') {
            at = &mut at[key];
        }
        *at = value.clone();
    }
    config
}

struct Runs {
    bench: Bench,
}

impl Runs {
    fn new() -> Self {
        Self {
            bench: Bench::new(),
        }
    }

    /// Trains and returns the weights.
    fn train(&self, name: &str, config: &Value) -> Tensors {
        self.bench
            .write(&format!("{name}.json"), config.to_string());
        self.bench
            .output(&format!("train {name}.json --run-dir {name}"));
        tensors(&self.bench.read(&format!("{name}/model.safetensors")))
    }

    /// Where a run's weights are.
    fn file(&self, name: &str) -> Value {
        let path = self.bench.path(name).join("model.safetensors");
        json!(path.display().to_string())
    }

    fn metrics(&self, name: &str) -> Vec<Value> {
        let text = String::from_utf8(self.bench.read(&format!("{name}/metrics.jsonl"))).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// The names of the tensors that differ in a bit.
fn moved(before: &Tensors, after: &Tensors) -> Vec<String> {
    assert_eq!(before.len(), after.len());
    let names = before.keys().filter(|&name| before[name] != after[name]);
    names.cloned().collect()
}

fn prepared(config: &Value) -> Tensors {
    let experiment = kiln::config::resolve(config.clone()).unwrap();
    let prepared = prepare(experiment, &Monitor::default()).unwrap();
    exported(prepared.network())
}

fn exported(network: &Network) -> Tensors {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.safetensors");
    kiln::weights::save(network, &path).unwrap();
    tensors(&std::fs::read(path).unwrap())
}

// ---- Where weights begin ----

#[test]
fn a_run_begins_with_the_weights_that_it_is_given() {
    let runs = Runs::new();
    let first = runs.train("first", &cnn());
    let given = with(cnn(), &[("init", json!({"weights": runs.file("first")}))]);
    assert_eq!(moved(&first, &prepared(&given)), Vec::<String>::new());
    // The same through the door: the loss of a dry run is that of the weights, not of chance.
    runs.bench.write("given.json", given.to_string());
    let assert = runs
        .bench
        .kiln("train given.json --dry-run")
        .assert()
        .success();
    let output = assert.get_output();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(
        err.contains("28 tensors applied") && !err.contains("fresh"),
        "{err}"
    );
    runs.train("given", &given);
    let again = runs.bench.read("given/model.safetensors");
    runs.train("again", &given);
    assert!(again == runs.bench.read("again/model.safetensors"));
}

#[test]
fn excepted_parameters_keep_fresh_values() {
    let runs = Runs::new();
    let first = runs.train("first", &mlp());
    let init = json!({"weights": runs.file("first"), "except": ["layers.2.*"]});
    let given = with(mlp(), &[("init", init)]);
    let begun = prepared(&given);
    assert_eq!(moved(&first, &begun), ["layers.2.bias", "layers.2.weight"]);
    // Fresh ones are as the model draws them.
    assert!(begun["layers.2.bias"].1.iter().all(|&value| value == 0.0));
    let bound = (6.0f32 / (10.0 + 36.0)).sqrt();
    assert!(
        begun["layers.2.weight"]
            .1
            .iter()
            .all(|value| value.abs() <= bound)
    );
    runs.bench.write("given.json", given.to_string());
    let assert = runs
        .bench
        .kiln("train given.json --dry-run")
        .assert()
        .success();
    let err = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(
        err.contains("newly initialized: layers.2.weight, layers.2.bias"),
        "{err}"
    );
}
