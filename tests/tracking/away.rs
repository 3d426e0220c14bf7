//! An MLflow server that is away harms no run and misses nothing.

use std::time::{Duration, Instant};

use super::server::{Mode, Server};
use super::{bench, bytes, numbers, said};

#[test]
fn a_server_that_is_away_is_told_once_and_gets_everything_later() {
    let (bench, server) = (bench(), Server::start(Mode::Closed));
    let log = format!("--log mlflow={}", server.address);
    let err = said(&bench, &format!("train small.json --run-dir run {log}"));
    let warnings: Vec<&str> = err
        .lines()
        .filter(|line| line.contains("warning"))
        .collect();
    assert_eq!(warnings.len(), 1, "{err}");
    assert!(
        warnings[0].contains(&server.address) && warnings[0].contains("kiln track run"),
        "{err}"
    );
    assert!(err.contains("track run"), "{err}");
    bench.output("train small.json --run-dir without");
    assert!(bytes(&bench, "run") == bytes(&bench, "without"));

    let failed = bench.kiln("track run").assert().code(1);
    let err = String::from_utf8(failed.get_output().stderr.clone()).unwrap();
    assert!(
        err.contains(&server.address) && err.lines().count() == 1,
        "{err}"
    );

    server.set(Mode::Up);
    bench.output("track run");
    let run = server.only_run();
    assert_eq!(run.epochs(), numbers(&bench, "run"));
    assert_eq!((run.status.as_str(), run.files.len()), ("FINISHED", 5));
    assert!(bench.output("track run").contains("sent 0 entries"));
}

#[test]
fn an_address_where_nobody_listens_does_not_hold_the_run() {
    let bench = bench();
    let began = Instant::now();
    let err = said(
        &bench,
        "train small.json --run-dir run --log mlflow=http://127.0.0.1:9",
    );
    assert!(err.contains("can't be reached"), "{err}");
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_server_that_loses_its_answers_counts_nothing_twice() {
    let (bench, server) = (bench(), Server::start(Mode::LosesAnswers));
    let log = format!("--log mlflow={}", server.address);
    bench.output(&format!("train small.json --run-dir run {log}"));
    for _ in 0..100 {
        let sent = bench.kiln("track run").assert();
        if sent.get_output().status.success() {
            break;
        }
    }
    let run = server.only_run();
    assert_eq!(run.epochs(), numbers(&bench, "run"));
    assert_eq!((run.status.as_str(), run.files.len()), ("FINISHED", 5));
}

#[test]
fn a_server_that_is_silent_holds_the_end_of_a_run_for_seconds_only() {
    let (bench, server) = (bench(), Server::start(Mode::Silent));
    let log = format!("--log mlflow={}", server.address);
    bench.output("train small.json --run-dir without");
    let began = Instant::now();
    bench.output("train small.json --run-dir before");
    let usual = began.elapsed();
    let began = Instant::now();
    bench.output(&format!("train small.json --run-dir run {log}"));
    let took = began.elapsed().saturating_sub(usual);
    assert!(
        took < Duration::from_secs(25),
        "{took:?} longer than without"
    );
    assert!(bytes(&bench, "run") == bytes(&bench, "without"));
    server.set(Mode::Up);
    bench.output("track run");
    assert_eq!(server.only_run().epochs(), numbers(&bench, "run"));
}

#[test]
fn a_password_comes_from_the_environment_and_is_not_written_down() {
    let (bench, server) = (bench(), Server::start(Mode::Locked));
    let log = format!("--log mlflow={}", server.address);
    let err = said(&bench, &format!("train small.json --run-dir run {log}"));
    assert!(err.contains("401"), "{err}");
    let mut command = bench.kiln("track run");
    command
        .env("MLFLOW_TRACKING_USERNAME", "anna")
        .env("MLFLOW_TRACKING_PASSWORD", "secret");
    command.assert().success();
    assert_eq!(server.only_run().epochs(), numbers(&bench, "run"));
    for path in bench.listing().iter().filter(|path| path.is_file()) {
        let bytes = std::fs::read(path).unwrap();
        assert!(
            !bytes.windows(6).any(|part| part == b"secret"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn a_run_that_is_killed_goes_on_where_the_server_was_left() {
    let (bench, server) = (bench(), Server::start(Mode::Up));
    let log = format!("--log mlflow={} --log tensorboard", server.address);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kiln"));
    command.current_dir(bench.folder.path());
    command.args("train small.json --run-dir run --set training.epochs=200".split(' '));
    let mut child = command
        .args(log.split(' '))
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    let epochs = || {
        server
            .store()
            .runs
            .first()
            .map_or(0, |run| run.metrics.len())
    };
    while epochs() < 30 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // As many epochs as are done, and a few more.
    let text = String::from_utf8(bench.read("run/metrics.jsonl")).unwrap();
    let epochs = text.lines().count() + 3;
    bench.output(&format!(
        "train --resume run --set training.epochs={epochs}"
    ));
    let run = server.only_run();
    assert_eq!(run.epochs(), numbers(&bench, "run"));
    assert_eq!(run.status, "FINISHED");
    bench.output(&format!(
        "train small.json --run-dir at_once --set training.epochs={epochs}"
    ));
    assert!(bytes(&bench, "run") == bytes(&bench, "at_once"));
}

#[test]
fn a_server_that_comes_back_while_the_run_trains_gets_everything_by_itself() {
    let (bench, server) = (bench(), Server::start(Mode::Closed));
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kiln"));
    command.current_dir(bench.folder.path());
    let setting = "--set data.train=10800 --set training.epochs=80";
    command.args(format!("train small.json --run-dir run {setting}").split(' '));
    let mut run = command
        .args(["--log", &format!("mlflow={}", server.address)])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    let wait_until = |is_so: &dyn Fn() -> bool| {
        while !is_so() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let metrics = bench.path("run/metrics.jsonl");
    wait_until(&|| std::fs::read_to_string(&metrics).is_ok_and(|text| text.lines().count() > 5));
    server.set(Mode::Up);
    let received = || {
        let store = server.store();
        store.runs.first().map_or(0, |run| run.metrics.len())
    };
    wait_until(&|| received() > 5);
    assert!(received() > 5, "nothing was sent");
    assert!(
        run.try_wait().unwrap().is_none(),
        "it was sent after the run"
    );
    assert!(run.wait().unwrap().success());
    let sent = server.only_run();
    assert_eq!(sent.epochs(), numbers(&bench, "run"));
    assert_eq!((sent.status.as_str(), sent.files.len()), ("FINISHED", 5));
}
