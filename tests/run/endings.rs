//! How a run ends: early stopping, divergence, Ctrl-C, and the dry run.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use predicates::prelude::*;
use serde_json::Value;

use crate::common::{Bench, SMALL};

#[test]
fn early_stopping_ends_a_run_that_no_longer_improves() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    let arguments = "train small.json --run-dir run --set training.epochs=40 --set optimizer.lr=1e-9 \
                     --set training.early_stopping={\"patience\":2,\"min_delta\":0.5}";
    bench.output(arguments);
    let summary: Value = serde_json::from_slice(&bench.read("run/summary.json")).unwrap();
    assert_eq!(summary["status"], "stopped_early");
    assert_eq!(
        summary["epochs"], 3,
        "the first epoch is the best, two more are waited for"
    );
}

#[test]
fn divergence_stops_the_run_and_names_the_learning_rate() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    bench
        .kiln("train small.json --run-dir run --set optimizer={\"kind\":\"sgd\",\"lr\":100} \
               --set model.hidden=[512,512,512] --set model.activation=relu --set loss.reduction=sum")
        .assert()
        .code(1)
        .stderr(predicate::str::contains("not a finite number"))
        .stderr(predicate::str::contains("optimizer.lr"));
    assert!(!bench.path("run/model.safetensors").exists());
}

#[test]
fn a_classifier_that_ends_worse_than_a_guess_gets_a_warning() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    let warned = |arguments: &str| {
        let mut command = bench.kiln(&format!("train small.json {arguments}"));
        let output = command.assert().success().get_output().clone();
        let err = String::from_utf8(output.stderr).unwrap();
        let warnings = err.lines().filter(|line| line.starts_with("warning:"));
        warnings.map(String::from).collect::<Vec<_>>()
    };
    let warnings = warned("--run-dir hot --set optimizer.lr=100");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    for part in [
        "uniform guess among 36 classes (3.5835)",
        "lower optimizer.lr",
    ] {
        assert!(warnings[0].contains(part), "{warnings:?}");
    }
    assert_eq!(warned("--run-dir good"), [""; 0]);
}

#[test]
fn ctrl_c_finishes_the_batch_saves_the_weights_and_exits_with_130() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    let mut child = Command::new(env!("CARGO_BIN_EXE_kiln"))
        .current_dir(bench.folder.path())
        .args([
            "train",
            "small.json",
            "--run-dir",
            "run",
            "--set",
            "training.epochs=5000",
        ])
        .stderr(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while std::fs::read(bench.path("run/metrics.jsonl")).map_or(0, |text| text.len()) < 10 {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "no epoch in a minute"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    let summary: Value = serde_json::from_slice(&bench.read("run/summary.json")).unwrap();
    assert_eq!(summary["status"], "interrupted");
    assert_eq!(bench.json("eval run --json")["samples"], 360);
}

#[test]
fn a_dry_run_checks_everything_and_writes_nothing() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    let before = bench.listing();
    let out = bench.output("train small.json --dry-run");
    assert!(
        out.contains("initial loss") && out.contains("nothing was written"),
        "{out}"
    );
    assert_eq!(bench.listing(), before);
    bench
        .kiln("train small.json --dry-run --set model.classes=10")
        .assert()
        .code(2);
}

#[test]
fn a_run_that_fails_late_keeps_its_best_weights() {
    let bench = Bench::new();
    // Weight decay of 10 makes the weights grow without bound once the rate has warmed up beyond 0.2.
    bench.write(
        "late.json",
        r#"{
          "data": {"kind": "glyphs", "train": 1440, "valid": 360, "test": 360},
          "model": {"kind": "mlp", "hidden": [32], "activation": "relu"},
          "optimizer": {"kind": "sgd", "lr": 1, "weight_decay": 10},
          "schedule": {"kind": "cosine", "warmup": 10},
          "training": {"epochs": 11, "batch_size": 48}
        }"#,
    );
    bench
        .kiln("train late.json --run-dir run")
        .assert()
        .code(1)
        .stdout("")
        .stderr(predicate::str::contains("not a finite number"));
    let summary: Value = serde_json::from_slice(&bench.read("run/summary.json")).unwrap();
    assert_eq!(summary["status"], "failed");
    assert!(summary["best_epoch"].as_u64().unwrap() >= 1, "{summary}");
    assert_eq!(bench.json("eval run --json")["samples"], 360);
}

#[test]
fn ctrl_c_in_the_first_epoch_and_in_the_last_evaluation_exits_with_130() {
    let bench = Bench::new();
    bench.write(
        "cnn.json",
        r#"{
          "data": {"kind": "glyphs", "train": 720, "valid": 36, "test": 20000},
          "model": {"kind": "cnn"},
          "training": {"epochs": 1, "batch_size": 36}
        }"#,
    );
    // A run directory tells that training has begun, the model that it is over.
    for sign in ["config.json", "model.safetensors"] {
        let run = format!("at_{sign}");
        let mut child = Command::new(env!("CARGO_BIN_EXE_kiln"))
            .current_dir(bench.folder.path())
            .args(["train", "cnn.json", "--run-dir", &run])
            .stderr(Stdio::from(
                std::fs::File::create(bench.path("said")).expect("a file"),
            ))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while !bench.path(&run).join(sign).exists() {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "no {sign} in a minute"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(100));
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        let asked = Instant::now();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(130), "{sign}");
        assert!(
            asked.elapsed() < Duration::from_secs(5),
            "{sign}: {:?}",
            asked.elapsed()
        );
        let summary = bench.read(&format!("{run}/summary.json"));
        let summary: Value = serde_json::from_slice(&summary).unwrap();
        let said = String::from_utf8(bench.read("said")).unwrap();
        assert_eq!(
            said.contains("the best weights"),
            summary["best_epoch"] != 0,
            "weights of an unfinished first epoch are not called the best: {said}"
        );
        assert_eq!(
            said.contains("before the first epoch was complete"),
            summary["best_epoch"] == 0,
            "{said}"
        );
    }
    let summary: Value =
        serde_json::from_slice(&bench.read("at_model.safetensors/summary.json")).unwrap();
    assert_eq!(summary["status"], "interrupted");
    assert_eq!(summary["test"], Value::Null, "the test was not finished");
}

#[test]
fn divergence_of_a_convolutional_network_stops_the_run() {
    let bench = Bench::new();
    bench.write(
        "hot.json",
        r#"{"data": {"kind": "glyphs", "train": 360, "valid": 72, "test": 36}, "model": {"kind": "cnn"},
            "loss": {"reduction": "sum"}, "optimizer": {"kind": "sgd", "lr": 10},
            "training": {"epochs": 3, "batch_size": 32}}"#,
    );
    bench
        .kiln("train hot.json --run-dir run")
        .assert()
        .code(1)
        .stderr(predicate::str::contains("not a finite number"));
}
