//! What a user may rely on when several runs are made, listed and compared: `kiln sweep` and `kiln runs`.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Bench, SMALL, assert_self_contained, assert_well_formed};
use kiln::metrics::{EpochRecord, Metrics};
use kiln::run_dir::{Samples, Status, Summary};
use kiln::sweeps::leaderboard::Leaderboard;
use kiln::sweeps::plan::Plan;
use kiln::sweeps::ranking_metric::Yardstick;
use kiln::sweeps::search_space::{self, Axis, Draw, MOST_RUNS};
use kiln::sweeps::sweep::{Sweep, TrialStatus};
use predicates::prelude::*;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Even smaller than [`SMALL`]: for what needs many epochs or many runs.
const TINY: &str = r#"{
  "data": {"kind": "glyphs", "train": 144, "valid": 72, "test": 36},
  "model": {"kind": "mlp", "hidden": [16], "activation": "relu"},
  "optimizer": {"kind": "adam", "lr": 3e-3},
  "training": {"epochs": 2, "batch_size": 48}
}"#;

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    bench.write("tiny.json", TINY);
    bench
}

fn text(bench: &Bench, name: &str) -> String {
    String::from_utf8(bench.read(name)).expect("text")
}

/// Every file below a folder with its content.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => found.extend(contents(&path)),
            false => {
                let content = std::fs::read(&path).expect("a file");
                found.insert(path, content);
            }
        }
    }
    found
}

/// `kiln` at work in the background.
fn spawn(bench: &Bench, arguments: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_kiln"))
        .current_dir(bench.folder.path())
        .args(arguments.split_whitespace())
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("kiln starts")
}

