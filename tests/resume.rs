//! What a user may rely on when a run is broken off: it goes on as if it had never stopped, and nothing that is damaged or in
//! use is trusted.
//!
//! `KILN_KILLS=100` kills that many times instead of a few; the moments are drawn from a fixed seed, which is printed.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::Bench;
use kiln::rng;
use kiln::run_dir::RunDir;
use kiln::training::checkpoint;
use predicates::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// What a run that went on and one that never stopped must have in common, byte for byte.
const SAME: [&str; 4] = [
    "model.safetensors",
    "metrics.jsonl",
    "summary.json",
    "config.json",
];

/// Seed of the moments at which runs are killed.
const SEED: u64 = 7;

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

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match from.is_dir() {
            true => copy_folder(&from, &to),
            false => drop(std::fs::copy(from, to).unwrap()),
        }
    }
}

/// Stops after 2 epochs and goes on; goes back to the last epoch but one and goes on, on another number of threads.
fn assert_goes_on_exactly(config: &Value) {
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
fn a_perceptron_that_goes_on_gives_the_bytes_of_one_that_never_stopped() {
    assert_goes_on_exactly(&mlp());
}

#[test]
fn a_convolutional_network_that_goes_on_gives_the_bytes_of_one_that_never_stopped() {
    assert_goes_on_exactly(&cnn());
}

#[test]
fn an_autoencoder_that_goes_on_gives_the_bytes_of_one_that_never_stopped() {
    assert_goes_on_exactly(&autoencoder());
}

#[test]
fn a_frozen_squeezenet_that_goes_on_gives_the_bytes_of_one_that_never_stopped() {
    assert_goes_on_exactly(&squeezenet());
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

/// What became of the kills of a test.
#[derive(Debug, Default)]
struct Tally {
    kills: usize,
    before_the_folder_was_there: usize,
    before_the_first_checkpoint: usize,
    after_a_checkpoint: usize,
    checkpoints_read: usize,
    runs_compared: usize,
}

/// How often to kill.
fn kills(by_default: usize) -> usize {
    let wanted = std::env::var("KILN_KILLS").ok();
    wanted.map_or(by_default, |count| {
        count.parse().expect("KILN_KILLS is a number")
    })
}

/// Kills a run at random moments, resuming it each time, until it has come to its end, and again until there were `kills`.
/// After each kill every checkpoint must be whole and say of its epochs what the unbroken run says.
fn killed_and_resumed(config: &Value, kills: usize) -> Tally {
    let bench = Bench::new();
    if config["data"]["kind"] == "image_folder" {
        write_photographs(&bench);
    }
    bench.write("config.json", config.to_string());
    let began = Instant::now();
    train(&bench, "config.json --run-dir straight");
    // Most are killed more than once; what is left to do after the last kills also shows whether the end may be interrupted.
    let longest = began.elapsed().as_secs_f32() * 0.8;
    let history = String::from_utf8(bench.read("straight/metrics.jsonl")).unwrap();
    let mut rng = rng::seeded(&[SEED, kills as u64]);
    let mut tally = Tally::default();
    while tally.kills < kills {
        let run = format!("run-{}", tally.runs_compared);
        while tally.kills < kills {
            let mut child = spawn(&bench, &begin_or_resume(&bench, &run));
            std::thread::sleep(Duration::from_secs_f32(rng::uniform(&mut rng) * longest));
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success(), "{run}: {status}");
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            tally.kills += 1;
            inspect(&bench.path(&run), &history, &mut tally);
        }
        let mut last = spawn(&bench, &begin_or_resume(&bench, &run));
        let status = last.wait().unwrap();
        assert!(status.success(), "{run} can't be resumed: {status}");
        assert_same(&bench, &run);
        tally.runs_compared += 1;
    }
    eprintln!("seed {SEED}: {tally:?}");
    tally
}

fn begin_or_resume(bench: &Bench, run: &str) -> String {
    match bench.path(run).exists() {
        true => format!("train --resume {run}"),
        false => format!("train config.json --run-dir {run}"),
    }
}

/// Holds what a kill has left against the history of the unbroken run.
fn inspect(run: &Path, history: &str, tally: &mut Tally) {
    let Ok(run) = RunDir::open(run) else {
        assert!(!run.exists(), "{}: there without a config", run.display());
        tally.before_the_folder_was_there += 1;
        return;
    };
    let epochs = checkpoint::epochs(&run);
    match epochs.is_empty() {
        true => tally.before_the_first_checkpoint += 1,
        false => tally.after_a_checkpoint += 1,
    }
    for epoch in epochs {
        let found = checkpoint::read(&checkpoint::path_of(&run, epoch)).expect("a whole one");
        let lines = found.header.progress.epochs.iter();
        let lines: String = lines
            .map(|record| serde_json::to_string(record).unwrap() + "\n")
            .collect();
        assert_eq!(found.epoch(), epoch);
        assert!(history.starts_with(&lines), "epoch {epoch} differs");
        tally.checkpoints_read += 1;
    }
}

#[test]
fn a_run_that_is_killed_at_any_moment_can_be_resumed_and_gives_the_same_bytes() {
    let mut config = mlp();
    config["training"]["epochs"] = json!(20);
    let tally = killed_and_resumed(&config, kills(20));
    assert!(
        tally.after_a_checkpoint > 0 && tally.checkpoints_read > 0,
        "{tally:?}"
    );
}

#[test]
fn every_kind_of_network_survives_kills() {
    for config in [cnn(), autoencoder(), squeezenet()] {
        killed_and_resumed(&config, kills(3));
    }
}

#[test]
fn ctrl_c_leaves_a_run_that_goes_on_exactly() {
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

fn wait_for(path: &Path) {
    let began = Instant::now();
    while std::fs::metadata(path).map_or(0, |file| file.len()) == 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "{path:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What a second Ctrl-C in the first epoch leaves, and a copy that leaves empty folders out.
#[test]
fn a_run_without_a_completed_epoch_begins_again() {
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

#[test]
fn what_would_change_the_result_is_refused_by_name() {
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
        .stderr(predicate::str::contains("not a run directory"));
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
fn a_run_does_not_go_on_with_other_data() {
    let bench = Bench::new();
    write_photographs(&bench);
    let mut config = squeezenet();
    config["training"]["epochs"] = json!(1);
    bench.write("config.json", config.to_string());
    train(&bench, "config.json --run-dir run");
    std::fs::remove_file(bench.path("set/train/class1/3.png")).unwrap();
    kiln(&bench, "train --resume run --set training.epochs=2")
        .assert()
        .code(2)
        .stderr(predicate::str::contains("the data has changed"));
}

/// The path of an epoch's checkpoint.
fn checkpoint_file(bench: &Bench, run: &str, epoch: usize) -> PathBuf {
    checkpoint::path_of(&RunDir::open(&bench.path(run)).unwrap(), epoch)
}

#[test]
fn a_damaged_checkpoint_is_refused_whichever_block_it_is_and_the_one_before_is_taken() {
    let bench = bench_with(&mlp());
    copy_folder(&bench.path("straight"), &bench.path("run"));
    let path = checkpoint_file(&bench, "run", 5);
    let whole = std::fs::read(&path).unwrap();
    let blocks = whole.len().div_ceil(1024);
    for block in 0..blocks {
        let mut damaged = whole.clone();
        let at = (block * 1024 + (block * 37) % 1024).min(whole.len() - 1);
        damaged[at] ^= 1 << (block % 8);
        std::fs::write(&path, &damaged).unwrap();
        let error = checkpoint::read(&path).expect_err("damaged");
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
        std::fs::write(&path, &whole[..block * 1024]).unwrap();
        checkpoint::read(&path).expect_err("cut off");
    }
    eprintln!("{blocks} blocks flipped, {blocks} cuts, all refused");
    let err = train(&bench, "--resume run");
    assert!(err.contains("epoch-5.ckpt: not a checkpoint"), "{err}");
    assert!(err.contains("4 of 5 epochs are done"), "{err}");
    assert_same(&bench, "run");

    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    kiln(&bench, "train --resume run@5")
        .assert()
        .code(1)
        .stderr(predicate::str::contains("usable checkpoints: epoch"));
    for epoch in 1..=5 {
        let path = checkpoint_file(&bench, "run", epoch);
        if path.exists() {
            std::fs::write(path, &whole[..100]).unwrap();
        }
    }
    let before = bench.read("run/model.safetensors");
    kiln(&bench, "train --resume run")
        .assert()
        .code(1)
        .stderr(predicate::str::contains("starts over"));
    assert_eq!(bench.read("run/model.safetensors"), before);
}

/// A file with the checksum that it should have.
fn sealed(content: &[u8]) -> Vec<u8> {
    [content, &Sha256::digest(content)[..]].concat()
}

#[test]
fn a_checkpoint_that_lies_about_itself_under_a_good_checksum_is_refused_without_a_panic() {
    let mut config = mlp();
    config["training"]["epochs"] = json!(1);
    let bench = bench_with(&config);
    let path = checkpoint_file(&bench, "straight", 1);
    let whole = std::fs::read(&path).unwrap();
    let whole = &whole[..whole.len() - 32];
    let (magic, rest) = whole.split_at(b"kiln checkpoint 1\n".len());
    let (length, rest) = rest.split_first_chunk::<8>().unwrap();
    let (header, parts) = rest.split_at(usize::try_from(u64::from_le_bytes(*length)).unwrap());
    let with = |length: u64, header: &[u8], parts: &[u8]| {
        sealed(&[magic, &length.to_le_bytes(), header, parts].concat())
    };
    let with_header = |header: &str| with(header.len() as u64, header.as_bytes(), parts);
    let text = std::str::from_utf8(header).unwrap();
    let lies = [
        sealed(b""),
        sealed(magic),
        with(u64::MAX, header, parts),
        with(header.len() as u64 - 1, header, parts),
        with(header.len() as u64, header, &parts[..parts.len() - 1]),
        with_header(&"[".repeat(100_000)),
        with_header(&text.replace("[\"model\",", "[\"other\",")),
        with_header(&text.replace("[\"model\",", "[\"model\",1")),
        with_header(&text.replace("\"epoch\":1", "\"epoch\":2")),
        with_header(&text.replace("\"best\":[1,", "\"best\":[9,")),
    ];
    for (index, lie) in lies.iter().enumerate() {
        std::fs::write(&path, lie).unwrap();
        let error = checkpoint::read(&path).expect_err(&format!("lie {index}"));
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
    // Burn's own headers, bit by bit: some changes are harmless, none may be more than an error.
    let model = 300.min(parts.len());
    for at in 0..model {
        let mut parts = parts.to_vec();
        parts[at] ^= 0x81;
        std::fs::write(&path, with(header.len() as u64, header, &parts)).unwrap();
        let _ = checkpoint::read(&path);
    }
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

/// A small file system of its own, unmounted when the value is dropped.
struct Mounted {
    folder: PathBuf,
}

impl Mounted {
    fn new(bench: &Bench, kilobytes: usize) -> Self {
        let folder = bench.path("disk");
        std::fs::create_dir(&folder).unwrap();
        let mounted = Self { folder };
        assert!(mounted.mount(&format!("size={kilobytes}k")), "can't mount");
        mounted
    }

    fn mount(&self, options: &str) -> bool {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]);
        mount.arg(&self.folder).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.folder).status();
    }
}

/// Runs `kiln`, which must fail with one line that holds a text.
fn assert_fails_with(bench: &Bench, arguments: &str, text: &str) {
    let output = kiln(bench, arguments).assert().code(1).get_output().clone();
    let err = String::from_utf8(output.stderr).unwrap();
    let errors: Vec<&str> = err.lines().filter(|line| line.contains("error:")).collect();
    assert_eq!(errors.len(), 1, "{err}");
    assert!(errors[0].to_lowercase().contains(text), "{err}");
    assert!(!err.contains("panicked"), "{err}");
}

#[test]
#[cfg_attr(not(kiln_may_mount), ignore = "needs the right to mount a file system")]
fn a_full_disk_stops_the_run_with_one_line_and_room_lets_it_go_on() {
    let bench = bench_with(&mlp());
    // Room for the first checkpoints (about 120 kB each), not for all that are kept.
    let disk = Mounted::new(&bench, 300);
    assert_fails_with(&bench, "train config.json --run-dir disk/run", "space");
    let run = RunDir::open(&bench.path("disk/run")).unwrap();
    let epochs = checkpoint::epochs(&run);
    assert!(!epochs.is_empty() && epochs.len() < 5, "{epochs:?}");
    for epoch in epochs {
        checkpoint::read(&checkpoint::path_of(&run, epoch)).expect("a whole one");
    }
    assert_fails_with(&bench, "train --resume disk/run", "space");
    assert!(disk.mount("remount,size=32m"));
    train(&bench, "--resume disk/run");
    assert_same(&bench, "disk/run");
}

#[test]
#[cfg_attr(not(kiln_may_mount), ignore = "needs the right to mount a file system")]
fn a_folder_that_may_not_be_written_is_refused_in_one_line() {
    let mut config = mlp();
    config["training"]["epochs"] = json!(2);
    let bench = bench_with(&config);
    let disk = Mounted::new(&bench, 4096);
    copy_folder(&bench.path("straight"), &bench.path("disk/run"));
    assert!(disk.mount("remount,ro"));
    for arguments in [
        "train config.json --run-dir disk/new",
        "train config.json --run-dir disk/new --dry-run",
        "train --resume disk/run --set training.epochs=3",
    ] {
        assert_fails_with(&bench, arguments, "read-only");
    }
    assert_same(&bench, "disk/run");
}

#[test]
fn a_dry_run_tells_parameters_memory_and_time_and_fails_as_the_run_would() {
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
            "first loss",
            "kB for weights",
            "epoch       about",
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
fn a_loss_that_is_no_number_is_told_with_its_step_and_the_largest_gradient() {
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
