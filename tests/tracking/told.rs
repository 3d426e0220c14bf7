//! What an MLflow server is told.

use super::server::{Mode, Server};
use super::{bench, bytes, numbers, said};

#[test]
fn a_server_gets_the_settings_every_epoch_the_results_the_files_and_the_end() {
    let (bench, server) = (bench(), Server::start(Mode::Up));
    let log = format!("--log mlflow={}", server.address);
    let err = said(&bench, &format!("train small.json --run-dir run {log}"));
    assert!(!err.contains("warning"), "{err}");
    let run = server.only_run();
    assert_eq!(server.store().experiments, ["small"]);
    assert_eq!(run.epochs(), numbers(&bench, "run"));
    assert_eq!(run.status, "FINISHED");
    assert_eq!(run.params["optimizer.lr"], "0.003");
    assert_eq!(run.params["model.hidden"], "[32]");
    assert_eq!(run.params["training.epochs"], "3");
    assert!(!run.params.keys().any(|path| path.contains("log")));
    for (name, bytes) in &run.files {
        assert!(*bytes == bench.read(&format!("run/{name}")), "{name}");
    }
    let names: Vec<&str> = run.files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "config.json",
            "metrics.jsonl",
            "model.safetensors",
            "report.html",
            "summary.json"
        ]
    );
    let summary: serde_json::Value =
        serde_json::from_slice(&bench.read("run/summary.json")).unwrap();
    let best = summary["best_epoch"].as_u64().unwrap();
    let accuracy = summary["test"]["accuracy"].as_f64().unwrap();
    assert_eq!(run.numbers()[&("test/accuracy".into(), best)], accuracy);
}

#[test]
fn logging_to_a_server_does_not_change_the_bytes_of_a_run() {
    let (bench, server) = (bench(), Server::start(Mode::Up));
    bench.write(
        "logged.json",
        crate::common::SMALL.replace(
            "\"training\": {",
            &format!(
                "\"training\": {{\"log\": [\"tensorboard\", {{\"mlflow\": \"{}\"}}], ",
                server.address
            ),
        ),
    );
    bench.output("train logged.json --run-dir with");
    bench.output("train small.json --run-dir without");
    assert!(bytes(&bench, "with") == bytes(&bench, "without"));
    assert_eq!(server.only_run().epochs(), numbers(&bench, "with"));
}

#[test]
fn a_resumed_run_goes_on_in_the_same_run_of_the_server_without_doubled_steps() {
    let (bench, server) = (bench(), Server::start(Mode::Up));
    let log = format!("--log mlflow={}", server.address);
    bench.output(&format!("train small.json --run-dir run {log}"));
    bench.output("train --resume run@2 --set training.epochs=5");
    let run = server.only_run();
    assert_eq!(run.epochs(), numbers(&bench, "run"));
    assert_eq!(run.status, "FINISHED");
    // A setting of MLflow can't change; what the run was resumed with is a tag.
    assert_eq!(run.params["training.epochs"], "3");
    assert_eq!(run.tags["training.epochs"], "5");
    assert!(run.files["model.safetensors"] == bench.read("run/model.safetensors"));
}

#[test]
fn a_run_can_be_logged_from_the_middle_and_the_server_gets_its_first_epochs_too() {
    let (bench, server) = (bench(), Server::start(Mode::Up));
    bench.output("train small.json --run-dir run");
    let log = format!("--log mlflow={}", server.address);
    bench.output(&format!("train --resume run --set training.epochs=4 {log}"));
    assert_eq!(server.only_run().epochs(), numbers(&bench, "run"));
}

#[test]
fn a_run_without_logging_can_be_sent_later() {
    let (bench, server) = (bench(), Server::start(Mode::Up));
    bench.output("train small.json --run-dir run");
    let command = format!("track run --log mlflow={}", server.address);
    for _ in 0..2 {
        bench.output(&command);
        let run = server.only_run();
        assert_eq!(run.epochs(), numbers(&bench, "run"));
        assert_eq!((run.status.as_str(), run.files.len()), ("FINISHED", 5));
    }
}

#[test]
fn the_runs_of_a_sweep_are_runs_of_the_server() {
    let (bench, server) = (bench(), Server::start(Mode::Up));
    let log = format!("--log mlflow={}", server.address);
    bench.output(&format!(
        "sweep small.json --grid optimizer.lr=1e-2,1e-3 --set training.epochs=1 {log}"
    ));
    let store = server.store();
    let rates: Vec<&str> = store
        .runs
        .iter()
        .map(|run| run.params["optimizer.lr"].as_str())
        .collect();
    assert_eq!(rates, ["0.01", "0.001"]);
    assert!(store.runs.iter().all(|run| run.status == "FINISHED"));
}

#[test]
fn addresses_and_names_that_are_wrong_are_refused_in_one_line() {
    let bench = bench();
    for (target, expected) in [
        ("mlflow=localhost:5000", "no address of a server"),
        ("mlflow=http://", "no address of a server"),
        ("mlflow=http://anna:secret@host", "MLFLOW_TRACKING_USERNAME"),
        ("wandb", "use tensorboard or mlflow="),
    ] {
        let refused = bench
            .kiln(&format!("train small.json --log {target}"))
            .assert()
            .code(2);
        let err = String::from_utf8(refused.get_output().stderr.clone()).unwrap();
        assert!(err.contains(expected) && err.lines().count() == 1, "{err}");
    }
    for (value, expected) in [
        (r#"["tensorbord"]"#, "tensorboard"),
        (r#"[{"mlflow":"ftp://host"}]"#, "training.log[0].mlflow"),
        (r#"["tensorboard","tensorboard"]"#, "training.log[1]"),
        (r#"[{"mlfow":"http://host"}]"#, "mlflow"),
    ] {
        let mut command = bench.kiln("config check small.json --set");
        let refused = command
            .arg(format!("training.log={value}"))
            .assert()
            .code(2);
        let err = String::from_utf8(refused.get_output().stderr.clone()).unwrap();
        let is_an_error = |line: &str| line.starts_with("error: small.json: training.log");
        assert!(
            err.contains(expected) && err.lines().all(is_an_error),
            "{err}"
        );
    }
}
