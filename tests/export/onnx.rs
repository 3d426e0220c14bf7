//! ONNX files, checked by ONNX's own checker and run by ONNX Runtime.

use std::path::Path;

use kiln::data::NormalizeConfig;
use kiln::export::{GraphOptions, export};
use kiln::inference::ModelCard;
use kiln::models::Task;
use serde_json::json;

use crate::cases::{self, Case};
use crate::python::{answers, assert_close};

/// Largest difference of logits, as a part of the largest where that is above 1.
const TOLERANCE: f64 = 1e-4;

/// Writes both graphs of a case.
fn write(case: &Case, folder: &Path) {
    for (ending, with_preprocessing) in [(".onnx", false), ("_raw.onnx", true)] {
        let path = folder.join(format!("{}{ending}", case.name));
        let options = GraphOptions { with_preprocessing };
        export(&case.classifier, &path, options).expect("an export");
    }
}

fn assert_runs(cases: &[Case]) {
    let answers = answers("check_onnx.py", cases, write);
    for (case, answer) in cases.iter().zip(answers) {
        let name = &case.name;
        assert_eq!(answer["name"], json!(name));
        assert_close(
            &answer,
            &["logits", "one", "finished", "finished_one"],
            TOLERANCE,
        );
        let is_classifier = case.classifier.task() == Task::Classify;
        let [output, finished] = if is_classifier {
            ["logits", "probabilities"]
        } else {
            ["reconstructions", "reconstructions"]
        };
        assert_eq!(answer["outputs"], json!([output, finished]), "{name}");
        let card = case.classifier.card();
        let metadata = &answer["metadata"];
        let entry = |key: &str| metadata[key].as_str().expect("a text");
        assert_eq!(entry("classes"), json!(card.classes).to_string(), "{name}");
        assert_eq!(entry("input"), json!(card.input.dims()).to_string());
        let normalize: Option<NormalizeConfig> =
            serde_json::from_str(entry("normalize")).expect("JSON");
        assert_eq!(normalize, card.normalize, "{name}");
        let written: ModelCard = serde_json::from_str(entry("kiln")).expect("a card");
        assert_eq!(&written, card, "{name}");
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
