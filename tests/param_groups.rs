//! What a user may rely on about weights that a run begins with, parameters that are treated apart, and averaged weights.

mod common;

use std::collections::BTreeMap;

use burn::prelude::*;
use common::{Bench, noise, noisy, tensors};
use kiln::config::ParameterConfig;
use kiln::models::Network;
use kiln::models::{CnnConfig, ModelConfig};
use kiln::shape::ImageShape;
use kiln::training::Average;
use kiln::training::Batch;
use kiln::training::FeatureCache;
use kiln::training::{param_groups, prepare};
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
    let prepared = prepare(experiment).unwrap();
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

// ---- Frozen parameters ----

#[test]
fn frozen_parameters_do_not_move_by_a_bit_and_the_others_do() {
    let runs = Runs::new();
    let first = runs.train("first", &mlp());
    let init = json!({"weights": runs.file("first")});
    for (name, optimizer) in [
        (
            "sgd",
            json!({"kind": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.1}),
        ),
        (
            "adam_w",
            json!({"kind": "adam_w", "lr": 0.01, "weight_decay": 0.1, "clip_norm": 1.0}),
        ),
    ] {
        for ema in [Value::Null, json!(0.7)] {
            let frozen = with(
                mlp(),
                &[
                    ("init", init.clone()),
                    ("optimizer", optimizer.clone()),
                    ("training.epochs", json!(3)),
                    ("training.ema", ema.clone()),
                    (
                        "parameters",
                        json!([{"names": "layers.0.*", "frozen": true}]),
                    ),
                ],
            );
            let run = format!("{name}{}", if ema.is_null() { "" } else { "_ema" });
            let others = moved(&first, &runs.train(&run, &frozen));
            let expected = [
                "layers.1.bias",
                "layers.1.weight",
                "layers.2.bias",
                "layers.2.weight",
            ];
            assert_eq!(others, expected, "{run}");
        }
    }
}

#[test]
fn frozen_batch_norms_keep_their_running_statistics() {
    let runs = Runs::new();
    let first = runs.train("first", &cnn());
    let config = |parameters: Value| {
        let init = json!({"weights": runs.file("first")});
        with(cnn(), &[("init", init), ("parameters", parameters)])
    };
    let all = runs.train("all", &config(json!([])));
    // A batch norm takes the mean away, and the bias of the convolution before it with it: that has no gradient.
    let movable: Vec<String> = first
        .keys()
        .filter(|name| !name.ends_with("conv.bias"))
        .cloned()
        .collect();
    assert_eq!(moved(&first, &all), movable, "without a group all move");
    let frozen =
        ["stem.*", "blocks.*", "more.*"].map(|names| json!({"names": names, "frozen": true}));
    let heads = runs.train("heads", &config(json!(frozen)));
    let expected = ["head.bias", "head.weight", "hidden.bias", "hidden.weight"];
    assert_eq!(moved(&first, &heads), expected);
    let ema = with(config(json!(frozen)), &[("training.ema", json!(0.6))]);
    assert_eq!(moved(&first, &runs.train("ema", &ema)), expected);
    // A part of the blocks, so that gradients go through frozen ones.
    let some = runs.train(
        "some",
        &config(json!([{"names": "blocks.1.*", "frozen": true}])),
    );
    let outside = movable
        .into_iter()
        .filter(|name| !name.starts_with("blocks.1."));
    assert_eq!(moved(&first, &some), outside.collect::<Vec<_>>());
}

