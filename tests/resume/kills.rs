//! Runs that are killed at random moments.

use std::path::Path;
use std::time::{Duration, Instant};

use kiln::rng;
use kiln::run_dir::RunDir;
use kiln::training::checkpoint;
use serde_json::{Value, json};

use super::{assert_same, autoencoder, cnn, mlp, spawn, squeezenet, train, write_photographs};
use crate::common::Bench;

/// Seed of the moments at which runs are killed.
const SEED: u64 = 7;

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
    if bench.path(run).exists() {
        format!("train --resume {run}")
    } else {
        format!("train config.json --run-dir {run}")
    }
}

/// Compares what a kill has left with the history of the run that never stopped.
fn inspect(run: &Path, history: &str, tally: &mut Tally) {
    let Ok(run) = RunDir::open(run) else {
        assert!(!run.exists(), "{}: there without a config", run.display());
        tally.before_the_folder_was_there += 1;
        return;
    };
    let epochs = checkpoint::epochs(&run);
    if epochs.is_empty() {
        tally.before_the_first_checkpoint += 1;
    } else {
        tally.after_a_checkpoint += 1;
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
