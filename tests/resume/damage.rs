//! Damaged checkpoints and full disks.

use kiln::run_dir::RunDir;
use kiln::training::checkpoint;
use predicates::prelude::*;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{assert_same, bench_with, checkpoint_file, copy_folder, kiln, mlp, train};
use crate::common::{Bench, Mounted};

#[test]
fn a_checkpoint_damaged_in_any_block_is_refused_and_the_one_before_is_used() {
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
fn an_inconsistent_checkpoint_with_a_valid_checksum_is_refused_without_a_panic() {
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
fn a_full_disk_stops_the_run_with_one_line_and_it_resumes_once_there_is_room() {
    let bench = bench_with(&mlp());
    // Room for the first checkpoints (about 120 kB each), not for all that are kept.
    let disk = Mounted::new(&bench, 300);
    assert_fails_with(
        &bench,
        "train config.json --run-dir disk/run",
        "disk is full",
    );
    let run = RunDir::open(&bench.path("disk/run")).unwrap();
    let epochs = checkpoint::epochs(&run);
    assert!(!epochs.is_empty() && epochs.len() < 5, "{epochs:?}");
    for epoch in epochs {
        checkpoint::read(&checkpoint::path_of(&run, epoch)).expect("a whole one");
    }
    assert_fails_with(&bench, "train --resume disk/run", "disk is full");
    assert!(disk.mount("remount,size=32m"));
    train(&bench, "--resume disk/run");
    assert_same(&bench, "disk/run");
}

#[test]
#[cfg_attr(not(kiln_may_mount), ignore = "needs the right to mount a file system")]
fn a_read_only_folder_is_refused_in_one_line() {
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
