//! What a user may rely on when the binary trains: the run directory, the same bits, the exit codes, what is said where.

mod common;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{Bench, SMALL};
use predicates::prelude::*;
use serde_json::Value;

const RUN_FILES: [&str; 6] = [
    "config.json",
    "metrics.jsonl",
    "timing.jsonl",
    "summary.json",
    "model.safetensors",
    "report.html",
];

/// A bench with a finished small run in `run/`.
fn trained() -> Bench {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    bench.output("train small.json --run-dir run");
    bench
}

/// Two runs of a bench left the same weights and the same history.
fn assert_same_bytes(bench: &Bench, first: &str, second: &str) {
    for name in ["model.safetensors", "metrics.jsonl"] {
        let of = |run: &str| bench.read(&format!("{run}/{name}"));
        assert!(
            of(first) == of(second),
            "{name} of {first} and {second} differ"
        );
    }
}

#[test]
fn a_run_leaves_every_file_that_it_promises_and_tells_what_to_do_next() {
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
fn run_directories_are_numbered_and_never_used_twice() {
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
fn the_same_config_gives_the_same_bytes() {
    let bench = trained();
    bench.output("train small.json --run-dir again");
    for name in [
        "model.safetensors",
        "metrics.jsonl",
        "summary.json",
        "config.json",
    ] {
        let (first, second) = (
            bench.read(&format!("run/{name}")),
            bench.read(&format!("again/{name}")),
        );
        assert!(first == second, "{name} differs");
    }
}

#[test]
fn the_number_of_threads_does_not_change_the_bytes() {
    let bench = trained();
    bench
        .kiln("train small.json --run-dir alone")
        .env("RAYON_NUM_THREADS", "1")
        .assert()
        .success();
    assert_same_bytes(&bench, "run", "alone");
}

#[test]
fn a_convolutional_run_with_augmentation_and_dropout_gives_the_same_bytes() {
    let bench = Bench::new();
    bench.write(
        "cnn.json",
        r#"{
          "data": {"kind": "glyphs", "train": 288, "valid": 72, "test": 72,
                   "augment": {"rotate": 5, "elastic": 1, "stroke": 0.5, "erase": 0.3, "erase_size": 0.3}},
          "model": {"kind": "cnn", "channels": [4, 8], "hidden": 16},
          "training": {"epochs": 2, "batch_size": 32}
        }"#,
    );
    for run in ["a", "b"] {
        bench.output(&format!("train cnn.json --run-dir {run}"));
    }
    assert_same_bytes(&bench, "a", "b");
    bench
        .kiln("train cnn.json --run-dir alone")
        .env("RAYON_NUM_THREADS", "1")
        .assert()
        .success();
    assert!(bench.read("a/model.safetensors") == bench.read("alone/model.safetensors"));
    bench.output("train cnn.json --run-dir c --set seed=2");
    assert!(bench.read("a/model.safetensors") != bench.read("c/model.safetensors"));
}

#[test]
fn the_config_of_a_run_directory_runs_again_as_it_stands() {
    let bench = trained();
    bench.output("train run/config.json --run-dir again");
    assert!(bench.read("run/model.safetensors") == bench.read("again/model.safetensors"));
    assert!(bench.read("run/config.json") == bench.read("again/config.json"));
    let shown = bench.output("config show small.json");
    assert_eq!(shown.as_bytes(), bench.read("run/config.json"));
}

#[test]
fn eval_gives_what_the_run_wrote_down() {
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

#[test]
fn the_run_hands_on_the_best_epoch_or_the_last_one_as_asked() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    // A learning rate at which validation accuracy goes up and down.
    let shaky = "--set training.epochs=6 --set optimizer.lr=0.05";
    bench.output(&format!("train small.json --run-dir best {shaky}"));
    bench.output(&format!(
        "train small.json --run-dir last {shaky} --set training.keep=last"
    ));
    let summary: Value = serde_json::from_slice(&bench.read("best/summary.json")).unwrap();
    let accuracies: Vec<f64> = String::from_utf8(bench.read("best/metrics.jsonl"))
        .unwrap()
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["valid"]["accuracy"]
                .as_f64()
                .unwrap()
        })
        .collect();
    let best = accuracies.iter().copied().fold(0.0, f64::max);
    let first_best = accuracies.iter().position(|&a| a == best).unwrap() + 1;
    assert_eq!(summary["best_epoch"], first_best);
    let last: Value = serde_json::from_slice(&bench.read("last/summary.json")).unwrap();
    assert_eq!(last["best_epoch"], 6);
}

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
fn a_loss_that_is_no_number_any_more_stops_the_run_with_a_word_on_the_learning_rate() {
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
fn ctrl_c_finishes_the_batch_saves_and_exits_with_130() {
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
        out.contains("first loss") && out.contains("nothing was written"),
        "{out}"
    );
    assert_eq!(bench.listing(), before);
    bench
        .kiln("train small.json --dry-run --set model.classes=10")
        .assert()
        .code(2);
}

