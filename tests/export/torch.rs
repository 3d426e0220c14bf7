//! Code for PyTorch, run by PyTorch.

use std::path::Path;

use kiln::data::{Fit, View};
use kiln::export::{GraphOptions, export};
use kiln::photo;
use kiln::shape::ImageShape;
use serde_json::json;

use crate::cases::{self, Case, list, pixels};
use crate::python::{answers, assert_close, bytes, run};

/// Largest difference of logits, as a part of the largest where that is above 1.
const TOLERANCE: f64 = 1e-5;

fn write(case: &Case, folder: &Path) {
    let path = folder.join(format!("{}.py", case.name));
    export(&case.classifier, &path, GraphOptions::default()).expect("an export");
}

fn assert_runs(cases: &[Case]) {
    for answer in answers("check_torch.py", cases, write) {
        assert_close(
            &answer,
            &["outputs", "one", "finished", "single"],
            TOLERANCE,
        );
    }
}

#[test]
#[cfg_attr(not(kiln_python = "torch"), ignore = "needs a Python with torch")]
fn pytorch_gives_the_answers_of_every_network_from_its_code_and_weights() {
    assert_runs(&cases::networks());
}

#[test]
#[cfg_attr(not(kiln_python = "torch"), ignore = "needs a Python with torch")]
fn pytorch_gives_the_answers_of_every_layer_from_its_code_and_weights() {
    assert_runs(&cases::lists());
}

#[test]
#[cfg_attr(not(kiln_python = "torch"), ignore = "needs a Python with torch")]
fn layers_may_have_the_names_of_what_pytorchs_modules_have() {
    let dense = |name: &str| json!({"kind": "linear", "features": 3, "name": name});
    let names = [
        "forward",
        "eval",
        "train",
        "to",
        "put",
        "at",
        "parameters",
        "state_dict",
        "load_state_dict",
        "_modules",
        "_parameters",
        "__init__",
        "None",
        "lambda",
        "weight",
        "in_features",
        "out_features.x",
        "_buffers",
        "T_destination",
    ];
    let layers = [json!("flatten")].into_iter().chain(names.map(dense));
    let layers: Vec<serde_json::Value> = layers.chain([json!("linear")]).collect();
    assert_runs(&[list("names", json!(layers), ImageShape::new(1, 4, 4))]);
    // A layer below another, under a name that the other does not have as a parameter.
    let below = json!([
        "flatten",
        dense("a"),
        dense("a.in_features"),
        dense("a.b.c"),
        dense("0.weight"),
        "linear"
    ]);
    assert_runs(&[list("below", below, ImageShape::new(1, 4, 4))]);
}

/// Height and width of photographs: larger and smaller than samples, upright and lying, and a single row.
const PHOTOGRAPHS: [(usize, usize); 5] = [(90, 61), (17, 40), (9, 9), (1, 7), (150, 20)];

/// Largest difference of a prepared value: one level of 255, where a sum lies between two.
const LEVEL: f64 = 1.001 / 255.0;

/// Largest part of values that may differ at all.
const DIFFERENT: f64 = 0.05;

#[test]
#[cfg_attr(not(kiln_python = "torch"), ignore = "needs a Python with torch")]
fn the_code_prepares_photographs_as_kiln_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut samples = Vec::new();
    for (index, (height, width)) in PHOTOGRAPHS.into_iter().enumerate() {
        let photograph = pixels(1, ImageShape::new(3, height, width));
        let image = image::RgbImage::from_raw(width as u32, height as u32, photograph);
        let path = folder.path().join(format!("{index}.png"));
        image.expect("an image").save(&path).expect("a file");
        for (fit, centre) in [(Fit::Pad, 1.0), (Fit::Crop, 0.8), (Fit::Stretch, 1.0)] {
            for shape in [ImageShape::new(1, 24, 24), ImageShape::new(3, 20, 31)] {
                let name = format!("p{}", samples.len());
                let case = list(&name, json!(["flatten", "linear"]), shape);
                let classifier = case.classifier.with_view(View { fit, centre });
                let module = folder.path().join(format!("{name}.py"));
                export(&classifier, &module, GraphOptions::default()).expect("an export");
                let photo = photo::open(&path).expect("a photograph");
                let sample = bytes(classifier.card().sample(photo));
                std::fs::write(folder.path().join(&name), sample).expect("a file");
                samples.push(json!({"name": name, "photograph": path}));
            }
        }
    }
    let list = folder.path().join("samples.json");
    std::fs::write(&list, json!(samples).to_string()).expect("a file");
    let answers = run("check_prepare.py", &[&list]);
    assert_eq!(answers.len(), samples.len());
    for answer in answers {
        assert_close(&answer, &["largest"], LEVEL);
        assert_close(&answer, &["different"], DIFFERENT);
    }
}
