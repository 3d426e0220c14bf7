//! What the tests of sweeps share: small configs, kiln in the background, sweeps that pretend to have trained.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kiln::sweeps::search_space::Axis;

use crate::common::{Bench, SMALL};

/// Even smaller than [`SMALL`]: for what needs many epochs or many runs.
pub const TINY: &str = r#"{
  "data": {"kind": "glyphs", "train": 144, "valid": 72, "test": 36},
  "model": {"kind": "mlp", "hidden": [16], "activation": "relu"},
  "optimizer": {"kind": "adam", "lr": 3e-3},
  "training": {"epochs": 2, "batch_size": 48}
}"#;

pub fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    bench.write("tiny.json", TINY);
    bench
}

pub fn text(bench: &Bench, name: &str) -> String {
    String::from_utf8(bench.read(name)).expect("text")
}

/// Every file below a folder with its content.
pub fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            let content = std::fs::read(&path).expect("a file");
            found.insert(path, content);
        }
    }
    found
}

/// `kiln` running in the background.
pub fn spawn(bench: &Bench, arguments: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_kiln"))
        .current_dir(bench.folder.path())
        .args(arguments.split_whitespace())
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("kiln starts")
}

/// Waits until a run has completed an epoch.
pub fn wait_for_an_epoch(bench: &Bench, run: &str) {
    let began = Instant::now();
    let metrics = bench.path(run).join("metrics.jsonl");
    while std::fs::read(&metrics).map_or(0, |text| text.len()) < 10 {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "no epoch of {run} in a minute"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub fn interrupt(mut child: Child) -> Option<i32> {
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("a signal");
    child.wait().expect("an end").code()
}

pub fn parsed(grids: &[&str]) -> Vec<Axis> {
    grids
        .iter()
        .map(|grid| Axis::parse(grid).expect(grid))
        .collect()
}
