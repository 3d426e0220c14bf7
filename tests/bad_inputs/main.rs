//! Bad input gets one clear line that names the file, key or flag, and the right exit code; nothing is written, and it takes less
//! than a gigabyte of memory. `cases` and `command_lines` are the tables, `files` creates the files.

#[path = "../common/mod.rs"]
mod common;

mod cases;
mod command_lines;
mod files;
mod watched;

use std::fmt::Write as _;
use std::path::PathBuf;

use cases::{BRACKETS, CASES};
use command_lines::COMMAND_LINES;
use common::{Bench, SMALL, repository};

/// Maximum memory for a bad input, in bytes.
const MAX_BYTES: u64 = 1 << 30;

/// As messages list them: `"mlp", "cnn", ...`.
fn kinds_of_networks() -> String {
    let kinds = kiln::models::ModelConfig::defaults();
    let quoted: Vec<String> = kinds
        .iter()
        .map(|kind| format!("{:?}", kind.kind()))
        .collect();
    quoted.join(", ")
}

#[test]
fn each_bad_input_gets_one_line_the_right_exit_code_little_memory_and_nothing_is_written() {
    let bench = files::bench();
    let before: Vec<PathBuf> = bench.listing();
    let (mut found, mut most) = (String::new(), (0, ""));
    let cases = || CASES.iter().chain(COMMAND_LINES);
    assert!(cases().count() >= 80, "{} cases", cases().count());
    for case in cases() {
        let name = case.name;
        let arguments = case.arguments.replace(BRACKETS, &"[".repeat(10_000));
        let end = watched::run(&bench, arguments.split_whitespace());
        let err = &end.err;
        let message: Vec<&str> = err
            .lines()
            .filter(|line| !line.starts_with("override"))
            .collect();
        assert_eq!(end.code, Some(case.code), "{name}: {err}");
        assert_eq!(message.len(), 1, "{name}: one line expected, found\n{err}");
        assert!(message[0].starts_with("error: "), "{name}: {err}");
        let halves: Vec<&str> = message[0].split(": ").collect();
        assert!(
            halves.windows(2).all(|pair| pair[0] != pair[1]),
            "{name}: repeats itself: {err}"
        );
        assert!(end.out.is_empty(), "{name}: a failure has no result");
        assert!(end.peak < MAX_BYTES, "{name}: takes {} bytes", end.peak);
        most = most.max((end.peak, name));
        assert_eq!(bench.listing(), before, "{name}: something was written");
        let shown = message[0].replace(&bench.folder.path().display().to_string(), "<folder>");
        let shown = shown.replace(&"[".repeat(10_000), BRACKETS);
        // A new network changes nothing here.
        let shown = shown.replace(&kinds_of_networks(), "<kinds of networks>");
        let (code, typed) = (case.code, case.arguments);
        writeln!(found, "{name}\n  kiln {typed}\n  {code}  {shown}\n").unwrap();
    }
    eprintln!(
        "{} cases; most memory: {} MB, {}",
        cases().count(),
        most.0 / 1_000_000,
        most.1
    );
    compare(&found);
}

/// Compares the messages with the snapshot; `KILN_UPDATE_SNAPSHOTS=1` updates it.
fn compare(found: &str) {
    let path = repository().join("tests/snapshots/bad_inputs.txt");
    if std::env::var_os("KILN_UPDATE_SNAPSHOTS").is_some() {
        return std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let (found, expected) = (found.split("\n\n"), expected.split("\n\n"));
    for (found, expected) in found.clone().zip(expected.clone()) {
        assert_eq!(
            found, expected,
            "KILN_UPDATE_SNAPSHOTS=1 updates the snapshot"
        );
    }
    assert_eq!(
        found.count(),
        expected.count(),
        "KILN_UPDATE_SNAPSHOTS=1 updates the snapshot"
    );
}

#[test]
fn help_and_version_are_printed_in_full() {
    let bench = Bench::new();
    assert!(bench.output("train --help").lines().count() > 20);
    assert!(bench.output("--version").starts_with("kiln "));
    // Without a command, the help is the answer.
    let assert = bench.kiln("").assert().code(2);
    let err = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(err.contains("Commands:"), "{err}");
}

#[test]
fn a_flag_that_is_a_key_of_the_config_is_answered_with_its_set() {
    let bench = Bench::new();
    for (typed, meant) in [
        (
            "train a.json --batch-size=8",
            "--set training.batch_size=8;",
        ),
        ("train a.json --lr 1e-3", "--set optimizer.lr=1e-3;"),
        ("data info a.json --seed 3", "--set seed=3;"),
        ("eval run --epochs --json", "--set training.epochs=VALUE;"),
    ] {
        let assert = bench.kiln(typed).assert().code(2);
        let err = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert_eq!(err.lines().count(), 1, "{err}");
        assert!(err.contains(meant), "{typed}: {err}");
    }
    for typed in ["predict run a.png --epochs 3", "train a.json --kind mlp"] {
        let assert = bench.kiln(typed).assert().code(2);
        let err = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(!err.contains("--set"), "{typed}: {err}");
    }
}

#[test]
fn a_page_without_text_is_refused_and_no_file_is_overwritten() {
    let bench = Bench::new();
    for text in ["", "  ", "\\n"] {
        let mut page = bench.kiln("data page");
        let assert = page.args(["--text", text, "page.png"]).assert().code(2);
        let err = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(err.contains("--text: is empty"), "{err}");
    }
    bench.write("page.png", "old");
    bench.kiln("data page --text A page.png").assert().code(2);
    assert_eq!(bench.listing(), [bench.path("page.png")]);
    assert_eq!(bench.read("page.png"), b"old");
}

#[test]
fn wrong_usage_exits_with_code_2() {
    let bench = Bench::new();
    for arguments in [
        "",
        "tarin",
        "train",
        "train a.json --epochs 3",
        "eval run --split tset",
        "ocr",
    ] {
        bench.kiln(arguments).assert().code(2);
    }
}

#[test]
fn the_error_of_a_backend_that_is_not_compiled_in_names_the_command_to_build_it() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    let before = bench.listing();
    let compiled_in = [
        ("ndarray", cfg!(feature = "ndarray")),
        ("wgpu", cfg!(feature = "wgpu")),
        ("vulkan", cfg!(feature = "vulkan")),
        ("cuda", cfg!(feature = "cuda")),
    ];
    for (missing, _) in compiled_in.iter().filter(|(_, is_in)| !is_in) {
        let assert = bench
            .kiln(&format!("train small.json --backend {missing}"))
            .assert()
            .code(2);
        let err = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        let overridden = format!("override  backend={missing}");
        let lines: Vec<&str> = err.lines().filter(|line| *line != overridden).collect();
        assert_eq!(lines.len(), 1, "{err}");
        assert!(
            lines[0].contains(&format!("cargo build --release --features {missing}")),
            "{err}"
        );
    }
    assert_eq!(bench.listing(), before);
}

