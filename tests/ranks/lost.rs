//! Ranks that fail, stop, hang or die.

use std::time::{Duration, Instant};

use kiln::rng;
use kiln::run_dir::RunDir;
use kiln::training::checkpoint;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::common::{Bench, Mounted};
use crate::mlp;
use crate::processes::{
    assert_same, begin, bench_with, end, mpiexec, signal, train, trained, wait_for,
};

/// Long enough to be stopped in the middle.
fn long() -> Value {
    let mut config = mlp();
    config["training"]["epochs"] = json!(30);
    config
}

fn summary(bench: &Bench, run: &str) -> Value {
    serde_json::from_slice(&bench.read(&format!("{run}/summary.json"))).unwrap()
}

#[test]
#[cfg_attr(not(kiln_tool = "mpiexec"), ignore = "needs mpiexec")]
fn an_interruption_of_one_rank_stops_and_saves_all() {
    let bench = bench_with(&long());
    trained(&bench, "config.json --run-dir straight --ranks 2");
    for rank in [0, 1] {
        let run = format!("run-{rank}");
        let child = begin(&bench, &format!("config.json --run-dir {run} --ranks 2"));
        wait_for(&bench.path(&format!("{run}/metrics.jsonl")));
        assert!(signal(&bench, rank, Signal::INT));
        let ended = end(child);
        assert_eq!(ended.code, Some(130), "{}", ended.err);
        assert!(ended.err.contains("to resume"), "{}", ended.err);
        assert_eq!(summary(&bench, &run)["status"], "interrupted");
        trained(&bench, &format!("--resume {run}"));
        assert_same(&bench, "straight", &run);
    }
}

#[test]
#[cfg_attr(not(kiln_tool = "mpiexec"), ignore = "needs mpiexec")]
fn ctrl_c_for_the_program_that_has_started_the_ranks_stops_and_saves_them() {
    let bench = bench_with(&long());
    let child = begin(&bench, "config.json --run-dir run --ranks 2");
    wait_for(&bench.path("run/metrics.jsonl"));
    let process = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(process, Signal::INT).unwrap();
    let ended = end(child);
    assert_eq!(ended.code, Some(130), "{}", ended.err);
    assert_eq!(summary(&bench, "run")["status"], "interrupted");
}

#[test]
#[cfg_attr(not(kiln_tool = "mpiexec"), ignore = "needs mpiexec")]
fn a_loss_that_is_not_finite_on_one_rank_ends_all_at_the_same_step_in_one_line() {
    let mut config = mlp();
    config["optimizer"] = json!({"kind": "sgd", "lr": 100});
    config["model"]["hidden"] = json!([512, 512, 512]);
    config["loss"] = json!({"reduction": "sum"});
    let bench = bench_with(&config);
    let ended = train(&bench, "config.json --run-dir run --ranks 2");
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    let errors = ended.errors();
    assert_eq!(errors.len(), 1, "{}", ended.err);
    let expected = "the training loss is not a finite number in step ";
    assert!(errors[0].contains(expected), "{}", ended.err);
    assert!(errors[0].contains("largest gradient"), "{}", ended.err);
    assert!(!bench.path("run/model.safetensors").exists());
}

#[test]
#[cfg_attr(not(kiln_tool = "mpiexec"), ignore = "needs mpiexec")]
fn other_weights_on_one_rank_and_an_error_of_one_rank_refuse_the_run_in_one_line() {
    let bench = bench_with(&mlp());
    for (folder, seed) in [("a", 1), ("b", 2)] {
        let arguments =
            format!("config.json --run-dir {folder} --set seed={seed} --set training.epochs=1");
        trained(&bench, &arguments);
    }
    std::fs::create_dir(bench.path("empty")).unwrap();
    // Each rank looks for the weights in a data folder of its own.
    let refused = |second: &str, expected: &str, code: i32| {
        let kiln = "PROGRAM train config.json --run-dir run --set init.weights=model.safetensors";
        let first = format!("-n 1 -env KILN_DATA a {kiln}");
        let second = format!("-n 1 -env KILN_DATA {second} {kiln}");
        let ended = mpiexec(&bench, &format!("{first} : {second}"));
        assert_eq!(ended.code, Some(code), "{}", ended.err);
        let errors = ended.errors();
        assert_eq!(errors.len(), 1, "{}", ended.err);
        assert!(errors[0].contains(expected), "{}", ended.err);
        assert!(!bench.path("run").exists());
    };
    refused("b", "the weights differ between rank 0 and rank 1", 2);
    refused("empty", "rank 1: init.weights: ", 2);
}

/// Every rank leaves its exit code in a file.
const WITH_CODES: &str = "\"$@\"\ncode=$?\necho $code > code-$PMI_RANK\nexit $code\n";

