//! Ranking, findings and the page of a sweep.

use std::path::Path;

use kiln::metrics::{EpochRecord, Metrics};
use kiln::run_dir::{Samples, Status, Summary};
use kiln::sweeps::findings;
use kiln::sweeps::leaderboard::Leaderboard;
use kiln::sweeps::plan::SweepPlan;
use kiln::sweeps::ranking_metric::RankingMetric;
use kiln::sweeps::record::TrialStatus;
use kiln::sweeps::sweep::Sweep;
use serde_json::{Value, json};

use crate::common::{assert_self_contained, assert_well_formed};
use crate::support::{TINY, bench, parsed, text};

#[test]
fn the_page_of_a_sweep_stands_on_its_own_and_names_every_value() {
    let bench = bench();
    bench.output(
        "sweep tiny.json --grid optimizer.lr=1e-3,2e-3,3e-3,4e-3,5e-3 --grid seed=1,2,3,4 --dir swept",
    );
    let page = text(&bench, "swept/sweep.html");
    assert_well_formed(&page);
    assert_self_contained(&page);
    for part in ["0.001", "0.002", "0.004", "0.005", "lr = ", "seed = 4"] {
        assert!(page.contains(part), "{part}");
    }
    for part in [
        "Validation accuracy",
        "Validation loss",
        "Training loss",
        "By setting",
        "8 more",
        "Validation accuracy by optimizer.lr",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let first = text(&bench, "swept/leaderboard.csv");
    let best = first
        .lines()
        .nth(1)
        .expect("a run")
        .split(',')
        .nth(1)
        .expect("a value")
        .to_string();
    assert!(
        page.contains(&format!("optimizer.lr = {best} with seed = ")),
        "{best}"
    );
}

fn metrics(name: &str, value: f64) -> Metrics {
    Metrics::from([(name.to_string(), value), ("loss".to_string(), 1.0)])
}

/// A sweep whose runs have reached these values of a metric, without training.
fn pretended(folder: &Path, axes: &[&str], metric: &str, values: &[f64]) -> Leaderboard {
    let config = folder.join("tiny.json");
    std::fs::write(&config, TINY).expect("a file");
    let plan = SweepPlan::new(&config, &[], parsed(axes), None).expect("a plan");
    let dir = folder.join("swept");
    let sweep = plan.start(Some(&dir)).expect("a sweep");
    for (index, &value) in values.iter().enumerate() {
        let run = sweep.run_path(index);
        std::fs::create_dir(&run).expect("a folder");
        let write = |name: &str, value: Value| {
            std::fs::write(run.join(name), value.to_string()).expect("a file");
        };
        let experiment = &sweep.experiments[index];
        let record = EpochRecord {
            epoch: 1,
            learning_rate: 0.1,
            train: metrics(metric, value),
            valid: metrics(metric, value),
        };
        let summary = Summary {
            kiln: "0".into(),
            name: experiment.name.clone(),
            seed: experiment.seed,
            backend: experiment.backend,
            status: Status::Finished,
            parameters: 1,
            classes: Vec::new(),
            input: serde_json::from_value(json!({"channels": 1, "height": 8, "width": 8}))
                .expect("a shape"),
            passed_over: Default::default(),
            samples: Samples {
                train: 1,
                valid: 1,
                test: 0,
            },
            epochs: 1,
            best_epoch: 1,
            valid: metrics(metric, value),
            test: None,
            calibration: None,
            per_class: Vec::new(),
            most_confused: Vec::new(),
        };
        write("config.json", json!(experiment));
        write("metrics.jsonl", json!(record));
        write("summary.json", json!(summary));
        write("report.html", Value::Null);
    }
    drop(sweep);
    Leaderboard::of(&Sweep::open(&dir).expect("the sweep"))
}

#[test]
fn the_sentence_says_which_value_was_best_and_by_how_much() {
    let said = |axes: &[&str], metric: &str, values: &[f64]| {
        let folder = tempfile::tempdir().expect("a folder");
        let board = pretended(folder.path(), axes, metric, values);
        findings::of_sweep(&board).join(" ").replace('\u{a0}', " ")
    };
    let lr = "optimizer.lr=2e-2,2e-3,2e-4";
    assert_eq!(
        said(&[lr], "accuracy", &[0.582, 0.663, 0.573]),
        "optimizer.lr = 0.002 was best: 66.3 % validation accuracy in epoch 1; 0.02 was 8.1 points below and 0.0002 \
         9.0 points."
    );
    assert_eq!(
        said(&[lr], "accuracy", &[0.5, 0.5, 0.4]),
        "optimizer.lr = 0.02 gave 50.0 % validation accuracy in epoch 1; 0.002 was as good; 0.0002 was 10.0 points \
         below. The best optimizer.lr is the largest that was tried; a larger one may be better."
    );
    assert_eq!(
        said(&[lr], "psnr", &[20.0, 24.5, 23.0]),
        "optimizer.lr = 0.002 was best: a validation PSNR of 24.50 dB in epoch 1; 0.0002 was 1.50 dB below and 0.02 4.50 dB."
    );
    // Of the loss, less is better.
    assert_eq!(
        said(&[lr], "else", &[1.0]),
        "optimizer.lr = 0.02 gave a validation loss of 1.000 in epoch 1. The best optimizer.lr is the largest that was \
         tried; a larger one may be better. 2 of 3 runs are not finished."
    );
    assert_eq!(
        said(&[lr], "loss", &[]),
        "No run has finished. 3 of 3 runs are not finished."
    );
    assert_eq!(
        said(
            &["optimizer.lr=1e-1,1e-2", "model.hidden=[8],[8,8]"],
            "accuracy",
            &[0.2, 0.9, 0.3, 0.8]
        ),
        "optimizer.lr = 0.1 with model.hidden = [8,8] was best: 90.0 % validation accuracy in epoch 1; the other 3 were \
         10.0 to 70.0 points below."
    );
}

#[test]
fn runs_are_ranked_by_what_all_of_them_have() {
    let of = |names: &[&str]| {
        let runs: Vec<Metrics> = names.iter().map(|name| metrics(name, 1.0)).collect();
        RankingMetric::of(runs.iter()).key()
    };
    assert_eq!(of(&["accuracy", "accuracy"]), "accuracy");
    assert_eq!(of(&["psnr", "psnr"]), "psnr");
    assert_eq!(of(&["psnr", "accuracy"]), "loss");
    assert_eq!(of(&[]), "loss");
    let folder = tempfile::tempdir().expect("a folder");
    let board = pretended(
        folder.path(),
        &["seed=1,2,3"],
        "psnr",
        &[20.0, f64::NAN, 22.0],
    );
    let places: Vec<_> = board
        .rows
        .iter()
        .map(|row| (row.rank, row.run.as_str()))
        .collect();
    assert_eq!(
        places,
        [
            (Some(1), "3_seed-3"),
            (Some(2), "1_seed-1"),
            (None, "2_seed-2")
        ]
    );
    let csv = board.csv().expect("CSV");
    assert!(csv.starts_with("place,seed,valid_psnr,"), "{csv}");
    assert_well_formed(&board.page());
    let finished = board
        .rows
        .iter()
        .filter(|row| row.status == TrialStatus::Finished);
    assert_eq!(finished.count(), 2);
}
