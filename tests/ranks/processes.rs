//! Starts runs of several processes, and finds these.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::common::Bench;

/// What two runs with the same result have in common, byte for byte.
const SAME: [&str; 4] = [
    "model.safetensors",
    "metrics.jsonl",
    "summary.json",
    "config.json",
];

/// A bench with a config in `config.json`.
pub fn bench_with(config: &Value) -> Bench {
    let bench = Bench::new();
    bench.write("config.json", config.to_string());
    bench
}

/// What a command left: its exit code, and what it printed on standard error.
pub struct Ended {
    pub code: Option<i32>,
    pub err: String,
}

impl Ended {
    /// The lines of errors.
    pub fn errors(&self) -> Vec<&str> {
        let lines = self.err.lines();
        lines.filter(|line| line.starts_with("error:")).collect()
    }
}

/// `kiln train` with arguments separated by spaces.
pub fn train(bench: &Bench, arguments: &str) -> Ended {
    let output = bench.kiln(&format!("train {arguments}")).output().unwrap();
    ended(output.status.code(), output.stderr)
}

/// [`train`], which must succeed.
pub fn trained(bench: &Bench, arguments: &str) {
    let Ended { code, err } = train(bench, arguments);
    assert_eq!(code, Some(0), "{arguments}\n{err}");
}

/// `mpiexec` with arguments separated by spaces, in which `PROGRAM` stands for the program.
pub fn mpiexec(bench: &Bench, arguments: &str) -> Ended {
    let output = mpiexec_command(bench, arguments).output().unwrap();
    ended(output.status.code(), output.stderr)
}

pub fn mpiexec_command(bench: &Bench, arguments: &str) -> Command {
    let arguments = arguments.replace("PROGRAM", env!("CARGO_BIN_EXE_kiln"));
    let mut command = Command::new("mpiexec");
    command
        .current_dir(bench.folder.path())
        .args(arguments.split_whitespace())
        .stdin(Stdio::null());
    command
}

fn ended(code: Option<i32>, err: Vec<u8>) -> Ended {
    let err = String::from_utf8_lossy(&err).into_owned();
    Ended { code, err }
}

/// Starts `kiln train` and does not wait for it.
pub fn begin(bench: &Bench, arguments: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_kiln"))
        .current_dir(bench.folder.path())
        .arg("train")
        .args(arguments.split_whitespace())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits for a run that [`begin`] has started.
pub fn end(child: Child) -> Ended {
    let output = child.wait_with_output().unwrap();
    ended(output.status.code(), output.stderr)
}

/// The process of a rank of the run in a bench, if it is there.
pub fn rank(bench: &Bench, rank: usize) -> Option<Pid> {
    let here = bench.folder.path().canonicalize().unwrap();
    let variable = format!("PMI_RANK={rank}");
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let mut found = processes.filter_map(|entry| {
        let path = entry.path();
        let number = entry.file_name().to_str()?.parse().ok()?;
        let environment = std::fs::read(path.join("environ")).ok()?;
        let mut variables = environment.split(|&byte| byte == 0);
        let is_rank = variables.any(|other| other == variable.as_bytes());
        let is_here = std::fs::read_link(path.join("cwd")).ok()? == here;
        (is_rank && is_here)
            .then(|| Pid::from_raw(number))
            .flatten()
    });
    found.next()
}

/// Sends a signal to a rank, once it is there; false if it is not within a few seconds.
pub fn signal(bench: &Bench, number: usize, signal: Signal) -> bool {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(5) {
        if let Some(process) = rank(bench, number) {
            return kill_process(process, signal).is_ok();
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    false
}

/// Waits until a file has something in it.
pub fn wait_for(path: &Path) {
    let began = Instant::now();
    while std::fs::metadata(path).map_or(0, |file| file.len()) == 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "{path:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Fails unless two runs left the same bytes.
pub fn assert_same(bench: &Bench, one: &str, other: &str) {
    for name in SAME {
        let of = |run: &str| bench.read(&format!("{run}/{name}"));
        assert!(of(one) == of(other), "{name} of {one} and {other}");
    }
}

/// The training and validation losses of a run's epochs.
pub fn losses(bench: &Bench, run: &str) -> Vec<[f64; 2]> {
    let text = String::from_utf8(bench.read(&format!("{run}/metrics.jsonl"))).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let losses = lines.map(|line: Value| {
        ["train", "valid"].map(|part| line[part]["loss"].as_f64().expect("a loss"))
    });
    losses.collect()
}

/// The largest difference between the losses of two runs, as a fraction of the loss.
pub fn difference(bench: &Bench, one: &str, other: &str) -> f64 {
    let (one, other) = (losses(bench, one), losses(bench, other));
    assert_eq!(one.len(), other.len());
    let pairs = one.iter().flatten().zip(other.iter().flatten());
    pairs
        .map(|(a, b)| (a - b).abs() / a.abs())
        .fold(0.0, f64::max)
}
