//! Runs with a cache, alone and beside each other.

use crate::common::Bench;
use crate::support::{TRAIN, entries, photographs};

/// A run on photographs.
pub fn bench() -> Bench {
    let bench = Bench::new();
    photographs(&bench.path("photographs"));
    let config = serde_json::json!({
        "data": {
            "kind": "image_folder", "folder": bench.path("photographs"), "channels": 3, "height": 24, "width": 24,
            "fit": "crop", "centre": 0.875, "random_crop": {},
            "augment": {"flip": 0.5, "brightness": 0.4, "saturation": 0.4},
        },
        "model": {"kind": "cnn", "channels": [4]},
        "training": {"epochs": 2, "batch_size": 2},
    });
    bench.write("config.json", config.to_string());
    bench
}

#[test]
fn a_run_is_the_same_with_any_cache_and_any_number_of_threads() {
    let bench = bench();
    let cache = format!("--set data.cache={}", bench.path("cache").display());
    let none = "--set data.memory_mb=0";
    for (name, threads, options) in [
        ("none", 1, none.to_string()),
        ("memory", 7, String::new()),
        ("cold", 2, format!("{cache} {none}")),
        ("warm", 3, format!("{cache} {none}")),
        ("both", 7, cache.clone()),
    ] {
        bench
            .kiln(&format!("train config.json --run-dir {name} {options}"))
            .env("RAYON_NUM_THREADS", threads.to_string())
            .assert()
            .success();
    }
    assert_eq!(entries(&bench.path("cache")).len(), TRAIN + 2);
    for file in ["model.safetensors", "metrics.jsonl"] {
        let expected = bench.read(&format!("none/{file}"));
        for other in ["memory", "cold", "warm", "both"] {
            assert!(
                bench.read(&format!("{other}/{file}")) == expected,
                "{other} {file}"
            );
        }
    }
    // The keys are in the config of a run that has them, and in no other.
    let config =
        |name: &str| String::from_utf8(bench.read(&format!("{name}/config.json"))).unwrap();
    assert!(config("cold").contains("\"cache\""));
    assert!(!config("none").contains("cache"));
}

#[test]
fn two_processes_share_a_cache() {
    let bench = bench();
    let cache = bench.path("cache").display().to_string();
    let command = |name: &str| {
        let line = format!(
            "train config.json --run-dir {name} --set data.memory_mb=0 --set data.cache={cache}"
        );
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kiln"));
        command
            .current_dir(bench.folder.path())
            .args(line.split(' '));
        command
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    };
    let running = ["a", "b", "c"].map(command);
    for process in running {
        let output = process.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
        assert!(!text.contains("warning: cache"), "{text}");
        assert!(text.contains("data: cache "), "{text}");
    }
    let found = entries(&bench.path("cache"));
    assert_eq!(found.len(), TRAIN + 2, "{found:?}");
    for other in ["b", "c"] {
        let [expected, found] =
            ["a", other].map(|name| bench.read(&format!("{name}/model.safetensors")));
        assert!(found == expected, "{other}");
    }
}

#[test]
fn a_run_may_be_resumed_with_another_cache() {
    let bench = bench();
    bench.output("train config.json --run-dir run --set training.epochs=1");
    let cache = bench.path("cache").display().to_string();
    bench.output(&format!(
        "train --resume run --set training.epochs=2 --set data.cache={cache} --set data.cache_mb=100"
    ));
    bench.output("train config.json --run-dir whole");
    assert!(bench.read("run/model.safetensors") == bench.read("whole/model.safetensors"));
    assert_eq!(entries(&bench.path("cache")).len(), TRAIN + 2);
}

#[test]
fn a_limit_without_a_cache_is_refused() {
    let bench = bench();
    for (set, expected) in [
        (
            "data.cache_mb=5",
            "data.cache_mb: has no effect without data.cache",
        ),
        ("data.cache=\"\"", "data.cache: empty"),
    ] {
        let output = bench
            .kiln(&format!("config check config.json --set {set}"))
            .assert()
            .code(2);
        let text = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
        assert!(text.contains(expected), "{text}");
    }
}
