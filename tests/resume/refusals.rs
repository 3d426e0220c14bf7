//! What a resumed run may not change, and the dry run.

use predicates::prelude::*;
use serde_json::{Value, json};

use super::{
    assert_same, bench_with, checkpoint_file, copy_folder, kiln, mlp, spawn, squeezenet, train,
    wait_for, write_photographs,
};
use crate::common::Bench;

#[test]
fn changes_that_would_change_the_result_are_refused_by_name() {
    let mut config = mlp();
    config["training"]["epochs"] = json!(2);
    let bench = bench_with(&config);
    let refused = |change: &str, named: &str| {
        kiln(&bench, &format!("train --resume straight --set {change}"))
            .assert()
            .code(2)
            .stderr(predicate::str::contains(named))
            .stderr(predicate::str::contains("--init-from"));
    };
    refused("optimizer.lr=0.02", "optimizer.lr: 0.01 -> 0.02");
    refused("seed=2", "seed: 1 -> 2");
    refused("training.batch_size=10", "training.batch_size");
    refused("model.hidden=[24,24]", "model.hidden");
    refused("training.precision=bf16", "training.precision");
    kiln(
        &bench,
        "train --resume straight --set training.epochs=1 --set optimizer.kind=sgd",
    )
    .assert()
    .code(2);
    kiln(&bench, "train --resume straight --set optimizer.learning=1")
        .assert()
        .code(2)
        .stderr(predicate::str::contains("learning"));
    kiln(&bench, "train --resume straight@7")
        .assert()
        .code(2)
        .stderr(predicate::str::contains("usable checkpoints: epoch 1, 2"));
    kiln(&bench, "train --resume nowhere")
        .assert()
        .code(2)
        .stderr(predicate::str::contains("nowhere: not found"));
    kiln(&bench, "train --resume straight --renderer plain")
        .assert()
        .success();

    config["schedule"] = json!({"kind": "cosine"});
    bench.write("cosine.json", config.to_string());
    train(&bench, "cosine.json --run-dir cosine");
    kiln(&bench, "train --resume cosine --set training.epochs=4")
        .assert()
        .code(2)
        .stderr(predicate::str::contains("training.epochs"))
        .stderr(predicate::str::contains("cosine"));
}

#[test]
fn a_run_is_not_resumed_with_other_data() {
    let bench = Bench::new();
    write_photographs(&bench);
    let mut config = squeezenet();
    config["training"]["epochs"] = json!(1);
    bench.write("config.json", config.to_string());
    train(&bench, "config.json --run-dir run");
    let before = bench.read("run/metrics.jsonl");
    let refused = |numbers: &str| {
        kiln(&bench, "train --resume run --set training.epochs=2")
            .assert()
            .code(2)
            .stderr(predicate::str::contains(
                "the data has changed since this run was trained",
            ))
            .stderr(predicate::str::contains(format!("{numbers} in ")))
            .stderr(predicate::str::contains("set; put back what was there"))
            .stderr(predicate::str::contains("kiln train run/config.json"));
        assert_eq!(bench.read("run/metrics.jsonl"), before);
    };
    std::fs::remove_file(bench.path("set/train/class1/3.png")).unwrap();
    refused("27 training samples then, 26 now");
    // Without one of its classes the network has another shape.
    for part in ["train", "valid"] {
        std::fs::remove_dir_all(bench.path(&format!("set/{part}/class1"))).unwrap();
    }
    refused("3 classes then, 2 now");
}

#[test]
fn a_run_is_not_cut_to_fewer_epochs_than_are_done() {
    let mut config = mlp();
    config["training"]["epochs"] = json!(5);
    config["training"]["early_stopping"] = Value::Null;
    let bench = bench_with(&config);
    copy_folder(&bench.path("straight"), &bench.path("run"));
    let dry = "train --resume run --dry-run --set training.epochs=3";
    for arguments in ["train --resume run --set training.epochs=3", dry] {
        kiln(&bench, arguments)
            .assert()
            .code(2)
            .stderr(predicate::str::contains(
                "run: 5 epochs are done; training.epochs is 3: choose 5 or more, or start a new run",
            ));
        assert_same(&bench, "run");
    }
    train(&bench, "--resume run --set training.epochs=5");
    assert_same(&bench, "run");
    // Back on purpose: the later checkpoint stays on disk, and is not counted as done.
    train(&bench, "--resume run@4 --set training.epochs=4");
    let back = bench.read("run/metrics.jsonl");
    train(&bench, "--resume run");
    assert_eq!(bench.read("run/metrics.jsonl"), back);
    train(&bench, "--resume run --set training.epochs=5");
    assert_same(&bench, "run");
}

