//! Resuming a run: it continues as if it had never stopped, and damaged checkpoints or busy folders are refused.
//!
//! `KILN_KILLS=100` kills that many times instead of a few, at moments drawn from a fixed seed, which is printed.

#[path = "../common/mod.rs"]
mod common;

mod damage;
mod exact;
mod kills;
mod refusals;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::Bench;
use kiln::rng;
use kiln::run_dir::RunDir;
use kiln::training::checkpoint;
use serde_json::{Value, json};

/// What a run that went on and one that never stopped must have in common, byte for byte.
const SAME: [&str; 4] = [
    "model.safetensors",
    "metrics.jsonl",
    "summary.json",
    "config.json",
];

/// A perceptron with Adam, a step schedule, averaged weights and early stopping, which does not stop it.
fn mlp() -> Value {
    json!({
        "data": {"kind": "glyphs", "size": 16, "train": 720, "valid": 180, "test": 72,
                 "normalize": {"mean": [1.0], "std": [0.5]}},
        "model": {"kind": "mlp", "hidden": [24], "activation": "relu"},
        "optimizer": {"kind": "adam_w", "lr": 0.01, "weight_decay": 0.01},
        "schedule": {"kind": "step", "every": 2, "gamma": 0.5},
        "training": {"epochs": 5, "batch_size": 48, "ema": 0.9, "early_stopping": {"patience": 3}},
    })
}

/// A convolutional network with batch norms, dropout, augmentation, gradient clipping and momentum, of which a part is frozen
/// at first and another learns more slowly.
fn cnn() -> Value {
    json!({
        "data": {"kind": "glyphs", "size": 16, "train": 720, "valid": 72, "test": 36,
                 "augment": {"rotate": 5, "elastic": 1, "stroke": 0.5, "erase": 0.3, "erase_size": 0.3},
                 "normalize": {"mean": [1.0], "std": [0.5]}},
        "model": {"kind": "cnn", "channels": [8, 16], "hidden": 32, "dropout": 0.1},
        "optimizer": {"kind": "sgd", "lr": 0.05, "momentum": 0.9, "clip_norm": 1.0},
        "parameters": [{"names": "blocks.0.*", "frozen": true, "unfreeze_at": 3},
                       {"names": "blocks.1.*", "lr_factor": 0.5}],
        "training": {"epochs": 5, "batch_size": 32, "keep": "last"},
    })
}

/// An autoencoder as the course trains it: batches that are drawn once.
fn autoencoder() -> Value {
    json!({
        "data": {"kind": "glyphs", "size": 16, "train": 288, "valid": 72, "test": 36},
        "model": {"kind": "autoencoder", "hidden": [16, 8, 16]},
        "optimizer": {"kind": "sgd", "lr": 0.01, "momentum": 0.9},
        "training": {"epochs": 5, "batch_size": 36, "reshuffle": false},
    })
}

/// SqueezeNet with frozen features and a fresh head, on photographs that are not varied.
fn squeezenet() -> Value {
    json!({
        "data": {"kind": "image_folder", "folder": "set", "height": 48, "width": 48, "channels": 3,
                 "normalize": {"mean": [0.3], "std": [0.05]}},
        "model": {"kind": "squeezenet"},
        "parameters": [{"names": "features.*", "frozen": true}],
        "optimizer": {"kind": "adam", "lr": 0.0005},
        "schedule": {"kind": "step", "every": 2, "gamma": 0.5},
        "training": {"epochs": 5, "batch_size": 8, "keep": "last"},
    })
}

/// Three classes of coloured noise.
fn write_photographs(bench: &Bench) {
    let mut rng = rng::seeded(&[1]);
    for class in 0..3u8 {
        for (part, count) in [("train", 9), ("valid", 4)] {
            for index in 0..count {
                let mut photograph = image::RgbImage::new(48, 48);
                for pixel in photograph.pixels_mut() {
                    let noise = (rng::uniform(&mut rng) * 120.0) as u8;
                    pixel.0 = [noise; 3];
                    pixel.0[usize::from(class)] += 60;
                }
                let path = bench.path(&format!("set/{part}/class{class}/{index}.png"));
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                photograph.save(path).unwrap();
            }
        }
    }
}

/// A bench with a config in `config.json` and an unbroken run of it in `straight/`.
fn bench_with(config: &Value) -> Bench {
    let bench = Bench::new();
    if config["data"]["kind"] == "image_folder" {
        write_photographs(&bench);
    }
    bench.write("config.json", config.to_string());
    train(&bench, "config.json --run-dir straight");
    bench
}

fn kiln(bench: &Bench, arguments: &str) -> assert_cmd::Command {
    let mut command = bench.kiln(arguments);
    command.env("KILN_DATA", bench.path("."));
    command
}

fn train(bench: &Bench, arguments: &str) -> String {
    let mut command = kiln(bench, &format!("train {arguments}"));
    let output = command.assert().success().get_output().clone();
    String::from_utf8(output.stderr).unwrap()
}

/// Fails unless two runs left the same bytes.
fn assert_same(bench: &Bench, run: &str) {
    for name in SAME {
        let of = |run: &str| bench.read(&format!("{run}/{name}"));
        assert!(of("straight") == of(run), "{name} of {run} differs");
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_folder(&from, &to);
        } else {
            std::fs::copy(from, to).unwrap();
        }
    }
}

fn spawn(bench: &Bench, arguments: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_kiln"))
        .current_dir(bench.folder.path())
        .args(arguments.split_whitespace())
        .env("KILN_DATA", bench.path("."))
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn wait_for(path: &Path) {
    let began = Instant::now();
    while std::fs::metadata(path).map_or(0, |file| file.len()) == 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "{path:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The path of an epoch's checkpoint.
fn checkpoint_file(bench: &Bench, run: &str, epoch: usize) -> PathBuf {
    checkpoint::path_of(&RunDir::open(&bench.path(run)).unwrap(), epoch)
}
