//! `kiln runs`: list, show and compare.

use std::collections::BTreeMap;

use predicates::prelude::*;
use serde_json::json;

use crate::common::{Bench, assert_self_contained, assert_well_formed};
use crate::support::bench;

/// A folder with runs in any state, two of them in a sweep.
fn runs_in_any_state() -> Bench {
    let bench = bench();
    bench.output("train tiny.json");
    bench.output("train tiny.json --set optimizer.lr=1e-9");
    bench.output("sweep tiny.json --grid seed=1,2");
    bench.write(
        "runs/started/config.json",
        bench.read("runs/tiny-1/config.json"),
    );
    bench.write(
        "runs/broken/config.json",
        bench.read("runs/tiny-1/config.json"),
    );
    bench.write("runs/broken/summary.json", "{");
    bench.write(
        "runs/headless/metrics.jsonl",
        bench.read("runs/tiny-1/metrics.jsonl"),
    );
    bench.write("runs/no run/notes.txt", "mine");
    bench
}

#[test]
fn runs_list_shows_runs_in_any_state() {
    let bench = runs_in_any_state();
    let runs = bench.json("runs list --json");
    let status: BTreeMap<&str, &str> = runs
        .as_array()
        .expect("a list")
        .iter()
        .map(|run| {
            (
                run["run"].as_str().unwrap(),
                run["status"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        status,
        BTreeMap::from([
            ("runs/tiny-1", "finished"),
            ("runs/tiny-2", "finished"),
            ("runs/started", "unfinished"),
            ("runs/broken", "damaged"),
            ("runs/headless", "damaged"),
            ("sweeps/tiny-1/1_seed-1", "finished"),
            ("sweeps/tiny-1/2_seed-2", "finished"),
        ])
    );
    let text = bench.output("runs list runs --sort valid");
    let at = |run: &str| {
        text.lines()
            .position(|line| line.starts_with(run))
            .expect(run)
    };
    assert!(at("runs/tiny-1") < at("runs/tiny-2"), "{text}");
    assert!(at("runs/tiny-2") < at("runs/started"), "{text}");
    let line = text.lines().nth(at("runs/tiny-1")).expect("a line");
    for part in ["mlp", "glyphs", "finished", " %", "20"] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
    bench
        .kiln("runs list")
        .assert()
        .success()
        .stderr(predicate::str::contains("runs/broken/summary.json"))
        .stderr(predicate::str::contains(
            "`kiln train --resume runs/broken` writes it again",
        ));
    bench
        .kiln("runs list nowhere")
        .assert()
        .code(2)
        .stderr(predicate::str::contains("nowhere"));
}

#[test]
fn runs_show_lists_the_chosen_settings_and_no_defaults() {
    let bench = bench();
    bench.output("train tiny.json --set training.epochs=45 --run-dir run");
    let shown = bench.json("runs show run --json");
    assert_eq!(
        shown["settings"],
        json!({
            "data.kind": "glyphs", "data.train": 144, "data.valid": 72, "data.test": 36,
            "model.kind": "mlp", "model.hidden": [16], "model.activation": "relu",
            "optimizer.kind": "adam", "optimizer.lr": 0.003, "schedule.kind": "constant",
            "training.epochs": 45, "training.batch_size": 48,
        })
    );
    assert_eq!(shown["history"].as_array().expect("epochs").len(), 45);
    let text = bench.output("runs show run");
    for part in [
        "validation accuracy",
        "best ",
        "model.safetensors",
        "checkpoints/",
        "45  0.003000",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert!(!text.contains("label_smoothing"), "{text}");
    assert!(
        text.lines().count() < 70,
        "long runs are shortened:\n{text}"
    );
    bench
        .kiln("runs show .")
        .assert()
        .code(2)
        .stderr(predicate::str::contains("not a run directory"));
}

#[test]
fn runs_compare_shows_the_differing_settings_only() {
    let bench = bench();
    bench.output("train tiny.json --run-dir a");
    bench.output("train tiny.json --run-dir b --set optimizer.lr=1e-2");
    bench.output("train tiny.json --run-dir c --set optimizer.kind=sgd --set model.hidden=[16,16]");
    let compared = bench.json("runs compare a b --json");
    assert_eq!(
        compared["differing"],
        json!({"optimizer.lr": [0.003, 0.01]})
    );
    let text = bench.output("runs compare a b c --html page.html");
    assert!(
        text.contains("[1]  a") && text.contains("test accuracy"),
        "{text}"
    );
    let settings = text
        .split("settings that differ\n")
        .nth(1)
        .expect("a table");
    let keys: Vec<&str> = settings
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(
        keys,
        [
            "model.hidden",
            "optimizer.beta1",
            "optimizer.beta2",
            "optimizer.epsilon",
            "optimizer.kind",
            "optimizer.lr",
            "optimizer.momentum",
        ]
    );
    let page = String::from_utf8(bench.read("page.html")).expect("text");
    assert_well_formed(&page);
    assert_self_contained(&page);
    assert!(page.contains("3 runs compared") && page.contains("[16,16]"));
    bench.output("train tiny.json --run-dir d");
    assert!(
        bench
            .output("runs compare a d")
            .contains("no settings differ")
    );
    bench.kiln("runs compare a").assert().code(2);
    bench.kiln("runs compare a nowhere").assert().code(2);
}

#[test]
fn runs_list_of_no_runs_is_empty() {
    bench().kiln("runs list").assert().success().stdout("");
}