#[test]
fn predict_names_the_best_guesses_of_images_of_any_size() {
    let bench = trained();
    bench.output("data page --text X letter.png");
    let guesses = bench.json("predict run letter.png letter.png --top-k 3 --json");
    assert_eq!(guesses.as_array().unwrap().len(), 2);
    let list = guesses[0]["guesses"].as_array().unwrap();
    assert_eq!(list.len(), 3);
    let confidences: Vec<f64> = list
        .iter()
        .map(|g| g["confidence"].as_f64().unwrap())
        .collect();
    assert!(
        confidences.windows(2).all(|pair| pair[0] >= pair[1]),
        "{confidences:?}"
    );
    assert_eq!(guesses[0]["guesses"], guesses[1]["guesses"]);
}

#[test]
fn predict_takes_folders_and_goes_on_after_an_image_that_cannot_be_read() {
    let bench = trained();
    std::fs::create_dir(bench.path("scans")).expect("a folder");
    bench.output("data page --text X scans/a.png");
    bench.output("data page --text Y scans/c.png");
    std::fs::write(bench.path("scans/b.jpg"), "no image").expect("a file");
    std::fs::write(bench.path("scans/notes.txt"), "no image either").expect("a file");
    let outcome = bench.kiln("predict run scans --json").assert().code(1);
    let output = outcome.get_output();
    let guesses: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let images: Vec<&str> = guesses
        .as_array()
        .unwrap()
        .iter()
        .map(|guess| guess["image"].as_str().unwrap())
        .collect();
    assert_eq!(images, ["scans/a.png", "scans/c.png"]);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(complaints.contains("scans/b.jpg"), "{complaints}");
    assert!(
        complaints.contains("1 of 3 images could not be read"),
        "{complaints}"
    );
}

#[test]
fn model_info_counts_the_parameters_of_the_course() {
    let bench = Bench::new();
    let configs = common::repository().join("configs");
    let info = |name: &str| {
        bench.json(&format!(
            "model info {} --json",
            configs.join(name).display()
        ))
    };
    // 1024 x 64 + 64 + 64 x 36 + 36
    assert_eq!(info("nist36_mlp.json")["parameters"], 67_940);
    // Three 3x3 convolutions with biases, their batch norms, 2048 x 256 + 256, 256 x 36 + 36 (as PyTorch counts them).
    let convolutions = (9 * 32 + 32) + (9 * 32 * 64 + 64) + (9 * 64 * 128 + 128);
    let norms = 2 * (32 + 64 + 128);
    let dense = 2048 * 256 + 256 + 256 * 36 + 36;
    assert_eq!(
        info("nist36_cnn.json")["parameters"],
        convolutions + norms + dense
    );
}

#[test]
fn standard_output_carries_results_only() {
    let bench = trained();
    let out = bench.output("train small.json --run-dir other --set training.epochs=1");
    assert!(
        !out.contains("samples/s"),
        "progress belongs on standard error:\n{out}"
    );
    let eval: Result<Value, _> = serde_json::from_str(&bench.output("eval run --json"));
    assert!(eval.is_ok());
    let schema: Result<Value, _> = serde_json::from_str(&bench.output("config schema"));
    assert!(schema.is_ok());
    let devices: Value = bench.json("devices --json");
    assert_eq!(devices[0]["backend"], "flex");
    assert_eq!(devices[0]["available"], true);
}

#[test]
fn every_verb_explains_itself_with_an_example() {
    let bench = Bench::new();
    for verb in [
        "train",
        "sweep",
        "runs list",
        "runs show",
        "runs compare",
        "eval",
        "predict",
        "segment",
        "ocr",
        "data info",
        "data page",
        "config check",
        "config show",
        "config schema",
        "config init",
        "model info",
        "devices",
    ] {
        let help = bench.output(&format!("{verb} --help"));
        assert!(
            help.contains("Example:") && help.contains("kiln "),
            "{verb}:\n{help}"
        );
    }
}

