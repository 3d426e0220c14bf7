//! Runs are shown while they are trained, and nothing is written.

use std::io::{BufRead, BufReader, Write};

use serde_json::json;

use crate::common::{Bench, SMALL};
use crate::support::Server;

fn epoch(number: usize) -> String {
    let line = json!({"epoch": number, "learning_rate": 0.1, "train": {"loss": 1.5}, "valid": {"loss": 1.25, "accuracy": 0.5}});
    line.to_string()
}

#[test]
fn epochs_arrive_as_they_are_written() {
    let bench = Bench::new();
    bench.write(
        "runs/growing-1/config.json",
        r#"{"training": {"epochs": 9}}"#,
    );
    bench.write("runs/growing-1/metrics.jsonl", epoch(1) + "\n");
    let server = Server::start(bench, "");
    let mut stream = server.connect();
    write!(
        stream,
        "{}\r\n",
        server.head("GET", "/api/runs/growing-1/events")
    )
    .unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let mut next = |wanted: &str| {
        lines
            .find(|line| line.starts_with(wanted))
            .unwrap_or_else(|| panic!("no {wanted}"))
    };
    next("event: reset");
    assert_eq!(next("data: {\"epoch\""), format!("data: {}", epoch(1)));
    let state = next("data: {\"state\"");
    assert!(state.contains("\"epochs\":1,\"of\":9"), "{state}");
    // Half a line is no epoch.
    let file = server.bench.path("runs/growing-1/metrics.jsonl");
    let mut file = std::fs::OpenOptions::new().append(true).open(file).unwrap();
    let (first, second) = (epoch(2), epoch(3));
    write!(file, "{first}\n{}", &second[..20]).unwrap();
    assert_eq!(next("data: {\"epoch\""), format!("data: {first}"));
    writeln!(file, "{}", &second[20..]).unwrap();
    assert_eq!(next("data: {\"epoch\""), format!("data: {second}"));
    // A run that was resumed from an earlier epoch begins again.
    server
        .bench
        .write("runs/growing-1/metrics.jsonl", epoch(1) + "\n");
    next("event: reset");
    assert_eq!(next("data: {\"epoch\""), format!("data: {}", epoch(1)));
}

#[test]
fn runs_are_listed_sorted_and_filtered_and_compared_by_the_settings_that_differ() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    bench.output("train small.json");
    bench.output("train small.json --set optimizer.lr=1e-9 --run-dir runs/slow");
    bench.output("sweep small.json --grid training.epochs=1,2 --dir sweeps/lengths");
    let before = bench.listing();
    let expected = bench.json("runs list --sort valid --json");
    let compared = bench.json("runs compare runs/small-1 runs/slow --json");
    let server = Server::start(bench, "");
    let ids = |target: &str| {
        let found = server.get(target).json();
        let runs = found["runs"].as_array().unwrap().clone();
        let id = |run: &serde_json::Value| run["id"].as_str().unwrap().to_string();
        runs.iter().map(id).collect::<Vec<_>>()
    };
    assert_eq!(ids("/api/runs").len(), expected.as_array().unwrap().len());
    assert_eq!(ids("/api/runs?q=SLO"), ["slow"]);
    let paths = |list: &serde_json::Value| {
        let runs = list.as_array().unwrap().iter();
        runs.map(|run| run["run"].clone()).collect::<Vec<_>>()
    };
    let ranked = server.get("/api/runs?sort=valid").json();
    assert_eq!(
        paths(&ranked["runs"]),
        paths(&expected),
        "the order of kiln runs list"
    );
    assert_eq!(ids("/api/runs?state=running"), [""; 0]);
    let found = server.get("/api/compare?run=small-1&run=slow").json();
    assert_eq!(found, compared);
    assert!(found["differing"].get("optimizer.lr").is_some());
    let board = server.get("/api/sweeps/lengths").json();
    assert_eq!(board["runs"].as_array().unwrap().len(), 2);
    let detail = server.get("/api/runs/slow").json();
    assert_eq!(detail["settings"]["optimizer.lr"], json!(1e-9));
    assert_eq!(detail["history"].as_array().unwrap().len(), 3);
    for page in [
        "/",
        "/runs/slow",
        "/compare?run=small-1&run=slow",
        "/sweeps/lengths",
    ] {
        assert_eq!(server.get(page).status, 200, "{page}");
    }
    assert_eq!(server.bench.listing(), before, "nothing is written");
}
