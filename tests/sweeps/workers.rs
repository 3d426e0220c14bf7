//! Several processes that divide a sweep.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use predicates::prelude::*;

use crate::common::{Bench, noise};
use crate::support::{bench, interrupt, spawn, text, wait_for_an_epoch};

const RUNS: [&str; 6] = [
    "1_seed-1", "2_seed-2", "3_seed-3", "4_seed-4", "5_seed-5", "6_seed-6",
];
const GRID: &str = "sweep tiny.json --grid seed=1,2,3,4,5,6 --set training.epochs=150";

/// A worker whose lines go to a file.
fn worker(bench: &Bench, arguments: &str, lines: &str) -> Child {
    let lines = std::fs::File::create(bench.path(lines)).unwrap();
    Command::new(env!("CARGO_BIN_EXE_kiln"))
        .current_dir(bench.folder.path())
        .args(arguments.split_whitespace())
        .stdout(Stdio::null())
        .stderr(lines)
        .spawn()
        .unwrap()
}

/// The cells of a leaderboard, by run; without what the clock says.
fn leaderboard(bench: &Bench, sweep: &str) -> BTreeMap<String, Vec<String>> {
    let text = text(bench, &format!("{sweep}/leaderboard.csv"));
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers().unwrap().clone();
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        let cells = headers.iter().zip(row.iter());
        let kept = cells.filter(|(name, _)| *name != "seconds");
        let kept: Vec<String> = kept.map(|(_, cell)| cell.to_string()).collect();
        let run = headers.iter().position(|name| name == "run").unwrap();
        (row[run].to_string(), kept)
    });
    rows.collect()
}

#[test]
fn workers_of_which_some_are_killed_do_every_run_once_with_the_same_bytes() {
    let bench = bench();
    bench.output(&format!("{GRID} --dir alone"));
    let start = |lines: &str| worker(&bench, &format!("{GRID} --dir shared --worker"), lines);
    // All of them make the folder if it isn't there.
    let mut doomed = [start("a.txt"), start("b.txt")];
    let mut survivor = start("c.txt");
    for (worker, moment) in doomed.iter_mut().zip(noise(2, 7)) {
        std::thread::sleep(Duration::from_millis(600 + (moment * 1500.0) as u64));
        worker.kill().unwrap();
        worker.wait().unwrap();
    }
    assert!(
        survivor.wait().unwrap().success(),
        "{}",
        text(&bench, "c.txt")
    );
    for run in RUNS {
        for file in ["model.safetensors", "metrics.jsonl", "summary.json"] {
            let alone = bench.read(&format!("alone/{run}/{file}"));
            assert!(
                alone == bench.read(&format!("shared/{run}/{file}")),
                "{run}/{file}"
            );
        }
    }
    assert_eq!(leaderboard(&bench, "alone"), leaderboard(&bench, "shared"));
    // A run that is over is over for all: nobody ends it a second time.
    let all = ["a.txt", "b.txt", "c.txt"].map(|lines| text(&bench, lines));
    for number in 1..=RUNS.len() {
        let over = format!("run {number}/6  validation ");
        let times: usize = all.iter().map(|lines| lines.matches(&over).count()).sum();
        // A worker may die between the record and its line.
        assert!(times <= 1, "run {number} ended {times} times");
    }
    assert!(
        !bench.path("shared/claims").exists(),
        "claims of runs that are over"
    );
}

#[test]
fn a_worker_takes_no_run_of_another_and_a_lone_sweep_keeps_out() {
    let bench = bench();
    let first = spawn(
        &bench,
        "sweep tiny.json --grid training.epochs=4000,2,3 --dir shared --worker",
    );
    wait_for_an_epoch(&bench, "shared/1_epochs-4000");
    bench
        .kiln("sweep --resume shared")
        .assert()
        .code(1)
        .stderr(predicate::str::contains(
            "another kiln process is working on this sweep",
        ));
    // One run each, as the tasks of an array.
    for run in ["2_epochs-2", "3_epochs-3"] {
        assert!(!bench.path(&format!("shared/{run}/summary.json")).exists());
        bench.output("sweep --resume shared --worker --max-runs 1");
        assert!(bench.path(&format!("shared/{run}/summary.json")).exists());
    }
    // Nothing is free any more: it doesn't wait.
    bench.output("sweep --resume shared --worker --max-runs 1");
    assert_eq!(interrupt(first), Some(130));
    let record = text(&bench, "shared/sweep.json");
    assert!(record.contains("\"interrupted\""), "{record}");
}

#[test]
fn another_sweep_in_the_folder_and_a_worker_without_a_folder_are_refused() {
    let bench = bench();
    bench.output("sweep tiny.json --grid seed=1,2 --dir shared --worker");
    bench
        .kiln("sweep tiny.json --grid seed=1,2,3 --dir shared --worker")
        .assert()
        .code(2)
        .stderr(predicate::str::contains("contains a different sweep"));
    bench
        .kiln("sweep tiny.json --grid seed=1,2 --worker")
        .assert()
        .code(2)
        .stderr(predicate::str::contains("--dir"));
    bench.write("full/file.txt", "mine");
    bench
        .kiln("sweep tiny.json --grid seed=1,2 --dir full --worker")
        .assert()
        .code(2)
        .stderr(predicate::str::contains("has files, but no sweep.json"));
}

#[test]
fn a_run_that_fails_is_left_by_workers_and_tried_again_by_resume() {
    let bench = bench();
    bench.write("file", "no folder");
    let grid = "sweep tiny.json --grid seed=1,2 --dir shared";
    bench.output(&format!("{grid} --worker --max-runs 1"));
    // The second run's folder can't be made.
    bench.write("shared/2_seed-2", "in the way");
    let output = bench
        .kiln("sweep --resume shared --worker")
        .output()
        .unwrap();
    assert!(output.status.success());
    let lines = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(lines.matches("run 2/2  ").count(), 2, "{lines}");
    bench.output("sweep --resume shared --worker");
    std::fs::remove_file(bench.path("shared/2_seed-2")).ok();
    bench.output("sweep --resume shared");
    assert!(bench.path("shared/2_seed-2/summary.json").exists());
}

#[test]
fn the_job_of_a_sweep_is_a_script_that_trains_it() {
    let bench = bench();
    bench.output("sweep tiny.json --grid seed=1,2,3 --dir swept --slurm job.sh");
    let script = text(&bench, "job.sh");
    assert!(script.contains("#SBATCH --array=1-3\n"), "{script}");
    // Three tasks, as Slurm starts them; `srun` runs what follows.
    bench.write("bin/srun", "#!/bin/sh\nexec \"$@\"\n");
    use std::os::unix::fs::PermissionsExt;
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(bench.path("bin/srun"), executable).unwrap();
    let path = format!(
        "{}:{}",
        bench.path("bin").display(),
        std::env::var("PATH").unwrap()
    );
    let tasks: Vec<Child> = (0..3)
        .map(|_| {
            let mut task = Command::new("bash");
            task.arg(bench.path("job.sh")).env("PATH", &path);
            task.stdout(Stdio::null()).stderr(Stdio::null());
            task.spawn().unwrap()
        })
        .collect();
    for mut task in tasks {
        assert!(task.wait().unwrap().success());
    }
    for run in ["1_seed-1", "2_seed-2", "3_seed-3"] {
        assert!(bench.path(&format!("swept/{run}/summary.json")).exists());
    }
    bench
        .kiln("sweep tiny.json --grid seed=1,2,3 --dir other --slurm job.sh")
        .assert()
        .code(2)
        .stderr(predicate::str::contains("job.sh: already exists"));
    assert!(!bench.path("other").exists());
}