#[test]
#[cfg_attr(
    not(all(kiln_tool = "mpiexec", kiln_may_mount)),
    ignore = "needs mpiexec, and the right to mount a file system"
)]
fn a_full_disk_of_rank_0_ends_all_ranks_in_one_line_and_the_last_checkpoint_stands() {
    let bench = bench_with(&mlp());
    trained(&bench, "config.json --run-dir straight --ranks 2");
    bench.write("with_codes.sh", WITH_CODES);
    let run = RunDir::open(&bench.path("straight")).unwrap();
    let last = std::fs::metadata(checkpoint::path_of(&run, 5)).unwrap();
    // Room for two checkpoints and a half.
    let kilobytes = usize::try_from(last.len()).unwrap() * 5 / 2 / 1024;
    let disk = Mounted::new(&bench, kilobytes);
    let started = "-n 2 sh with_codes.sh PROGRAM train";
    for arguments in ["config.json --run-dir disk/run", "--resume disk/run"] {
        let ended = mpiexec(&bench, &format!("{started} {arguments}"));
        assert_eq!(ended.code, Some(1), "{}", ended.err);
        let errors = ended.errors();
        assert_eq!(errors.len(), 1, "{}", ended.err);
        assert!(errors[0].contains("disk is full"), "{}", ended.err);
        assert!(!ended.err.contains("panicked"), "{}", ended.err);
        for rank in [0, 1] {
            assert_eq!(bench.read(&format!("code-{rank}")), b"1\n", "rank {rank}");
        }
        let run = RunDir::open(&bench.path("disk/run")).unwrap();
        let epochs = checkpoint::epochs(&run);
        assert!(!epochs.is_empty() && epochs.len() < 5, "{epochs:?}");
        for epoch in epochs {
            checkpoint::read(&checkpoint::path_of(&run, epoch)).expect("a whole one");
        }
    }
    assert!(disk.mount("remount,size=32m"));
    trained(&bench, "--resume disk/run");
    assert_same(&bench, "straight", "disk/run");
}

/// A rank that is stopped neither answers nor ends.
#[test]
#[cfg_attr(not(kiln_tool = "mpiexec"), ignore = "needs mpiexec")]
fn a_rank_that_does_not_answer_ends_the_run_after_the_time_that_was_set() {
    let bench = bench_with(&long());
    trained(&bench, "config.json --run-dir straight --ranks 2");
    let arguments = "config.json --run-dir run --ranks 2 --set parallel.timeout_s=2";
    let child = begin(&bench, arguments);
    wait_for(&bench.path("run/metrics.jsonl"));
    assert!(signal(&bench, 1, Signal::STOP));
    let began = Instant::now();
    let ended = end(child);
    let seconds = began.elapsed().as_secs_f64();
    assert!((1.5..10.0).contains(&seconds), "{seconds}");
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    // In a step, or after the steps of an epoch; on a busy machine, a second later.
    let expected = "error: rank 0: rank 1 did not answer for ";
    assert!(ended.err.contains(expected), "{}", ended.err);
    assert!(ended.err.contains(" of epoch "), "{}", ended.err);
    trained(&bench, "--resume run --set parallel.timeout_s=600");
    assert_same(&bench, "straight", "run");
}

/// Seed of the moments at which ranks are killed.
const SEED: u64 = 11;

/// How often a rank is killed; `KILN_KILLS` says otherwise.
fn kills() -> usize {
    let wanted = std::env::var("KILN_KILLS").ok();
    wanted.map_or(10, |count| count.parse().expect("KILN_KILLS is a number"))
}

#[test]
#[cfg_attr(not(kiln_tool = "mpiexec"), ignore = "needs mpiexec")]
fn a_run_of_which_any_rank_is_killed_at_any_moment_resumes_with_the_same_bytes() {
    let bench = bench_with(&long());
    let began = Instant::now();
    trained(&bench, "config.json --run-dir straight --ranks 2");
    let longest = began.elapsed().as_secs_f32() * 0.8;
    let mut rng = rng::seeded(&[SEED]);
    let (mut killed, mut ended_before, mut run) = (0, 0, 0);
    while killed < kills() {
        let folder = format!("run-{run}");
        let child = if bench.path(&folder).exists() {
            begin(&bench, &format!("--resume {folder} --ranks 2"))
        } else {
            begin(&bench, &format!("config.json --run-dir {folder} --ranks 2"))
        };
        std::thread::sleep(Duration::from_secs_f32(rng::uniform(&mut rng) * longest));
        let rank = usize::from(rng::uniform(&mut rng) < 0.5);
        let is_killed = signal(&bench, rank, Signal::KILL);
        let ended = end(child);
        if is_killed && ended.code != Some(0) {
            killed += 1;
            assert_ne!(ended.code, Some(130), "{}", ended.err);
            assert!(
                ended.err.contains("a process of the run was lost"),
                "{}",
                ended.err
            );
        } else {
            assert_eq!(ended.code, Some(0), "{}", ended.err);
            ended_before += 1;
            assert_same(&bench, "straight", &folder);
            run += 1;
        }
    }
    let folder = format!("run-{run}");
    if bench.path(&folder).exists() {
        trained(&bench, &format!("--resume {folder} --ranks 2"));
        assert_same(&bench, "straight", &folder);
    }
    eprintln!("seed {SEED}: {killed} kills, {ended_before} runs ended before theirs");
}

#[test]
#[cfg_attr(not(kiln_tool = "mpiexec"), ignore = "needs mpiexec")]
fn restarts_go_on_from_the_last_checkpoint_by_themselves() {
    let bench = bench_with(&long());
    trained(&bench, "config.json --run-dir straight --ranks 2");
    let child = begin(&bench, "config.json --run-dir run --ranks 2 --restarts 1");
    wait_for(&bench.path("run/metrics.jsonl"));
    assert!(signal(&bench, 1, Signal::KILL));
    let ended = end(child);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.err.contains("restart 1 of 1"), "{}", ended.err);
    assert_same(&bench, "straight", "run");
}