/// Waits until a run has completed an epoch.
fn wait_for_an_epoch(bench: &Bench, run: &str) {
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

fn interrupt(mut child: Child) -> Option<i32> {
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("a signal");
    child.wait().expect("an end").code()
}

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

    // Nothing is left to do, and the same is told to programs.
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
fn a_sweep_that_is_broken_off_goes_on_where_it_was() {
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
        .stderr(predicate::str::contains("at work"));
    assert_eq!(interrupt(child), Some(130));
    assert!(!bench.path("cut/3_epochs-2").exists());
    let record: Value = serde_json::from_str(&text(&bench, "cut/sweep.json")).expect("JSON");
    let status = |index: usize| record["trials"][index]["status"].clone();
    assert_eq!(
        [status(0), status(1), status(2)],
        ["finished", "interrupted", "waiting"]
    );
    assert!(text(&bench, "cut/sweep.html").contains("2 of 3 runs are still to be done"));

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
        "the run that was broken off goes on"
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
fn the_same_command_goes_on_with_its_folder_and_another_one_is_refused() {
    let bench = bench();
    let grid = "--grid optimizer.lr=1e-3,3e-3 --dir swept";
    bench.output(&format!("sweep tiny.json {grid}"));
    // As if the process had been killed: the run lacks its end, and nobody noted that.
    std::fs::remove_file(bench.path("swept/2_lr-0.003/summary.json")).expect("a file");
    let before = contents(&bench.path("swept/1_lr-0.001"));
    bench.output(&format!("sweep tiny.json {grid}"));
    assert!(before == contents(&bench.path("swept/1_lr-0.001")));
    assert!(bench.path("swept/2_lr-0.003/summary.json").is_file());

    let before = contents(&bench.path("swept"));
    for (other, reason) in [
        (
            "sweep tiny.json --grid optimizer.lr=1e-3,4e-3 --dir swept",
            "0.004 asked for",
        ),
        (
            "sweep tiny.json --grid optimizer.lr=1e-3,3e-3 --set training.epochs=7 --dir swept",
            "training.epochs is 2 there, 7 asked for",
        ),
        (
            "sweep small.json --grid optimizer.lr=1e-3,3e-3 --dir swept",
            "asked for",
        ),
    ] {
        bench
            .kiln(other)
            .assert()
            .code(2)
            .stderr(predicate::str::contains("another sweep"))
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
fn data_that_only_a_later_run_misses_refuses_the_whole_sweep() {
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
fn one_wrong_combination_refuses_the_whole_sweep_before_anything_is_written() {
    let bench = bench();
    let before = bench.listing();
    for (grid, reasons) in [
        ("optimizer.lrr=1,2", ["optimizer.lrr", "did you mean `lr`"]),
        ("optimizer.lr=1e-3,1e-2,200", ["optimizer.lr", "found 200"]),
        ("model.hidden=[16],16", ["model.hidden", "found 16"]),
        ("model.classes=36,10", ["model.classes", "10"]),
        ("seed=1,2,1", ["seed", "1 is there twice"]),
        ("seed=", ["seed", "empty"]),
        ("seed", ["seed", "path=value"]),
        ("model.hidden=[1,2", ["model.hidden", "not closed"]),
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
fn a_run_that_diverges_is_noted_and_the_sweep_goes_on() {
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
        .stdout(predicate::str::contains("No run has come to its end."))
        .stderr(predicate::str::contains("all 2 runs failed"));
}

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
        "By value",
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

fn parsed(grids: &[&str]) -> Vec<Axis> {
    grids
        .iter()
        .map(|grid| Axis::parse(grid).expect(grid))
        .collect()
}

#[test]
fn the_same_seed_draws_the_same_combinations() {
    let axes = parsed(&[
        "optimizer.lr=1e-4..1e-1",
        "training.batch_size=16..64",
        "seed=1,2",
    ]);
    let of = |seed| search_space::draw(&axes, Draw { count: 40, seed }).expect("drawn");
    assert_eq!(of(7), of(7));
    assert_ne!(of(7), of(8));
    let drawn = of(7);
    for (index, combination) in drawn.iter().enumerate() {
        assert!(
            !drawn[..index].contains(combination),
            "drawn twice: {combination:?}"
        );
        let lr = combination[0].as_f64().expect("a number");
        let batch = combination[1].as_i64().expect("a whole number");
        assert!(
            (1e-4..=1e-1).contains(&lr) && (16..=64).contains(&batch),
            "{combination:?}"
        );
        assert!(
            lr.to_string().trim_start_matches(['0', '.']).len() <= 3,
            "{lr}"
        );
    }
    // Evenly on a logarithmic scale: each of the three decades gets its share of 40.
    for decade in [1e-4, 1e-3, 1e-2] {
        let within = |c: &&Vec<Value>| (decade..10.0 * decade).contains(&c[0].as_f64().unwrap());
        let count = drawn.iter().filter(within).count();
        assert!((5..=22).contains(&count), "{count} from {decade}");
    }
    let bench = bench();
    let listed = |seed| {
        bench.output(&format!(
            "sweep tiny.json --grid optimizer.lr=1e-4..1e-1 --grid seed=1,2 --random 5 --seed {seed} --dry-run"
        ))
    };
    assert_eq!(listed(3), listed(3));
    assert_ne!(listed(3), listed(4));
}

#[test]
fn drawing_takes_as_many_as_there_are_and_no_more() {
    let axes = parsed(&["seed=1,2,3", "model.hidden=[16],[16,16]"]);
    let draw = |count| search_space::draw(&axes, Draw { count, seed: 1 });
    let mut all = draw(6).expect("all six");
    let mut grid = search_space::all(&axes).expect("a grid");
    let key = |c: &Vec<Value>| format!("{c:?}");
    all.sort_by_key(key);
    grid.sort_by_key(key);
    assert_eq!(all, grid);
    let error = draw(7).expect_err("too many").to_string();
    assert!(error.contains("only 6"), "{error}");
    let whole = parsed(&["seed=1..3"]);
    assert!(search_space::draw(&whole, Draw { count: 3, seed: 1 }).is_ok());
    assert!(search_space::draw(&whole, Draw { count: 4, seed: 1 }).is_err());
    let axes = parsed(&["seed=0..2000"]);
    let count = MOST_RUNS + 1;
    assert!(search_space::draw(&axes, Draw { count, seed: 1 }).is_err());
}

#[test]
fn a_range_from_zero_is_drawn_evenly() {
    let axes = parsed(&["model.dropout=0..0.5"]);
    let drawn = search_space::draw(
        &axes,
        Draw {
            count: 200,
            seed: 1,
        },
    )
    .expect("drawn");
    let below = drawn
        .iter()
        .filter(|c| c[0].as_f64().unwrap() < 0.25)
        .count();
    assert!((70..=130).contains(&below), "{below}");
    assert!(Axis::parse("seed=1..3,5").is_err());
    assert!(Axis::parse("seed=3..1").is_err());
    // Two dots alone make no range.
    assert_eq!(
        search_space::all(&parsed(&["data.folder=../letters"])).unwrap(),
        [[json!("../letters")]]
    );
}

/// Any JSON value of a few levels.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-1e9..1e9).prop_map(|x: f64| Value::from(x)),
        any::<String>().prop_map(Value::from),
        r#"[\[\]{},"\\a ]{0,6}"#.prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z,\\]]{0,3}", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn values_that_are_joined_by_commas_are_split_into_the_same_values(
        values in prop::collection::vec(any_json(), 1..6)
    ) {
        let texts: Vec<String> = values.iter().map(Value::to_string).collect();
        let joined = texts.join(",");
        prop_assert_eq!(search_space::split(&joined).expect("balanced"), texts);
    }

    #[test]
    fn splitting_loses_nothing_and_never_panics(text in any::<String>()) {
        if let Ok(pieces) = search_space::split(&text) {
            let stripped = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(stripped(&pieces.join(",")), stripped(&text));
        }
        let _ = Axis::parse(&format!("seed={text}"));
    }
}

fn metrics(name: &str, value: f64) -> Metrics {
    Metrics::from([(name.to_string(), value), ("loss".to_string(), 1.0)])
}

/// A sweep whose runs have reached these values of a metric, without training.
fn pretended(folder: &Path, axes: &[&str], metric: &str, values: &[f64]) -> Leaderboard {
    let config = folder.join("tiny.json");
    std::fs::write(&config, TINY).expect("a file");
    let plan = Plan::new(&config, &[], parsed(axes), None).expect("a plan");
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
        board.findings().join(" ").replace('\u{a0}', " ")
    };
    let lr = "optimizer.lr=2e-2,2e-3,2e-4";
    assert_eq!(
        said(&[lr], "accuracy", &[0.582, 0.663, 0.573]),
        "optimizer.lr = 0.002 was best: 66.3 % validation accuracy in epoch 1; 0.02 stayed 8.1 points below and 0.0002 \
         9.0 points."
    );
    assert_eq!(
        said(&[lr], "accuracy", &[0.5, 0.5, 0.4]),
        "optimizer.lr = 0.02 gave 50.0 % validation accuracy in epoch 1; 0.002 was as good; 0.0002 stayed 10.0 points \
         below. The best optimizer.lr is the largest that was tried; a larger one may be better still."
    );
    assert_eq!(
        said(&[lr], "psnr", &[20.0, 24.5, 23.0]),
        "optimizer.lr = 0.002 was best: a validation PSNR of 24.50 dB in epoch 1; 0.0002 stayed 1.50 dB below and 0.02 4.50 dB."
    );
    // Of the loss, less is better.
    assert_eq!(
        said(&[lr], "else", &[1.0]),
        "optimizer.lr = 0.02 gave a validation loss of 1.000 in epoch 1. The best optimizer.lr is the largest that was \
         tried; a larger one may be better still. 2 of 3 runs are still to be done."
    );
    assert_eq!(
        said(&[lr], "loss", &[]),
        "No run has come to its end. 3 of 3 runs are still to be done."
    );
    assert_eq!(
        said(
            &["optimizer.lr=1e-1,1e-2", "model.hidden=[8],[8,8]"],
            "accuracy",
            &[0.2, 0.9, 0.3, 0.8]
        ),
        "optimizer.lr = 0.1 with model.hidden = [8,8] was best: 90.0 % validation accuracy in epoch 1; the other 3 stayed \
         10.0 to 70.0 points below."
    );
}

#[test]
fn runs_are_ranked_by_what_all_of_them_have() {
    let of = |names: &[&str]| {
        let runs: Vec<Metrics> = names.iter().map(|name| metrics(name, 1.0)).collect();
        Yardstick::of(runs.iter()).metric
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
        .map(|row| (row.place, row.run.as_str()))
        .collect();
    assert_eq!(
        places,
        [
            (Some(1), "3_seed-3"),
            (Some(2), "1_seed-1"),
            (None, "2_seed-2")
        ]
    );
    assert!(
        board.csv().starts_with("place,seed,valid_psnr,"),
        "{}",
        board.csv()
    );
    assert_well_formed(&board.page());
    let finished = board
        .rows
        .iter()
        .filter(|row| row.status == TrialStatus::Finished);
    assert_eq!(finished.count(), 2);
}

#[test]
fn runs_list_shows_runs_in_any_state() {
    let bench = bench();
    bench.kiln("runs list").assert().success().stdout("");
    bench.output("train tiny.json");
    bench.output("train tiny.json --set optimizer.lr=1e-9");
    bench.output("sweep tiny.json --grid seed=1,2");
    bench.write(
        "runs/begun/config.json",
        bench.read("runs/tiny-1/config.json"),
    );
    bench.write(
        "runs/broken/config.json",
        bench.read("runs/tiny-1/config.json"),
    );
    bench.write("runs/broken/summary.json", "{");
    bench.write(
        "runs/headless/metrics.jsonl",
        bench.read("runs/tiny-1/metrics.jsonl"),
    );
    bench.write("runs/no run/notes.txt", "mine");
    let runs = bench.json("runs list --json");
    let status: BTreeMap<&str, &str> = runs
        .as_array()
        .expect("a list")
        .iter()
        .map(|run| {
            (
                run["run"].as_str().unwrap(),
                run["status"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        status,
        BTreeMap::from([
            ("runs/tiny-1", "finished"),
            ("runs/tiny-2", "finished"),
            ("runs/begun", "unfinished"),
            ("runs/broken", "damaged"),
            ("runs/headless", "damaged"),
            ("sweeps/tiny-1/1_seed-1", "finished"),
            ("sweeps/tiny-1/2_seed-2", "finished"),
        ])
    );
    let text = bench.output("runs list runs --sort valid");
    let at = |run: &str| {
        text.lines()
            .position(|line| line.starts_with(run))
            .expect(run)
    };
    assert!(at("runs/tiny-1") < at("runs/tiny-2"), "{text}");
    assert!(at("runs/tiny-2") < at("runs/begun"), "{text}");
    let line = text.lines().nth(at("runs/tiny-1")).expect("a line");
    for part in ["mlp", "glyphs", "finished", " %", "20"] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
    bench
        .kiln("runs list")
        .assert()
        .success()
        .stderr(predicate::str::contains("runs/broken/summary.json"));
    bench
        .kiln("runs list nowhere")
        .assert()
        .code(1)
        .stderr(predicate::str::contains("nowhere"));
}

#[test]
fn runs_show_tells_the_settings_that_were_chosen_and_no_defaults() {
    let bench = bench();
    bench.output("train tiny.json --set training.epochs=45 --run-dir run");
    let shown = bench.json("runs show run --json");
    assert_eq!(
        shown["settings"],
        json!({
            "data.kind": "glyphs", "data.train": 144, "data.valid": 72, "data.test": 36,
            "model.kind": "mlp", "model.hidden": [16], "model.activation": "relu",
            "optimizer.kind": "adam", "optimizer.lr": 0.003, "schedule.kind": "constant",
            "training.epochs": 45, "training.batch_size": 48,
        })
    );
    assert_eq!(shown["history"].as_array().expect("epochs").len(), 45);
    let text = bench.output("runs show run");
    for part in [
        "validation accuracy",
        "best ",
        "model.safetensors",
        "checkpoints/",
        "\n    45 ",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert!(!text.contains("label_smoothing"), "{text}");
    assert!(
        text.lines().count() < 70,
        "long runs are shortened:\n{text}"
    );
    bench
        .kiln("runs show .")
        .assert()
        .code(1)
        .stderr(predicate::str::contains("not a run directory"));
}

#[test]
fn runs_compare_shows_the_differing_settings_only() {
    let bench = bench();
    bench.output("train tiny.json --run-dir a");
    bench.output("train tiny.json --run-dir b --set optimizer.lr=1e-2");
    bench.output("train tiny.json --run-dir c --set optimizer.kind=sgd --set model.hidden=[16,16]");
    let compared = bench.json("runs compare a b --json");
    assert_eq!(
        compared["differing"],
        json!({"optimizer.lr": [0.003, 0.01]})
    );
    let text = bench.output("runs compare a b c --html page.html");
    assert!(
        text.contains("[1]  a") && text.contains("test accuracy"),
        "{text}"
    );
    let settings = text
        .split("settings that differ\n")
        .nth(1)
        .expect("a table");
    let keys: Vec<&str> = settings
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(
        keys,
        [
            "model.hidden",
            "optimizer.beta1",
            "optimizer.beta2",
            "optimizer.epsilon",
            "optimizer.kind",
            "optimizer.lr",
            "optimizer.momentum",
        ]
    );
    let page = String::from_utf8(bench.read("page.html")).expect("text");
    assert_well_formed(&page);
    assert_self_contained(&page);
    assert!(page.contains("3 runs compared") && page.contains("[16,16]"));
    bench.output("train tiny.json --run-dir d");
    assert!(
        bench
            .output("runs compare a d")
            .contains("no setting differs")
    );
    bench.kiln("runs compare a").assert().code(2);
    bench.kiln("runs compare a nowhere").assert().code(1);
}
