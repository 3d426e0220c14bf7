//! The figures and weights that a run leaves behind.

use predicates::prelude::*;
use serde_json::Value;

use super::trained;
use crate::common::{Bench, SMALL};

const RUN_FILES: [&str; 6] = [
    "config.json",
    "metrics.jsonl",
    "timing.jsonl",
    "summary.json",
    "model.safetensors",
    "report.html",
];

#[test]
fn a_run_writes_all_its_files_and_says_what_to_do_next() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    let output = bench.kiln("train small.json").assert().success();
    let output = output.get_output().clone();
    let (out, err) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert!(out.contains("test accuracy"), "{out}");
    assert!(out.contains("runs/small-1"), "{out}");
    assert!(
        err.contains("next:") && err.contains("eval runs/small-1"),
        "{err}"
    );
    assert_eq!(
        err.matches("\nepoch ").count(),
        3,
        "one line per epoch:\n{err}"
    );
    for name in ["loss", "accuracy", "lr ", "samples/s", "left"] {
        assert!(err.contains(name), "{name} is not in\n{err}");
    }
    for name in RUN_FILES {
        assert!(bench.path("runs/small-1").join(name).is_file(), "{name}");
    }
    assert!(
        bench
            .path("runs/small-1/checkpoints/epoch-3.ckpt")
            .is_file()
    );
}

#[test]
fn run_directories_are_numbered_and_never_reused() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    for number in 1..=2 {
        let out = bench.output("train small.json --set training.epochs=1");
        assert!(out.contains(&format!("runs/small-{number}")), "{out}");
    }
    let before = bench.read("runs/small-1/metrics.jsonl");
    bench
        .kiln("train small.json --run-dir runs/small-1")
        .assert()
        .code(2)
        .stderr(predicate::str::contains("already exists"));
    assert_eq!(bench.read("runs/small-1/metrics.jsonl"), before);
}

#[test]
fn eval_prints_the_figures_of_the_summary() {
    let bench = trained();
    let summary: Value = serde_json::from_slice(&bench.read("run/summary.json")).unwrap();
    let test = bench.json("eval run --json");
    let valid = bench.json("eval run --split valid --json");
    for name in ["accuracy", "loss", "top5_accuracy", "macro_f1"] {
        assert_eq!(test[name], summary["test"][name], "{name}");
        assert_eq!(valid[name], summary["valid"][name], "{name}");
    }
    assert_eq!(test["per_class"].as_array().unwrap().len(), 36);
    assert_eq!(test["samples"], 360);
    // The best epoch's validation accuracy, as it was during the run.
    let best = summary["best_epoch"].as_u64().unwrap() as usize;
    let metrics = String::from_utf8(bench.read("run/metrics.jsonl")).unwrap();
    let line: Value = serde_json::from_str(metrics.lines().nth(best - 1).unwrap()).unwrap();
    let during = line["valid"]["accuracy"].as_f64().unwrap();
    let after = valid["accuracy"].as_f64().unwrap();
    assert!((during - after).abs() < 1e-9, "{during} then, {after} now");
}

#[test]
fn rates_in_files_are_fractions_of_one() {
    let bench = trained();
    let metrics = String::from_utf8(bench.read("run/metrics.jsonl")).unwrap();
    assert_eq!(metrics.lines().count(), 3);
    for line in metrics.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        for part in ["train", "valid"] {
            let accuracy = record[part]["accuracy"].as_f64().unwrap();
            assert!((0.0..=1.0).contains(&accuracy), "{accuracy}");
        }
        assert!(record["valid"]["top5_accuracy"].as_f64() >= record["valid"]["accuracy"].as_f64());
    }
}

/// The epoch of a run with the highest validation accuracy; of equal ones, that with the lowest validation loss.
fn best_of(bench: &Bench, run: &str) -> Value {
    let lines = bench.read(&format!("{run}/metrics.jsonl"));
    let lines = lines.split(|byte| *byte == b'\n');
    let epochs = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let of = |epoch: &Value, metric: &str| epoch["valid"][metric].as_f64().unwrap();
    let is_better = |next: &Value, best: &Value| {
        let gain = of(next, "accuracy") - of(best, "accuracy");
        gain > 1e-9 || gain.abs() <= 1e-9 && of(next, "loss") < of(best, "loss")
    };
    let better = |best, next| if is_better(&next, &best) { next } else { best };
    epochs.reduce(better).expect("an epoch")
}

/// Images of two classes that anything can tell apart, 8 pixels wide and high, in `set/`.
fn write_dark_and_light(bench: &Bench) {
    for (class, grey) in [("dark", 30), ("light", 220)] {
        for (part, count) in [("train", 8), ("valid", 4)] {
            for index in 0..count {
                let image = image::GrayImage::from_pixel(8, 8, image::Luma([grey + index]));
                let path = bench.path(&format!("set/{part}/{class}/{index}.png"));
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                image.save(path).unwrap();
            }
        }
    }
}