#[test]
fn config_init_gives_a_config_that_is_valid_and_spares_what_is_there() {
    let bench = Bench::new();
    for (data, model) in [
        ("glyphs", "mlp"),
        ("nist36", "cnn"),
        ("image_folder", "cnn"),
    ] {
        bench.output(&format!(
            "config init {data}.json --data {data} --model {model}"
        ));
        bench.output(&format!("config check {data}.json"));
    }
    let before = bench.read("glyphs.json");
    bench.kiln("config init glyphs.json").assert().code(2);
    assert_eq!(bench.read("glyphs.json"), before);
}

#[test]
fn data_info_counts_and_draws() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    let info = bench.json("data info small.json --grid grid.png --json");
    assert!(info.to_string().contains("1440"), "{info}");
    let grid = image::open(bench.path("grid.png")).unwrap();
    assert!(grid.width() > 300 && grid.height() > 300);
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
            .stderr(Stdio::null())
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
    }
    let summary: Value =
        serde_json::from_slice(&bench.read("at_model.safetensors/summary.json")).unwrap();
    assert_eq!(summary["status"], "interrupted");
    assert_eq!(summary["test"], Value::Null, "the test was not finished");
}

#[test]
fn bench_times_both_kinds_of_operators_and_counts_their_work() {
    let bench = Bench::new();
    bench.write(
        "small.json",
        r#"{"data": {"kind": "glyphs", "size": 16}, "model": {"kind": "cnn", "channels": [4, 8], "hidden": 16}}"#,
    );
    for operators in ["kiln", "burn"] {
        let text = bench.output(&format!(
            "bench small.json --mode train --batch 8 --json --operators {operators}"
        ));
        let timing: Value = serde_json::from_str(&text).expect("a line of JSON");
        let number = |key: &str| {
            timing[key]
                .as_f64()
                .unwrap_or_else(|| panic!("{key}: {text}"))
        };
        assert!(number("ms_per_step") > 0.0 && number("machine_gflops") > 0.0);
        // By hand: 9 x 4 x 16 x 16 and 9 x 4 x 8 x 8 x 8 for the convolutions, 128 x 16 and 16 x 36 behind them; forward,
        // and twice that backward but for the first layer's input.
        let (first, rest) = (9 * 4 * 256, 9 * 32 * 64 + 128 * 16 + 16 * 36);
        let per_sample = 2.0 * (3.0 * f64::from(first + rest) - f64::from(first));
        let expected = per_sample * number("samples_per_s") / 1e9;
        assert!((number("gflops") / expected - 1.0).abs() < 1e-6, "{text}");
    }
}

#[test]
fn a_network_that_shares_its_steps_among_threads_gives_the_same_bytes_on_any_number_of_them() {
    let bench = Bench::new();
    // Steps as large as those of the recipes, which move between the threads.
    bench.write(
        "cnn.json",
        r#"{"data": {"kind": "glyphs", "train": 160, "valid": 72, "test": 36}, "model": {"kind": "cnn"},
            "training": {"epochs": 2, "batch_size": 32}}"#,
    );
    for threads in ["1", "2", "2", "7"] {
        let run = format!("run-{threads}");
        let _ = std::fs::remove_dir_all(bench.path(&run));
        let mut command = bench.kiln(&format!("train cnn.json --run-dir {run}"));
        command.env("RAYON_NUM_THREADS", threads).assert().success();
        assert_same_bytes(&bench, "run-1", &run);
    }
}

#[test]
fn a_network_that_breaks_stops_the_run_and_says_so() {
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

#[test]
fn averaged_weights_are_kept_as_they_were_validated() {
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
    let validated = bench
        .read("run/metrics.jsonl")
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .map(|line| line["valid"].clone())
        // The earliest of equals.
        .reduce(|best, next| {
            let accuracy = |of: &Value| of["accuracy"].as_f64().unwrap();
            if accuracy(&next) > accuracy(&best) {
                next
            } else {
                best
            }
        })
        .unwrap();
    let evaluated = bench.json("eval run --split valid --json");
    for measure in ["accuracy", "loss"] {
        let [kept, then] = [&evaluated, &validated].map(|of| of[measure].as_f64().unwrap());
        assert!((kept - then).abs() < 1e-3, "{measure}: {kept}, not {then}");
    }
}

#[test]
fn balanced_classes_learn_a_rare_class_that_equal_samples_would_give_up() {
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
