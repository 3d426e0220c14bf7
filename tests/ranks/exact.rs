//! Runs of several processes against runs of one, and against themselves.

use serde_json::{Value, json};

use crate::common::Bench;
use crate::mlp;
use crate::processes::{assert_same, bench_with, difference, losses, mpiexec, train, trained};

fn autoencoder() -> Value {
    json!({
        "data": {"kind": "glyphs", "size": 16, "train": 288, "valid": 72, "test": 36},
        "model": {"kind": "autoencoder", "hidden": [16, 8, 16]},
        "optimizer": {"kind": "sgd", "lr": 0.01, "momentum": 0.9},
        "training": {"epochs": 5, "batch_size": 36, "reshuffle": false},
    })
}

/// With batch norms, dropout, augmentation, a running average of the weights, a frozen part and clipped gradients.
fn cnn() -> Value {
    json!({
        "data": {"kind": "glyphs", "size": 16, "train": 720, "valid": 72, "test": 36,
                 "augment": {"rotate": 5, "elastic": 1, "stroke": 0.5},
                 "normalize": {"mean": [1.0], "std": [0.5]}},
        "model": {"kind": "cnn", "channels": [8, 16], "hidden": 32, "dropout": 0.1},
        "optimizer": {"kind": "sgd", "lr": 0.05, "momentum": 0.9, "clip_norm": 1.0},
        "parameters": [{"names": "blocks.0.*", "frozen": true, "unfreeze_at": 3}],
        "training": {"epochs": 5, "batch_size": 40, "ema": 0.9},
    })
}

/// The relative difference of losses that is left to rounding.
const ROUNDING: f64 = 1e-6;

/// Trains in one process, in two and in three, each of the latter twice; returns the bench with the runs `one`, `two` and `three`.
fn with_one_two_and_three(config: &Value) -> Bench {
    let bench = bench_with(config);
    trained(&bench, "config.json --run-dir one");
    for (ranks, run) in [(2, "two"), (3, "three")] {
        for run in [run, "again"] {
            trained(
                &bench,
                &format!("config.json --run-dir {run} --ranks {ranks}"),
            );
        }
        assert_same(&bench, run, "again");
        std::fs::remove_dir_all(bench.path("again")).unwrap();
        let said = difference(&bench, "one", run);
        eprintln!("{ranks} ranks: losses differ by a fraction of {said:.1e} from those of one");
    }
    bench
}

fn assert_within_rounding(config: &Value) {
    let bench = with_one_two_and_three(config);
    let one = losses(&bench, "one");
    assert!(
        one[one.len() - 1][0] < 0.95 * one[0][0],
        "it learns: {one:?}"
    );
    for run in ["two", "three"] {
        let found = difference(&bench, "one", run);
        assert!(found < ROUNDING, "{run}: {found:e}");
    }
}

#[test]
#[cfg_attr(not(kiln_tool = "mpiexec"), ignore = "needs mpiexec")]
fn perceptrons_of_two_and_three_ranks_have_the_losses_of_one_and_the_same_bytes_every_time() {
    assert_within_rounding(&mlp());
}

#[test]
#[cfg_attr(not(kiln_tool = "mpiexec"), ignore = "needs mpiexec")]
fn autoencoders_of_two_and_three_ranks_have_the_losses_of_one_and_the_same_bytes_every_time() {
    assert_within_rounding(&autoencoder());
}

#[test]
#[cfg_attr(not(kiln_tool = "mpiexec"), ignore = "needs mpiexec")]
fn a_last_batch_that_leaves_ranks_without_samples_counts_as_in_one_process() {
    let mut config = mlp();
    // 720 samples: 719, and one.
    config["training"] = json!({"epochs": 5, "batch_size": 719});
    assert_within_rounding(&config);
}

#[test]
#[cfg_attr(not(kiln_tool = "mpiexec"), ignore = "needs mpiexec")]
fn a_network_with_batch_norms_and_dropout_gives_the_same_bytes_every_time_and_learns() {
    let bench = with_one_two_and_three(&cnn());
    for run in ["one", "two", "three"] {
        let losses = losses(&bench, run);
        assert!(losses[4][0] < 0.9 * losses[0][0], "{run}: {losses:?}");
    }
}

/// Three classes of noise, of which the first has most of the images.
fn write_images(bench: &Bench) {
    for (class, train) in [(0u8, 17usize), (1, 5), (2, 3)] {
        for (part, count) in [("train", train), ("valid", 4)] {
            for index in 0..count {
                let noise = crate::common::noise(256, 100 * usize::from(class) + index);
                let pixels = noise.iter().map(|v| (v * 120.0) as u8 + 60 * class);
                let image = image::GrayImage::from_raw(16, 16, pixels.collect()).unwrap();
                let path = bench.path(&format!("set/{part}/class{class}/{index}.png"));
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                image.save(path).unwrap();
            }
        }
    }
}

