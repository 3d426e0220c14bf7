//! Limits of memory and threads: one line that says what could not be had, and exit code 1.

use std::process::{Command, Output, Stdio};

use super::watched::end_of;
use crate::common::Bench;

const CNN: &str = r#"{
  "data": {"kind": "glyphs", "train": 360, "valid": 72, "test": 72},
  "model": {"kind": "cnn"},
  "training": {"epochs": 1, "batch_size": 36}
}"#;

/// Runs `kiln` under a limit of address space.
fn limited(bench: &Bench, kilobytes: u64, arguments: &str, stack: Option<u64>) -> Output {
    let mut command = Command::new("sh");
    command
        .current_dir(bench.folder.path())
        .args(["-c", "ulimit -v \"$1\"; shift; exec \"$0\" \"$@\""])
        .args([env!("CARGO_BIN_EXE_kiln"), &kilobytes.to_string()])
        .args(arguments.split_whitespace())
        .env_remove("RUST_BACKTRACE")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(bytes) = stack {
        command.env("RUST_MIN_STACK", bytes.to_string());
    }
    let mut child = command.spawn().unwrap();
    // Little enough is printed to fit into the pipes.
    end_of(&mut child);
    child.wait_with_output().unwrap()
}

/// The line of an error, which must be the only one of its kind.
fn error_line(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{:?}: {text}", output.status);
    let errors: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    assert_eq!(errors.len(), 1, "{text}");
    assert!(text.ends_with(&format!("{}\n", errors[0])), "{text}");
    for unwanted in ["panicked", "memory allocation", "RUST_BACKTRACE"] {
        assert!(!text.contains(unwanted), "{text}");
    }
    errors[0].to_string()
}

#[test]
fn a_limit_of_address_space_gives_a_result_or_one_line() {
    let bench = Bench::new();
    bench.write("cnn.json", CNN);
    let (mut refused, mut trained) = (0, 0);
    for step in 1..=20 {
        let kilobytes = 30_000 * step;
        // Below, the system can't even load the program.
        if !limited(&bench, kilobytes, "config check cnn.json", None)
            .status
            .success()
        {
            continue;
        }
        let output = limited(
            &bench,
            kilobytes,
            &format!("train cnn.json --run-dir run{step}"),
            None,
        );
        if output.status.success() {
            trained += 1;
            continue;
        }
        let line = error_line(&output);
        assert!(
            line.contains("out of memory") || line.contains("thread"),
            "{kilobytes}: {line}"
        );
        refused += 1;
    }
    assert!(
        refused > 0 && trained > 0,
        "{refused} refused, {trained} trained"
    );
}

#[test]
fn threads_that_can_not_be_started_are_named_before_anything_is_written() {
    let bench = Bench::new();
    bench.write("cnn.json", CNN);
    // Stacks of 8 GiB do not fit into 4.
    let output = limited(
        &bench,
        4_000_000,
        "train cnn.json --run-dir run",
        Some(8 << 30),
    );
    let line = error_line(&output);
    assert!(
        line.contains("threads") && line.contains("ulimit -u"),
        "{line}"
    );
    assert!(!bench.path("run").exists());
}
