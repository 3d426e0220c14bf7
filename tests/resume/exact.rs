//! A resumed run gives the bytes of one that never stopped.

use serde_json::{Value, json};

use super::{
    assert_same, autoencoder, bench_with, cnn, copy_folder, kiln, mlp, spawn, squeezenet, train,
    wait_for,
};
use crate::common::Bench;

/// Whether the unbroken run's training loss has gone down by a tenth.
fn learns(bench: &Bench) -> bool {
    let text = String::from_utf8(bench.read("straight/metrics.jsonl")).unwrap();
    let losses: Vec<f64> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|line| line["train"]["loss"].as_f64().unwrap())
        .collect();
    losses[losses.len() - 1] < 0.9 * losses[0]
}

/// Stops after 2 epochs and resumes; goes back to the last epoch but one and resumes, on another number of threads.
fn assert_resumes_exactly(config: &Value) {
    let bench = bench_with(config);
    let epochs = config["training"]["epochs"].as_u64().unwrap();
    assert!(learns(&bench), "weights that stand still prove nothing");
    train(
        &bench,
        "config.json --run-dir parts --set training.epochs=2",
    );
    let err = train(
        &bench,
        &format!("--resume parts --set training.epochs={epochs}"),
    );
    assert!(err.contains("2 of"), "{err}");
    assert_same(&bench, "parts");
    copy_folder(&bench.path("straight"), &bench.path("back"));
    let mut back = kiln(&bench, &format!("train --resume back@{}", epochs - 1));
    back.env("RAYON_NUM_THREADS", "3").assert().success();
    assert_same(&bench, "back");
}

#[test]
fn a_resumed_perceptron_gives_the_bytes_of_one_that_never_stopped() {
    assert_resumes_exactly(&mlp());
}

#[test]
fn a_resumed_convolutional_network_gives_the_bytes_of_one_that_never_stopped() {
    assert_resumes_exactly(&cnn());
}

#[test]
fn a_run_in_bfloat16_resumes_exactly_and_is_another_one_than_in_32_bits() {
    for mut config in [cnn(), squeezenet()] {
        let weights = |config: &Value| bench_with(config).read("straight/model.safetensors");
        let in_32_bits = weights(&config);
        config["training"]["precision"] = "bf16".into();
        assert_resumes_exactly(&config);
        assert_ne!(weights(&config), in_32_bits);
    }
}

#[test]
fn a_resumed_autoencoder_gives_the_bytes_of_one_that_never_stopped() {
    assert_resumes_exactly(&autoencoder());
}

#[test]
fn a_resumed_frozen_squeezenet_gives_the_bytes_of_one_that_never_stopped() {
    assert_resumes_exactly(&squeezenet());
}

#[test]
fn a_run_that_was_interrupted_with_ctrl_c_resumes_exactly() {
    let mut config = mlp();
    config["training"]["epochs"] = json!(60);
    config["training"]["early_stopping"] = Value::Null;
    let bench = bench_with(&config);
    let mut child = spawn(&bench, "train config.json --run-dir run");
    wait_for(&bench.path("run/metrics.jsonl"));
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let summary: Value = serde_json::from_slice(&bench.read("run/summary.json")).unwrap();
    assert_eq!(summary["status"], "interrupted");
    train(&bench, "--resume run");
    assert_same(&bench, "run");
}

/// What a second Ctrl-C in the first epoch leaves, and a copy that leaves empty folders out.
#[test]
fn a_run_without_a_completed_epoch_restarts() {
    let mut config = mlp();
    config["training"]["epochs"] = json!(2);
    let bench = bench_with(&config);
    std::fs::create_dir(bench.path("run")).unwrap();
    bench.write("run/run.lock", "");
    for name in ["config.json", "model.safetensors"] {
        std::fs::copy(
            bench.path(&format!("straight/{name}")),
            bench.path(&format!("run/{name}")),
        )
        .unwrap();
    }
    let said = train(&bench, "--resume run");
    assert!(said.contains("starts at epoch 1"), "{said}");
    assert_same(&bench, "run");
}

#[test]
fn a_run_that_stopped_early_is_not_trained_further() {
    let mut config = mlp();
    config["optimizer"]["lr"] = json!(1e-9);
    config["training"]["early_stopping"] = json!({"patience": 1, "min_delta": 0.5});
    let bench = bench_with(&config);
    let before = bench.read("straight/metrics.jsonl");
    copy_folder(&bench.path("straight"), &bench.path("again"));
    train(&bench, "--resume again");
    assert_same(&bench, "again");
    assert_eq!(bench.read("again/metrics.jsonl"), before);
    let summary: Value = serde_json::from_slice(&bench.read("again/summary.json")).unwrap();
    assert_eq!(summary["status"], "stopped_early");
}