#[test]
#[cfg_attr(not(kiln_tool = "mpiexec"), ignore = "needs mpiexec")]
fn weighted_classes_weigh_the_same_whatever_rank_they_are_on() {
    for reduction in ["mean", "sum"] {
        let bench = bench_with(&json!({
            "data": {"kind": "image_folder", "folder": "set", "height": 16, "width": 16, "channels": 1},
            "model": {"kind": "mlp", "hidden": [8], "activation": "relu"},
            "loss": {"class_weights": "balanced", "label_smoothing": 0.1, "reduction": reduction},
            "optimizer": {"kind": "sgd", "lr": 0.002, "momentum": 0.9},
            "training": {"epochs": 5, "batch_size": 8},
        }));
        write_images(&bench);
        for (run, ranks) in [("one", 1), ("two", 2), ("three", 3)] {
            let arguments = format!("train config.json --run-dir {run} --ranks {ranks}");
            let mut command = bench.kiln(&arguments);
            command.env("KILN_DATA", bench.path(".")).assert().success();
        }
        for run in ["two", "three"] {
            let found = difference(&bench, "one", run);
            eprintln!("{reduction}, {run}: {found:.1e}");
            assert!(found < ROUNDING, "{reduction}, {run}: {found:e}");
        }
    }
}

#[test]
#[cfg_attr(not(kiln_tool = "mpiexec"), ignore = "needs mpiexec")]
fn a_resumed_run_of_two_ranks_gives_the_bytes_of_one_that_never_stopped() {
    for config in [mlp(), cnn()] {
        let bench = bench_with(&config);
        trained(&bench, "config.json --run-dir straight --ranks 2");
        trained(
            &bench,
            "config.json --run-dir parts --ranks 2 --set training.epochs=2",
        );
        let other = train(&bench, "--resume parts --ranks 3 --set training.epochs=5");
        assert_eq!(other.code, Some(2), "{}", other.err);
        let expected = "error: --resume: parallel.ranks: the run is one of 2 processes, and with 3 the result would differ";
        assert!(other.err.contains(expected), "{}", other.err);
        assert_eq!(other.errors().len(), 1, "{}", other.err);
        // Without --ranks: as many as the run has had.
        trained(&bench, "--resume parts --set training.epochs=5");
        assert_same(&bench, "straight", "parts");
    }
}

#[test]
#[cfg_attr(not(kiln_tool = "mpiexec"), ignore = "needs mpiexec")]
fn processes_that_mpiexec_starts_are_one_run() {
    let bench = bench_with(&mlp());
    trained(&bench, "config.json --run-dir straight --ranks 2");
    let started = mpiexec(&bench, "-n 2 PROGRAM train config.json --run-dir run");
    assert_eq!(started.code, Some(0), "{}", started.err);
    assert_same(&bench, "straight", "run");
    let resumed = mpiexec(&bench, "-n 2 PROGRAM train --resume run");
    assert_eq!(resumed.code, Some(0), "{}", resumed.err);
    assert_same(&bench, "straight", "run");
    // All say the same, and one of them prints it.
    let refused = mpiexec(
        &bench,
        "-n 2 PROGRAM train config.json --run-dir other --set parallel.ranks=4",
    );
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    let expected = "error: parallel.ranks: found 4, but 2 processes were started";
    assert!(refused.err.contains(expected), "{}", refused.err);
    assert_eq!(refused.errors().len(), 1, "{}", refused.err);
    assert!(!bench.path("other").exists());
}

#[test]
#[cfg_attr(not(kiln_tool = "mpiexec"), ignore = "needs mpiexec")]
fn a_share_that_is_computed_in_parts_gives_the_losses_of_the_whole_batch() {
    let mut config = mlp();
    config["loss"] = json!({"label_smoothing": 0.1});
    // 720 samples: the last batch has 20, of which some parts of 3 x 8 get none.
    config["training"]["batch_size"] = json!(100);
    let bench = bench_with(&config);
    trained(&bench, "config.json --run-dir one");
    for (run, ranks, parts) in [("parts", 1, 4), ("ranks", 3, 8), ("again", 3, 8)] {
        trained(
            &bench,
            &format!(
                "config.json --run-dir {run} --ranks {ranks} --set parallel.accumulate={parts}"
            ),
        );
        let found = difference(&bench, "one", run);
        eprintln!("{run}: {found:.1e}");
        assert!(found < ROUNDING, "{run}: {found:e}");
    }
    assert_same(&bench, "ranks", "again");
    let refused = train(&bench, "config.json --ranks 3 --set parallel.accumulate=34");
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    let expected = "parallel.accumulate: found 34, must be at most 33: training.batch_size (100) is divided among 3 ranks";
    assert!(refused.err.contains(expected), "{}", refused.err);
}

#[test]
#[cfg_attr(not(kiln_tool = "mpiexec"), ignore = "needs mpiexec")]
fn a_scaled_learning_rate_is_the_product_of_rate_ranks_and_parts_or_of_its_root() {
    let bench = bench_with(&mlp());
    let run = |name: &str, lr: f64, scaling: &str| {
        let settings = format!("--set parallel.lr_scaling={scaling} --set parallel.accumulate=2");
        let lr = format!("--set optimizer.lr={lr} --set training.epochs=2");
        trained(
            &bench,
            &format!("config.json --run-dir {name} --ranks 2 {settings} {lr}"),
        );
        bench.read(&format!("{name}/metrics.jsonl"))
    };
    let plain = run("plain", 0.004, "none");
    assert!(run("linear", 0.001, "linear") == plain);
    assert!(run("sqrt", 0.002, "sqrt") == plain);
}
