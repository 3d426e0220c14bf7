//! `kiln sweep`: runs, resuming, and what is rejected.

use predicates::prelude::*;
use serde_json::Value;

use crate::support::{bench, contents, interrupt, spawn, text, wait_for_an_epoch};

#[test]
fn a_sweep_makes_a_run_for_each_combination_and_ranks_them() {
    let bench = bench();
    let out = bench.output(
        "sweep small.json --grid optimizer.lr=1e-5,3e-3 --grid model.hidden=[16],[32,32] --set training.epochs=2",
    );
    assert!(
        out.starts_with("optimizer.lr = 0.003 with model.hidden = ["),
        "{out}"
    );
    for run in [
        "1_lr-0.00001_hidden-16",
        "2_lr-0.00001_hidden-32-32",
        "3_lr-0.003_hidden-16",
        "4_lr-0.003_hidden-32-32",
    ] {
        assert!(out.contains(run), "{run} is not in\n{out}");
        for file in ["summary.json", "report.html", "model.safetensors"] {
            let path = bench.path("sweeps/small-1").join(run).join(file);
            assert!(path.is_file(), "{}", path.display());
        }
        assert_eq!(
            bench.json(&format!("eval sweeps/small-1/{run} --json"))["samples"],
            360
        );
    }
    let csv = text(&bench, "sweeps/small-1/leaderboard.csv");
    let lines: Vec<&str> = csv.lines().collect();
    assert!(
        lines[0].starts_with("place,optimizer.lr,model.hidden,valid_accuracy,test_accuracy,"),
        "{csv}"
    );
    assert_eq!(lines.len(), 5);
    assert!(csv.contains(r#","[32,32]","#), "a list is quoted:\n{csv}");

    // Nothing is left to do; the JSON has the same results.
    let board = bench.json("sweep --resume sweeps/small-1 --json");
    assert_eq!(board["metric"], "accuracy");
    let runs = board["runs"].as_array().expect("a list");
    let accuracy = |run: &Value| run["valid"]["accuracy"].as_f64().expect("a number");
    assert!(
        runs.windows(2)
            .all(|pair| accuracy(&pair[0]) >= accuracy(&pair[1]))
    );
    assert_eq!(runs[0]["values"]["optimizer.lr"], 0.003);
    // The next one gets the next number.
    let out = bench.output("sweep tiny.json --grid seed=1,2 --dir named --top 1");
    assert_eq!(
        out.lines().count(),
        4,
        "a sentence, a blank, a header, one run:\n{out}"
    );
    assert!(bench.path("named/2_seed-2/summary.json").is_file());
}

#[test]
fn a_run_of_a_sweep_is_the_run_that_train_makes() {
    let bench = bench();
    bench.output(
        "sweep small.json --grid optimizer.kind=sgd,adam_w --set optimizer.lr=2e-3 --dir swept",
    );
    bench.output(
        "train small.json --set optimizer.kind=adam_w --set optimizer.lr=2e-3 --run-dir alone",
    );
    for file in [
        "config.json",
        "metrics.jsonl",
        "summary.json",
        "model.safetensors",
    ] {
        let swept = bench.read(&format!("swept/2_kind-adam_w/{file}"));
        assert!(
            swept == bench.read(&format!("alone/{file}")),
            "{file} differs"
        );
    }
}

#[test]
fn an_interrupted_sweep_is_resumed_where_it_was() {
    let bench = bench();
    let arguments = "sweep tiny.json --grid training.epochs=3,250,2";
    bench.output(&format!("{arguments} --dir whole"));
    let child = spawn(&bench, &format!("{arguments} --dir cut"));
    wait_for_an_epoch(&bench, "cut/2_epochs-250");
    // Two at work on one folder would tread on each other.
    bench
        .kiln("sweep --resume cut")
        .assert()
        .code(1)
        .stderr(predicate::str::contains(
            "another kiln process is working on this sweep",
        ));
    assert_eq!(interrupt(child), Some(130));
    assert!(!bench.path("cut/3_epochs-2").exists());
    let record: Value = serde_json::from_str(&text(&bench, "cut/sweep.json")).expect("JSON");
    let status = |index: usize| record["trials"][index]["status"].clone();
    assert_eq!(
        [status(0), status(1), status(2)],
        ["finished", "interrupted", "waiting"]
    );
    assert!(text(&bench, "cut/sweep.html").contains("2 of 3 runs are not finished"));

    let before = contents(&bench.path("cut/1_epochs-3"));
    // The config's file is not needed any more.
    std::fs::remove_file(bench.path("tiny.json")).expect("a file");
    bench
        .kiln("sweep --resume cut")
        .assert()
        .success()
        .stderr(predicate::str::contains("1 of them done"));
    assert!(
        before == contents(&bench.path("cut/1_epochs-3")),
        "a finished run was touched"
    );
    assert!(
        !bench.path("cut/unfinished").exists(),
        "the interrupted run is resumed"
    );
    for run in ["1_epochs-3", "2_epochs-250", "3_epochs-2"] {
        for file in ["model.safetensors", "metrics.jsonl", "summary.json"] {
            let whole = bench.read(&format!("whole/{run}/{file}"));
            assert!(
                whole == bench.read(&format!("cut/{run}/{file}")),
                "{run}/{file}"
            );
        }
    }
}

#[test]
fn the_same_command_resumes_its_folder_and_another_one_is_rejected() {
    let bench = bench();
    let grid = "--grid optimizer.lr=1e-3,3e-3 --dir swept";
    bench.output(&format!("sweep tiny.json {grid}"));
    // As if the process had been killed: the run has no summary, and its status is outdated.
    std::fs::remove_file(bench.path("swept/2_lr-0.003/summary.json")).expect("a file");
    let before = contents(&bench.path("swept/1_lr-0.001"));
    bench.output(&format!("sweep tiny.json {grid}"));
    assert!(before == contents(&bench.path("swept/1_lr-0.001")));
    assert!(bench.path("swept/2_lr-0.003/summary.json").is_file());

    let before = contents(&bench.path("swept"));
    for (other, reason) in [
        (
            "sweep tiny.json --grid optimizer.lr=1e-3,4e-3 --dir swept",
            "requested: optimizer.lr=0.001,0.004",
        ),
        (
            "sweep tiny.json --grid optimizer.lr=1e-3,3e-3 --set training.epochs=7 --dir swept",
            "training.epochs: 2 -> 7",
        ),
        (
            "sweep small.json --grid optimizer.lr=1e-3,3e-3 --dir swept",
            " -> ",
        ),
    ] {
        bench
            .kiln(other)
            .assert()
            .code(2)
            .stderr(predicate::str::contains("a different sweep"))
            .stderr(predicate::str::contains(reason));
    }
    assert!(
        before == contents(&bench.path("swept")),
        "a refused sweep wrote something"
    );
    bench.write("full/notes.txt", "mine");
    for refused in [
        "sweep tiny.json --grid seed=1,2 --dir full",
        "sweep --resume full",
    ] {
        bench
            .kiln(refused)
            .assert()
            .code(2)
            .stderr(predicate::str::contains("sweep.json"));
    }
}

#[test]
fn data_that_only_a_later_run_lacks_rejects_the_whole_sweep() {
    let bench = bench();
    let before = bench.listing();
    bench
        .kiln("sweep tiny.json --grid data.kind=glyphs,nist36")
        .env("KILN_DATA", bench.path("."))
        .assert()
        .failure()
        .stderr(predicate::str::contains("nist36"));
    assert_eq!(bench.listing(), before);
}

#[test]
fn one_wrong_combination_rejects_the_whole_sweep_before_anything_is_written() {
    let bench = bench();
    let before = bench.listing();
    for (grid, reasons) in [
        ("optimizer.lrr=1,2", ["optimizer.lrr", "did you mean `lr`"]),
        ("optimizer.lr=1e-3,1e-2,200", ["optimizer.lr", "found 200"]),
        ("model.hidden=[16],16", ["model.hidden", "found 16"]),
        ("model.classes=36,10", ["model.classes", "10"]),
        ("seed=1,2,1", ["seed", "duplicate value 1"]),
        ("seed=", ["seed", "empty"]),
        ("seed", ["seed", "path=value"]),
        ("model.hidden=[1,2", ["model.hidden", "unclosed bracket"]),
        ("optimizer..lr=1", ["optimizer..lr", "dotted path"]),
        ("optimizer.lr=1e-3..1e-1", ["optimizer.lr", "--random"]),
    ] {
        let assert = bench
            .kiln(&format!("sweep tiny.json --grid {grid}"))
            .assert()
            .code(2);
        let err = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        for reason in reasons {
            assert!(err.contains(reason), "{grid}: {reason} is not in\n{err}");
        }
    }
    for arguments in [
        "sweep tiny.json",
        "sweep --grid seed=1,2",
        "sweep tiny.json --grid seed=1,2 --grid seed=3,4",
        "sweep tiny.json --grid seed=1,2 --set seed=3",
        "sweep tiny.json --grid seed=1,2 --seed 3",
        "sweep tiny.json --grid seed=1,2 --random 3",
        "sweep tiny.json --grid seed=1..2000 --random 1500",
        "sweep missing.json --grid seed=1,2",
        "sweep --resume missing",
    ] {
        bench.kiln(arguments).assert().code(2);
    }
    bench.output("sweep tiny.json --grid seed=1,2 --dry-run");
    assert_eq!(bench.listing(), before);
}

#[test]
fn a_run_that_diverges_is_recorded_and_the_sweep_continues() {
    let bench = bench();
    let hot = "--set optimizer.kind=sgd --set model.hidden=[512,512,512] --set loss.reduction=sum";
    let out = bench.output(&format!(
        "sweep small.json --grid optimizer.lr=100,1e-4 {hot} --set training.epochs=1 --dir swept"
    ));
    assert!(out.starts_with("optimizer.lr = 0.0001 gave "), "{out}");
    assert!(
        out.contains("1 of 2 runs diverged (optimizer.lr = 100)."),
        "{out}"
    );
    let csv = text(&bench, "swept/leaderboard.csv");
    assert!(
        csv.contains("diverged") && csv.contains("not a finite number"),
        "{csv}"
    );
    // It would diverge again: it is done.
    let before = contents(&bench.path("swept/1_lr-100"));
    bench.output("sweep --resume swept");
    assert!(before == contents(&bench.path("swept/1_lr-100")));

    bench
        .kiln(&format!(
            "sweep small.json --grid optimizer.lr=100,90 {hot} --dir hot"
        ))
        .assert()
        .code(1)
        .stdout(predicate::str::contains("No run has finished."))
        .stderr(predicate::str::contains("all 2 runs failed"));
}
