//! Frozen parameters, those that unfreeze, and learning rates of their own.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Runs, cnn, mlp, moved, with};

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
    let unfreezing = [
        (mlp(), "layers.0.*", 2),
        (mlp(), "layers.0.weight", 3),
        (cnn(), "blocks.*", 2),
    ];
    for (index, (base, names, epoch)) in unfreezing.into_iter().enumerate() {
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
fn a_learning_rate_factor_scales_the_steps_of_its_parameters() {
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
        // A parameter belongs to the first group that matches.
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

/// Groups that are refused: the config, the groups, and what the error names.
type Refusal = (fn() -> Value, &'static str, [&'static str; 2]);

const IMPOSSIBLE: [Refusal; 9] = [
    (
        mlp,
        r#"[{"names": "features.*", "frozen": true}]"#,
        ["parameters[0].names", "features.*"],
    ),
    (
        mlp,
        r#"[{"names": "*", "lr_factor": 2.0}, {"names": "layers.0.*"}]"#,
        [
            "parameters[1].names",
            "all in another group already, the last of them in parameters[0]; ",
        ],
    ),
    (
        cnn,
        r#"[{"names": "dropout.*", "frozen": true}]"#,
        ["parameters[0].names", "dropout.*"],
    ),
    (
        cnn,
        r#"[{"names": "*.running_mean", "frozen": true}]"#,
        ["parameters[0].names", "*.running_mean"],
    ),
    (
        mlp,
        r#"[{"names": "*", "frozen": true}]"#,
        ["parameters", "everything is frozen"],
    ),
    (
        mlp,
        r#"[{"names": "layers.0.*", "unfreeze_at": 2}]"#,
        [
            "parameters[0].unfreeze_at",
            "has no effect unless frozen is true",
        ],
    ),
    (
        mlp,
        r#"[{"names": "layers.0.*", "frozen": true, "unfreeze_at": 1}]"#,
        ["parameters[0].unfreeze_at", "1"],
    ),
    (
        mlp,
        r#"[{"frozen": true}]"#,
        ["parameters[0].names", "missing"],
    ),
    (
        mlp,
        r#"[{"names": "layers.0.*", "lr_factor": 0.0}]"#,
        ["parameters[0].lr_factor", "greater than 0"],
    ),
];

#[test]
fn impossible_groups_are_refused_by_key_and_nothing_is_written() {
    let runs = Runs::new();
    for (base, groups, says) in IMPOSSIBLE {
        let parameters: Value = serde_json::from_str(groups).unwrap();
        let config = with(base(), &[("parameters", parameters)]);
        runs.bench.write("bad.json", config.to_string());
        let before = runs.bench.listing();
        let assert = runs
            .bench
            .kiln("train bad.json --run-dir run")
            .assert()
            .code(2);
        let output = assert.get_output();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(text.lines().count(), 1, "{groups}: {text}");
        for part in says {
            assert!(text.contains(part), "{groups}: {part:?} is not in: {text}");
        }
        assert!(output.stdout.is_empty());
        assert_eq!(runs.bench.listing(), before, "{groups}");
    }
}

#[test]
fn a_group_that_would_unfreeze_after_the_last_epoch_is_reported_once() {
    let runs = Runs::new();
    let parameters = json!([{"names": "layers.0.*", "frozen": true, "unfreeze_at": 3}]);
    let config = with(
        mlp(),
        &[
            ("training.epochs", json!(2)),
            ("parameters", parameters.clone()),
        ],
    );
    runs.bench.write("late.json", config.to_string());
    for arguments in ["train late.json --dry-run", "train late.json --run-dir run"] {
        let assert = runs.bench.kiln(arguments).assert().success();
        let err = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        // Two steps learn nothing, which is worth a warning of its own.
        let of_groups = |line: &&str| line.contains("warning") && line.contains("unfreeze_at");
        let warnings: Vec<&str> = err.lines().filter(of_groups).collect();
        assert_eq!(warnings.len(), 1, "{err}");
        for part in ["parameters[0].unfreeze_at", "epoch 3", "(2)", "layers.0.*"] {
            assert!(warnings[0].contains(part), "{part} is not in {err}");
        }
    }
    let enough = with(config, &[("training.epochs", json!(3))]);
    runs.bench.write("enough.json", enough.to_string());
    let assert = runs.bench.kiln("train enough.json --dry-run").assert();
    let err = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(!err.contains("warning"), "{err}");
}
