//! What a folder of other people's images gives: which files are read, what is told about the rest, and how a run ends.
//! `images`, `splits`, `classes` and `labels` are the table.

#[path = "../common/mod.rs"]
mod common;

mod classes;
mod formats;
mod images;
mod label_columns;
mod labels;
mod runs;
mod splits;
mod support;

use common::Bench;
use support::{Case, Expect, Folder, config};

/// What is wrong with the outcome of a case.
fn wrong(case: &Case) -> Option<String> {
    let bench = Bench::new();
    let folder = bench.path("images");
    std::fs::create_dir(&folder).unwrap();
    (case.make)(&Folder(folder.clone()));
    bench.write("case.json", config(&folder, case.keys));
    let output = bench.kiln("data info case.json --json").output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    let code = output.status.code();
    match &case.expect {
        Expect::Refused(expected, words) => {
            let lines_ok = err.lines().all(|line| line.starts_with("error: "));
            let missing = words.iter().find(|words| !err.contains(**words));
            let fine = code == Some(*expected)
                && lines_ok
                && missing.is_none()
                && output.stdout.is_empty();
            (!fine).then(|| format!("{code:?}, without {missing:?}: {err}"))
        }
        Expect::Used(classes, counts, told) => {
            if code != Some(0) || !err.is_empty() {
                return Some(format!("{code:?}: {err}"));
            }
            let info: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            let found: Vec<&str> = info["classes"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|name| name.as_str())
                .collect();
            let samples: Vec<u64> = info["splits"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|split| split["samples"].as_u64())
                .collect();
            let notes: Vec<&str> = info["notes"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|note| note.as_str())
                .collect();
            let is_told = told.len() == notes.len()
                && told
                    .iter()
                    .all(|words| notes.iter().any(|note| note.contains(words)));
            let fine = found == *classes && samples == counts.map(|count| count as u64) && is_told;
            (!fine).then(|| format!("{found:?} {samples:?} {notes:#?}"))
        }
    }
}

#[test]
fn each_folder_is_used_as_expected_with_what_is_not_used_told_or_refused_with_what_to_change() {
    let tables = [
        images::CASES,
        splits::CASES,
        classes::CASES,
        labels::CASES,
        label_columns::CASES,
    ];
    let cases = || tables.iter().copied().flatten();
    assert!(cases().count() >= 75, "{} cases", cases().count());
    let wrong: Vec<String> = cases()
        .filter_map(|case| Some(format!("{}: {}", case.name, wrong(case)?)))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} are wrong:\n{}",
        wrong.len(),
        cases().count(),
        wrong.join("\n")
    );
}