#[test]
fn frozen_parameters_begin_to_train_with_their_epoch() {
    let runs = Runs::new();
    let thawing = [
        (mlp(), "layers.0.*", 2),
        (mlp(), "layers.0.weight", 3),
        (cnn(), "blocks.*", 2),
    ];
    for (index, (base, names, epoch)) in thawing.into_iter().enumerate() {
        let first = runs.train(&format!("first{index}"), &base);
        let until = |epochs: usize| {
            // An epoch after the run would be refused.
            let unfreeze_at = (epochs >= epoch).then_some(epoch);
            let config = with(
                base.clone(),
                &[
                    (
                        "init",
                        json!({"weights": runs.file(&format!("first{index}"))}),
                    ),
                    ("training.epochs", json!(epochs)),
                    (
                        "parameters",
                        json!([{"names": names, "frozen": true, "unfreeze_at": unfreeze_at}]),
                    ),
                ],
            );
            moved(
                &first,
                &runs.train(&format!("until{index}_{epochs}"), &config),
            )
        };
        let prefix = names.trim_end_matches('*');
        let of_group = |names: Vec<String>| names.iter().filter(|n| n.starts_with(prefix)).count();
        // See above for the biases under batch norms.
        let movable = |name: &&String| name.starts_with(prefix) && !name.ends_with("conv.bias");
        let size = first.keys().filter(movable).count();
        assert_eq!(
            of_group(until(epoch - 1)),
            0,
            "{names} before epoch {epoch}"
        );
        assert_eq!(
            of_group(until(epoch)),
            size,
            "{names} from epoch {epoch} on"
        );
    }
}

#[test]
fn a_factor_of_the_learning_rate_makes_a_step_so_many_times_as_long() {
    let runs = Runs::new();
    let first = runs.train("first", &mlp());
    let step = |name: &str, parameters: Value| {
        let config = with(
            mlp(),
            &[
                ("init", json!({"weights": runs.file("first")})),
                ("optimizer", json!({"kind": "sgd", "lr": 0.125})),
                ("parameters", parameters),
            ],
        );
        let after = runs.train(name, &config);
        let differences = first.keys().map(|name| {
            let pairs = first[name].1.iter().zip(&after[name].1);
            let moves: Vec<f64> = pairs.map(|(b, a)| f64::from(*b) - f64::from(*a)).collect();
            (name.clone(), moves)
        });
        differences.collect::<BTreeMap<_, _>>()
    };
    let plain = step("plain", json!([]));
    let apart = step(
        "apart",
        json!([
            {"names": "layers.1.weight", "lr_factor": 4.0},
            {"names": "layers.1.*", "lr_factor": 0.25},
            {"names": "layers.*", "lr_factor": 1.0},
        ]),
    );
    for (name, moves) in &plain {
        // A parameter belongs to the first group that fits.
        let factor = match name.as_str() {
            "layers.1.weight" => 4.0,
            "layers.1.bias" => 0.25,
            _ => 1.0,
        };
        let largest = moves.iter().fold(0f64, |most, value| most.max(value.abs()));
        assert!(largest > 1e-4, "{name} does not move");
        for (one, other) in moves.iter().zip(&apart[name]) {
            // Weights of size 1 are rounded at 6e-8.
            assert!(
                (one * factor - other).abs() < 3e-7,
                "{name}: {one} times {factor} is not {other}"
            );
        }
    }
}

#[test]
fn groups_that_can_not_be_are_refused_by_key_and_nothing_is_written() {
    let runs = Runs::new();
    for (name, config, says) in [
        (
            "nothing",
            mlp(),
            json!([{"names": "features.*", "frozen": true}]),
        ),
        (
            "taken",
            mlp(),
            json!([{"names": "*", "lr_factor": 2.0}, {"names": "layers.0.*"}]),
        ),
        (
            "switches",
            cnn(),
            json!([{"names": "dropout.*", "frozen": true}]),
        ),
        (
            "statistics",
            cnn(),
            json!([{"names": "*.running_mean", "frozen": true}]),
        ),
        ("all", mlp(), json!([{"names": "*", "frozen": true}])),
        (
            "late",
            mlp(),
            json!([{"names": "layers.0.*", "unfreeze_at": 2}]),
        ),
        (
            "early",
            mlp(),
            json!([{"names": "layers.0.*", "frozen": true, "unfreeze_at": 1}]),
        ),
        ("nameless", mlp(), json!([{"frozen": true}])),
        (
            "standstill",
            mlp(),
            json!([{"names": "layers.0.*", "lr_factor": 0.0}]),
        ),
    ]
    .map(|(name, config, parameters)| {
        let says = match name {
            "nothing" => ["parameters.0.names", "features.*"],
            "taken" => ["parameters.1.names", "another group"],
            "switches" => ["parameters.0.names", "dropout.*"],
            "statistics" => ["parameters.0.names", "*.running_mean"],
            "all" => ["parameters", "everything is frozen"],
            "late" => ["parameters.0.unfreeze_at", "frozen is not true"],
            "early" => ["parameters.0.unfreeze_at", "1"],
            "nameless" => ["parameters.0.names", "missing"],
            _ => ["parameters.0.lr_factor", "greater than 0"],
        };
        (name, with(config, &[("parameters", parameters)]), says)
    }) {
        runs.bench.write("bad.json", config.to_string());
        let before = runs.bench.listing();
        let assert = runs
            .bench
            .kiln("train bad.json --run-dir run")
            .assert()
            .code(2);
        let output = assert.get_output();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(text.lines().count(), 1, "{name}: {text}");
        for part in says {
            assert!(text.contains(part), "{name}: {part:?} is not in: {text}");
        }
        assert!(output.stdout.is_empty());
        assert_eq!(runs.bench.listing(), before, "{name}");
    }
}

