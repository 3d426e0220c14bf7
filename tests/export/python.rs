//! A Python process that checks exported files.

use std::path::Path;
use std::process::Command;

use burn::prelude::*;
use kiln::inference::to_input;
use kiln::models::Task;
use serde_json::{Value, json};

use crate::cases::{self, Case};

/// Images of a batch; the scripts also run one alone.
const BATCH: usize = 7;

/// What a script of this folder says about exported cases, in their order. `write` writes a case's files into a folder, where what
/// goes in and what must come out lies as well.
pub fn answers(script: &str, cases: &[Case], write: impl Fn(&Case, &Path)) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a folder");
    let about = |case: &Case| {
        write(case, folder.path());
        write_expected(case, folder.path());
        json!({"name": case.name, "shape": case.classifier.card().input.dims(), "batch": BATCH})
    };
    let list: Vec<Value> = cases.iter().map(about).collect();
    let path = folder.path().join("cases.json");
    std::fs::write(&path, json!(list).to_string()).expect("a file");
    let answers = run(script, &[&path]);
    assert_eq!(answers.len(), cases.len());
    answers
}

/// Fails where a difference in an answer is larger than allowed.
pub fn assert_close(answer: &Value, differences: &[&str], tolerance: f64) {
    for what in differences {
        let difference = answer[what].as_f64().expect("a number");
        assert!(
            difference <= tolerance,
            "{}: {what} differs by {difference}",
            answer["name"]
        );
    }
}

/// Writes raw images, the same as input of the network, its outputs, and what users get (probabilities of a classifier).
fn write_expected(case: &Case, folder: &Path) {
    let classifier = &case.classifier;
    let card = classifier.card();
    let raw = cases::pixels(BATCH, card.input);
    let values = cases::values(&raw, card.input);
    let input = to_input(
        values.clone(),
        BATCH,
        card.input,
        card.normalize.as_ref(),
        &Device::flex(),
    );
    let input: Vec<f32> = input.into_data().try_to_vec().expect("floats");
    let outputs = classifier.outputs(values.clone(), BATCH).expect("outputs");
    let finished = match classifier.task() {
        Task::Classify => classifier.probabilities(values, BATCH).expect("outputs"),
        Task::Reconstruct => outputs.clone(),
    };
    for (ending, content) in [
        ("raw", raw),
        ("input", bytes(input)),
        ("outputs", bytes(outputs.into_iter().flatten())),
        ("finished", bytes(finished.into_iter().flatten())),
    ] {
        let path = folder.join(format!("{}.{ending}", case.name));
        std::fs::write(path, content).expect("a file");
    }
}

/// Little-endian bytes of floats.
pub fn bytes(values: impl IntoIterator<Item = f32>) -> Vec<u8> {
    values.into_iter().flat_map(f32::to_le_bytes).collect()
}

/// Runs a script of this folder with arguments; returns what it prints as JSON, one value a line.
pub fn run(script: &str, arguments: &[&Path]) -> Vec<Value> {
    let script = crate::common::repository()
        .join("tests/export")
        .join(script);
    let output = Command::new(env!("KILN_PYTHON"))
        .arg(&script)
        .args(arguments)
        // Threads would only compete with those of the other tests.
        .env("OMP_NUM_THREADS", "1")
        .output()
        .expect("Python");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {complaint}", script.display());
    let lines = String::from_utf8(output.stdout).expect("text");
    let lines = lines.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().expect("JSON")
}
