//! The same config gives the same bytes, on any number of threads.

use super::trained;
use crate::common::Bench;

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
fn the_config_of_a_run_directory_can_be_trained_again_unchanged() {
    let bench = trained();
    bench.output("train run/config.json --run-dir again");
    assert!(bench.read("run/model.safetensors") == bench.read("again/model.safetensors"));
    assert!(bench.read("run/config.json") == bench.read("again/config.json"));
    let shown = bench.output("config show small.json");
    assert_eq!(shown.as_bytes(), bench.read("run/config.json"));
}

#[test]
fn a_network_that_is_trained_in_the_thread_pool_gives_the_same_bytes_on_any_number_of_threads() {
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