// ---- Features that are computed once ----

#[test]
fn features_of_frozen_layers_are_kept_and_are_those_that_the_layers_give() {
    let device = Device::flex().autodiff();
    let config = ModelConfig::Cnn(CnnConfig {
        channels: vec![3, 4],
        dropout: 0.0,
        ..CnnConfig::default()
    });
    let network = noisy(
        Network::new(&config, ImageShape::new(1, 8, 8), 5, &device),
        1,
    );
    assert!(!network.has_fixed_features());
    let frozen = ParameterConfig {
        names: "blocks.*".into(),
        frozen: true,
        ..ParameterConfig::default()
    };
    let network = param_groups::apply(network, &[frozen]).unwrap().network;
    assert!(network.has_fixed_features());
    let images = |salt: usize| {
        let values: Vec<f32> = noise(3 * 64, salt).into_iter().map(|v| v as f32).collect();
        Tensor::<4>::from_data(TensorData::new(values, [3, 1, 8, 8]), &device)
    };
    let batch = |salt: usize, indices: [usize; 3]| Batch {
        images: images(salt),
        targets: Tensor::from_data([0, 1, 2], &device),
        originals: None,
        indices: indices.to_vec(),
        features: None,
    };
    let values = |features: Tensor<4>| features.into_data().iter::<f32>().collect::<Vec<_>>();
    let mut cache = FeatureCache::new(5);
    let first = values(
        cache
            .complete(&network, batch(1, [4, 0, 2]))
            .features
            .unwrap(),
    );
    assert_eq!(
        first,
        values(network.backbone().unwrap().features(images(1)))
    );
    // The layers are not asked again: other images at the same places give the features of the first, in their own order.
    let second = values(
        cache
            .complete(&network, batch(2, [0, 4, 2]))
            .features
            .unwrap(),
    );
    let size = first.len() / 3;
    let rows = [&first[size..2 * size], &first[..size], &first[2 * size..]];
    assert_eq!(second, rows.concat());
    // One that is new: all are computed.
    let third = values(
        cache
            .complete(&network, batch(3, [0, 1, 2]))
            .features
            .unwrap(),
    );
    assert_eq!(
        third,
        values(network.backbone().unwrap().features(images(3)))
    );
    // And the answers are the same.
    let whole = network.forward(images(1));
    let finished = network
        .backbone()
        .unwrap()
        .classify(network.backbone().unwrap().features(images(1)));
    assert_eq!(whole.into_data(), finished.into_data());
}

#[test]
fn keeping_features_does_not_change_a_bit_of_a_run() {
    let runs = Runs::new();
    // Variation that never happens: samples stay the same, but kiln can't know and computes them all.
    let never = json!({"erase": 1e-30, "erase_size": 0.3});
    for (name, names) in [
        ("blocks", vec!["stem.*", "blocks.*", "more.*"]),
        // Here the batch norms go on measuring: nothing stays the same.
        (
            "norms",
            vec!["stem.*", "more.*", "blocks.*.weight", "blocks.*.bias"],
        ),
    ] {
        let groups: Vec<Value> = names
            .iter()
            .map(|names| json!({"names": names, "frozen": true}))
            .collect();
        let kept = with(
            cnn(),
            &[("parameters", json!(groups)), ("training.epochs", json!(3))],
        );
        let computed = with(kept.clone(), &[("data.augment", never.clone())]);
        let found = runs.train(&format!("{name}_kept"), &kept);
        let expected = runs.train(&format!("{name}_computed"), &computed);
        assert_eq!(moved(&expected, &found), Vec::<String>::new(), "{name}");
        assert_eq!(
            runs.metrics(&format!("{name}_kept")),
            runs.metrics(&format!("{name}_computed")),
            "{name}"
        );
    }
}