/// Files may not grow beyond a few kilobytes, as on a full disk.
#[cfg(unix)]
#[test]
fn a_full_disk_ends_the_run_with_one_line_and_no_panic() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    let script = format!(
        "trap '' XFSZ; ulimit -f 16; exec {} train small.json --run-dir run",
        env!("CARGO_BIN_EXE_kiln")
    );
    let output = std::process::Command::new("bash")
        .args(["-c", &script])
        .current_dir(bench.folder.path())
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{err}");
    let messages: Vec<&str> = err
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    assert_eq!(messages.len(), 1, "{err}");
    assert!(messages[0].contains("too large"), "{err}");
    assert!(!err.contains("panicked"), "{err}");
    assert!(!bench.path("run/model.safetensors").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_is_not_writable_ends_the_run_with_one_line() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    // Not even root can create folders here.
    let assert = bench
        .kiln("train small.json --run-dir /proc/kiln-run")
        .assert()
        .code(1);
    let err = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(
        err.contains("/proc/kiln-run") && err.contains("cannot be created"),
        "{err}"
    );
    assert_eq!(err.lines().count(), 1, "{err}");
}

/// Runs a shell line in which `$KILN` is the binary; returns the exit code of `$KILN` and standard error.
#[cfg(unix)]
fn shell(bench: &Bench, line: &str) -> (i32, String) {
    let output = std::process::Command::new("bash")
        .args(["-c", line])
        .env("KILN", env!("CARGO_BIN_EXE_kiln"))
        .current_dir(bench.folder.path())
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap_or(-1), err)
}

#[cfg(target_os = "linux")]
#[test]
fn standard_output_that_is_full_is_one_line_and_exit_code_1() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    for arguments in [
        "config show small.json",
        "config schema",
        "data info small.json",
    ] {
        let (code, err) = shell(&bench, &format!("$KILN {arguments} > /dev/full"));
        assert_eq!(code, 1, "{arguments}: {err}");
        assert_eq!(err.lines().count(), 1, "{arguments}: {err}");
        assert!(err.contains("cannot write to standard output"), "{err}");
    }
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_ends_a_listing_without_an_error() {
    let bench = Bench::new();
    let (code, err) = shell(
        &bench,
        "$KILN config schema | head -1 >/dev/null; exit ${PIPESTATUS[0]}",
    );
    assert_eq!((code, err.as_str()), (0, ""));
}

#[cfg(unix)]
#[test]
fn a_run_continues_when_nobody_reads_its_progress() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    let line =
        "$KILN train small.json --run-dir run 2>&1 | head -1 >/dev/null; exit ${PIPESTATUS[0]}";
    assert_eq!(shell(&bench, line).0, 0);
    assert!(bench.path("run/report.html").is_file());
    let (code, _) = shell(&bench, "$KILN train small.json --run-dir other 2>/dev/full");
    assert_eq!(code, 0);
    assert!(bench.path("other/report.html").is_file());
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_written_through() {
    let bench = Bench::new();
    bench.output("data page --text LINK page.png");
    bench.write("target.png", "old");
    std::os::unix::fs::symlink(bench.path("target.png"), bench.path("link.png")).unwrap();
    bench.output("segment page.png --overlay link.png");
    assert!(bench.path("link.png").is_symlink());
    assert!(image::open(bench.path("target.png")).is_ok());
}

#[test]
fn a_config_may_start_with_a_byte_order_mark() {
    let bench = Bench::new();
    bench.write("bom.json", format!("\u{feff}{SMALL}"));
    bench.output("config check bom.json");
}