#[test]
fn a_run_of_an_older_kiln_is_left_as_it_is() {
    let mut config = mlp();
    config["training"]["epochs"] = json!(1);
    let bench = bench_with(&config);
    std::fs::remove_file(checkpoint_file(&bench, "straight", 1)).unwrap();
    let before = bench.read("straight/metrics.jsonl");
    kiln(&bench, "train --resume straight --set training.epochs=2")
        .assert()
        .code(2)
        .stderr(predicate::str::contains("no checkpoints to resume from"));
    assert_eq!(bench.read("straight/metrics.jsonl"), before);
}

#[test]
fn two_processes_never_train_in_one_folder() {
    let mut config = mlp();
    config["training"]["epochs"] = json!(60);
    config["training"]["early_stopping"] = Value::Null;
    let bench = bench_with(&config);
    let mut first = spawn(&bench, "train config.json --run-dir run");
    wait_for(&bench.path("run/metrics.jsonl"));
    for second in [
        "train config.json --run-dir run",
        "train --resume run",
        "train --resume run --dry-run",
    ] {
        kiln(&bench, second)
            .assert()
            .code(1)
            .stderr(predicate::str::contains(
                "another kiln process is training in it",
            ));
    }
    assert!(first.wait().unwrap().success());
    assert_same(&bench, "run");
    kiln(&bench, "train config.json --run-dir run")
        .assert()
        .code(2)
        .stderr(predicate::str::contains("already exists"));
}

#[test]
fn a_dry_run_shows_parameters_memory_and_time_and_fails_as_the_run_would() {
    let bench = bench_with(&mlp());
    let before = bench.listing();
    for arguments in [
        "train config.json --dry-run",
        "train config.json --dry-run --run-dir new/run",
        "train --resume straight --dry-run --set training.epochs=9",
    ] {
        let out = kiln(&bench, arguments).assert().success();
        let out = String::from_utf8(out.get_output().stdout.clone()).unwrap();
        for part in [
            "layers.0.weight",
            "[24, 256]",
            "6144",
            "initial loss",
            "kB for weights",
            "epoch time    about",
            "15 per epoch",
            "nothing was written",
        ] {
            assert!(out.contains(part), "{part} is not in\n{out}");
        }
    }
    assert_eq!(bench.listing(), before);
    let same_end = |arguments: &str| {
        let ended = |dry: &str| {
            let output = kiln(&bench, &format!("train {arguments} {dry}"));
            let output = { output }.output().unwrap();
            let err = String::from_utf8(output.stderr).unwrap();
            let error = err.lines().find(|line| line.contains("error:"));
            (output.status.code(), error.unwrap_or_default().to_string())
        };
        let (dry, wet) = (ended("--dry-run"), ended(""));
        assert_eq!(dry, wet, "{arguments}");
        assert_ne!(dry.0, Some(0), "{arguments}");
    };
    same_end("config.json --run-dir straight");
    same_end("config.json --run-dir config.json/run");
    same_end("config.json --set model.classes=10");
    same_end("config.json --set init.weights=nowhere.pth");
    same_end("--resume straight --set seed=2");
    assert_eq!(bench.listing(), before);
}

#[test]
fn init_from_takes_the_weights_of_a_run_and_nothing_else() {
    let bench = bench_with(&mlp());
    let begin = "config.json --set training.epochs=1";
    let err = train(
        &bench,
        &format!("{begin} --run-dir of_run --init-from straight"),
    );
    assert!(err.contains("tensors applied"), "{err}");
    train(
        &bench,
        &format!("{begin} --run-dir of_file --init-from straight/model.safetensors"),
    );
    for name in ["model.safetensors", "metrics.jsonl"] {
        let of = |run: &str| bench.read(&format!("{run}/{name}"));
        assert!(of("of_run") == of("of_file"), "{name} differs");
    }
    let metrics: Value = serde_json::from_slice(&bench.read("of_run/metrics.jsonl")).unwrap();
    assert_eq!(metrics["epoch"], 1);
    assert!(
        metrics["train"]["accuracy"].as_f64() > Some(0.5),
        "{metrics}"
    );
}

#[test]
fn divergence_is_reported_with_its_step_and_the_largest_gradient() {
    let mut config = mlp();
    config["optimizer"] = json!({"kind": "sgd", "lr": 100});
    config["model"]["hidden"] = json!([512, 512, 512]);
    config["loss"] = json!({"reduction": "sum"});
    let bench = Bench::new();
    bench.write("config.json", config.to_string());
    let output = kiln(&bench, "train config.json --run-dir run")
        .assert()
        .code(1);
    let err = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    let error = err.lines().find(|line| line.starts_with("error:")).unwrap();
    for part in [
        "in step ",
        "of epoch 1",
        "1e2",
        "largest gradient",
        ".weight",
    ] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
    assert!(!bench.path("run/model.safetensors").exists());
}