// ---- Averaged weights ----

#[test]
fn the_average_is_that_of_a_hand_calculation() {
    let config = ModelConfig::Cnn(CnnConfig {
        channels: vec![2],
        hidden: 0,
        ..CnnConfig::default()
    });
    let network = |first: usize| {
        let device = Device::flex().autodiff();
        noisy(
            Network::new(&config, ImageShape::new(1, 4, 4), 3, &device),
            first,
        )
    };
    let decay = 0.3;
    let mut average = Average::new(&network(0), decay);
    let mut expected: BTreeMap<String, Vec<f64>> = exported(&network(0))
        .into_iter()
        .map(|(name, (_, values))| (name, values.into_iter().map(f64::from).collect()))
        .collect();
    for step in 0..8 {
        average.update(&network(step + 1));
        // 1/10, 2/11, 3/12, then 4/13 is more than the decay.
        let kept = [1.0 / 10.0, 2.0 / 11.0, 3.0 / 12.0]
            .get(step)
            .copied()
            .unwrap_or(decay);
        let new = exported(&network(step + 1));
        for (name, values) in &mut expected {
            for (value, &new) in values.iter_mut().zip(&new[name].1) {
                *value = kept * *value + (1.0 - kept) * f64::from(new);
            }
        }
        // Running statistics are averaged as well: they belong to the weights.
        for (name, (_, values)) in exported(&average.network()) {
            for (found, expected) in values.iter().zip(&expected[&name]) {
                assert!(
                    (f64::from(*found) - expected).abs() < 1e-6,
                    "{name} after step {step}"
                );
            }
        }
    }
}

#[test]
fn a_run_validates_and_keeps_the_average() {
    let runs = Runs::new();
    let first = runs.train("first", &mlp());
    let config = |epochs: usize, ema: Value| {
        with(
            mlp(),
            &[
                ("init", json!({"weights": runs.file("first")})),
                ("training.epochs", json!(epochs)),
                ("training.ema", ema),
            ],
        )
    };
    // One step an epoch: the weights of the steps are those of shorter runs.
    let steps: Vec<Tensors> = (1..=3)
        .map(|epochs| runs.train(&format!("step{epochs}"), &config(epochs, Value::Null)))
        .collect();
    let averaged = runs.train("averaged", &config(3, json!(0.6)));
    for (name, (_, values)) in &averaged {
        for (index, &found) in values.iter().enumerate() {
            let mut expected = f64::from(first[name].1[index]);
            for (step, weights) in steps.iter().enumerate() {
                let kept = (1.0 + step as f64) / (10.0 + step as f64);
                expected = kept * expected + (1.0 - kept) * f64::from(weights[name].1[index]);
            }
            assert!((f64::from(found) - expected).abs() < 1e-6, "{name}");
        }
    }
    // The learning goes on with the weights themselves; what is validated is the average.
    let (plain, average) = (runs.metrics("step3"), runs.metrics("averaged"));
    for (plain, average) in plain.iter().zip(&average) {
        assert_eq!(plain["train"], average["train"]);
        assert_ne!(plain["valid"]["loss"], average["valid"]["loss"]);
    }
    let after = runs.bench.json("eval averaged --split valid --json");
    let (during, after) = (average[2]["valid"]["loss"].as_f64(), after["loss"].as_f64());
    assert!((during.unwrap() - after.unwrap()).abs() < 1e-5);
    let bytes = runs.bench.read("averaged/model.safetensors");
    runs.train("again", &config(3, json!(0.6)));
    assert!(bytes == runs.bench.read("again/model.safetensors"));
}
