//! ONNX files, checked by ONNX's own checker and run by ONNX Runtime.

use burn::prelude::*;
use kiln::export::{GraphOptions, export};
use kiln::inference::to_input;
use kiln::models::Task;
use serde_json::{Value, json};

use crate::cases::{self, Case};
use crate::python::{bytes, run};

/// Images of a batch; the script also runs one alone.
const BATCH: usize = 7;

/// Largest difference of logits, for logits up to 1; larger ones may differ by as much of the largest.
const TOLERANCE: f64 = 1e-4;

/// Writes both graphs of a case, what goes into them and what must come out; returns what the script must know.
fn write(case: &Case, folder: &std::path::Path) -> Value {
    let classifier = &case.classifier;
    let card = classifier.card();
    let path = |ending: &str| folder.join(format!("{}{ending}", case.name));
    let options = |with_preprocessing| GraphOptions { with_preprocessing };
    export(classifier, &path(".onnx"), options(false)).expect("an export");
    export(classifier, &path("_raw.onnx"), options(true)).expect("an export");
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
    let logits = classifier.outputs(values.clone(), BATCH).expect("outputs");
    let finished = match classifier.task() {
        Task::Classify => classifier.probabilities(values, BATCH).expect("outputs"),
        Task::Reconstruct => logits.clone(),
    };
    for (ending, content) in [
        (".raw", raw),
        (".input", bytes(input)),
        (".logits", bytes(logits.into_iter().flatten())),
        (".finished", bytes(finished.into_iter().flatten())),
    ] {
        std::fs::write(path(ending), content).expect("a file");
    }
    json!({"name": case.name, "shape": card.input.dims(), "batch": BATCH})
}

fn assert_runs(cases: &[Case]) {
    let folder = tempfile::tempdir().expect("a folder");
    let list: Vec<Value> = cases
        .iter()
        .map(|case| write(case, folder.path()))
        .collect();
    let path = folder.path().join("cases.json");
    std::fs::write(&path, json!(list).to_string()).expect("a file");
    let answers = run("check_onnx.py", &[&path]);
    assert_eq!(answers.len(), cases.len());
    for (case, answer) in cases.iter().zip(answers) {
        let name = &case.name;
        assert_eq!(answer["name"], json!(name));
        for what in ["logits", "one", "finished", "finished_one"] {
            let difference = answer[what].as_f64().expect("a number");
            assert!(
                difference <= TOLERANCE,
                "{name}: {what} differ by {difference}"
            );
        }
        let is_classifier = case.classifier.task() == Task::Classify;
        let [output, finished] = if is_classifier {
            ["logits", "probabilities"]
        } else {
            ["reconstructions", "reconstructions"]
        };
        assert_eq!(answer["outputs"], json!([output, finished]), "{name}");
        let card = case.classifier.card();
        let metadata = &answer["metadata"];
        let entry = |key: &str| -> Value {
            let text = metadata[key].as_str().expect("a text");
            serde_json::from_str(text).expect("JSON")
        };
        assert_eq!(entry("classes"), json!(card.classes), "{name}");
        assert_eq!(entry("input"), json!(card.input.dims()), "{name}");
        assert_eq!(entry("normalize"), json!(card.normalize), "{name}");
        assert_eq!(entry("kiln"), json!(card), "{name}");
    }
}

#[test]
#[cfg_attr(
    not(kiln_python = "onnxruntime"),
    ignore = "needs a Python with onnx and onnxruntime"
)]
fn onnx_runtime_gives_the_answers_of_every_network() {
    assert_runs(&cases::networks());
}

#[test]
#[cfg_attr(
    not(kiln_python = "onnxruntime"),
    ignore = "needs a Python with onnx and onnxruntime"
)]
fn onnx_runtime_gives_the_answers_of_every_layer() {
    assert_runs(&cases::lists());
}