#[test]
fn of_equally_accurate_epochs_the_one_with_the_lowest_validation_loss_is_kept() {
    let bench = Bench::new();
    write_dark_and_light(&bench);
    bench.write(
        "config.json",
        r#"{"data": {"kind": "image_folder", "folder": "set", "height": 8, "width": 8},
            "model": {"kind": "mlp", "hidden": [8]}, "optimizer": {"kind": "adam", "lr": 0.01},
            "training": {"epochs": 12, "batch_size": 4}}"#,
    );
    let train = |arguments: &str| {
        let mut command = bench.kiln(&format!("train {arguments}"));
        command.env("KILN_DATA", bench.path(".")).assert().success();
    };
    let summary = |run: &str| -> Value {
        serde_json::from_slice(&bench.read(&format!("{run}/summary.json"))).unwrap()
    };
    train("config.json --run-dir run");
    assert_eq!(best_of(&bench, "run")["valid"]["accuracy"], 1.0);
    assert_eq!(
        best_of(&bench, "run")["epoch"],
        12,
        "the loss goes on falling"
    );
    assert_eq!(summary("run")["best_epoch"], 12);
    train("config.json --run-dir parts --set training.epochs=9");
    train("--resume parts --set training.epochs=12");
    assert_eq!(
        summary("parts")["best_epoch"],
        12,
        "a resumed run goes by the same rule"
    );
    train(
        "config.json --run-dir early --set training.early_stopping={\"patience\":4,\"min_delta\":0}",
    );
    let early = summary("early");
    assert_eq!(early["best_epoch"], best_of(&bench, "early")["epoch"]);
    assert_eq!(early["best_epoch"], early["epochs"], "its last epoch");
    assert_eq!(
        early["status"], "stopped_early",
        "early stopping looks at the accuracy alone"
    );
}

#[test]
fn the_best_epoch_is_kept_or_the_last_one_if_the_config_says_so() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    // A learning rate at which validation accuracy goes up and down.
    let shaky = "--set training.epochs=6 --set optimizer.lr=0.05";
    bench.output(&format!("train small.json --run-dir best {shaky}"));
    bench.output(&format!(
        "train small.json --run-dir last {shaky} --set training.keep=last"
    ));
    let summary: Value = serde_json::from_slice(&bench.read("best/summary.json")).unwrap();
    assert_eq!(summary["best_epoch"], best_of(&bench, "best")["epoch"]);
    let last: Value = serde_json::from_slice(&bench.read("last/summary.json")).unwrap();
    assert_eq!(last["best_epoch"], 6);
}

#[test]
fn the_kept_average_is_the_one_that_was_validated() {
    let bench = Bench::new();
    // The best epoch should not be the last (with these settings it is the fourth): steps after it must not change what
    // is kept, the statistics of batch norm among it.
    bench.write(
        "averaged.json",
        r#"{
          "data": {"kind": "glyphs", "train": 1440, "valid": 360, "test": 360,
                   "normalize": {"mean": [1.0], "std": [0.5]}},
          "model": {"kind": "cnn", "channels": [4, 8], "hidden": 64, "dropout": 0},
          "optimizer": {"kind": "adam", "lr": 0.02},
          "training": {"epochs": 6, "batch_size": 48, "ema": 0.9}
        }"#,
    );
    bench.output("train averaged.json --run-dir run");
    let validated = best_of(&bench, "run")["valid"].clone();
    let evaluated = bench.json("eval run --split valid --json");
    for measure in ["accuracy", "loss"] {
        let [kept, then] = [&evaluated, &validated].map(|of| of[measure].as_f64().unwrap());
        assert!((kept - then).abs() < 1e-3, "{measure}: {kept}, not {then}");
    }
}

#[test]
fn balanced_class_weights_learn_a_rare_class_that_equal_ones_ignore() {
    let bench = Bench::new();
    // Two classes that can't be told apart, nine of the one for each of the other.
    let grey = image::GrayImage::from_pixel(8, 8, image::Luma([128]));
    for (class, count) in [("common", 90), ("rare", 10)] {
        for part in ["train", "valid"] {
            for index in 0..count {
                let path = bench.path(&format!("set/{part}/{class}/{index}.png"));
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                grey.save(path).unwrap();
            }
        }
    }
    bench.write(
        "set.json",
        r#"{"data": {"kind": "image_folder", "folder": "set", "height": 8, "width": 8},
            "model": {"kind": "mlp", "hidden": []}, "optimizer": {"kind": "adam", "lr": 0.05},
            "training": {"epochs": 30, "batch_size": 200, "keep": "last"}}"#,
    );
    let share_of_rare = |weights: &str| {
        bench
            .kiln(&format!(
                "train set.json --run-dir {weights} --set loss.class_weights={weights}"
            ))
            .env("KILN_DATA", bench.path("."))
            .assert()
            .success();
        let guesses = bench.json(&format!(
            "predict {weights} set/train/rare/0.png --top-k 2 --json"
        ));
        let guesses = guesses[0]["guesses"].as_array().unwrap().clone();
        let rare = guesses
            .iter()
            .find(|guess| guess["class"] == "rare")
            .unwrap();
        rare["confidence"].as_f64().unwrap()
    };
    assert!((share_of_rare("equal") - 0.1).abs() < 0.02);
    assert!((share_of_rare("balanced") - 0.5).abs() < 0.02);
}
