//! kiln's own ONNX files, run by kiln: the answers are those of the model they were exported from.

use kiln::export::{GraphOptions, export};
use kiln::inference::Predictor;
use kiln::inference::onnx::{OnnxClassifier, OnnxSettings};
use kiln::models::Task;
use serde_json::Value;

use crate::cases::{self, Case};
use crate::common::{Bench, SMALL, noise};

/// Largest difference of probabilities.
const TOLERANCE: f32 = 1e-4;

/// Probabilities of kiln and of the exported graph for images of bytes.
fn assert_agrees(case: &Case) {
    let classifier = &case.classifier;
    let card = classifier.card();
    let folder = tempfile::tempdir().expect("a folder");
    let count = 3;
    let values = noise(count * card.input.values(), 5);
    let pixels: Vec<f32> = values
        .into_iter()
        .map(|value| (value * 255.0).floor() as f32 / 255.0)
        .collect();
    let expected = classifier
        .probabilities(pixels.clone(), count)
        .expect("probabilities");
    for with_preprocessing in [false, true] {
        let path = folder.path().join("out.onnx");
        export(classifier, &path, GraphOptions { with_preprocessing }).expect("an export");
        let opened = OnnxClassifier::open(&path, &OnnxSettings::default());
        let opened = opened.unwrap_or_else(|error| panic!("{}: {error}", case.name));
        assert!(opened.notes().is_empty(), "{:?}", opened.notes());
        let found = opened.probabilities(pixels.clone(), count);
        let found = found.unwrap_or_else(|error| panic!("{}: {error}", case.name));
        for (class, name) in card.classes.iter().enumerate() {
            assert_eq!(&opened.class_name(class), name);
        }
        assert_eq!(found.len(), count);
        for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
            assert!(
                (found - expected).abs() < TOLERANCE,
                "{} ({with_preprocessing}): {found} instead of {expected}",
                case.name
            );
        }
    }
}

#[test]
#[cfg_attr(not(feature = "onnx"), ignore = "needs --features onnx")]
fn the_exports_of_every_layer_give_the_answers_of_the_model() {
    cases::lists().iter().for_each(assert_agrees);
}

#[test]
#[cfg_attr(not(feature = "onnx"), ignore = "needs --features onnx")]
fn the_exports_of_every_kind_of_network_give_the_answers_of_the_model() {
    let small = cases::small();
    assert!(small.len() > 12);
    let classifiers = small.iter();
    classifiers
        .filter(|case| case.classifier.task() == Task::Classify)
        .for_each(assert_agrees);
}

#[test]
#[cfg_attr(not(feature = "onnx"), ignore = "needs --features onnx")]
fn predict_gives_the_same_lines_for_a_run_and_for_its_exports() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    bench.output("train small.json --run-dir run");
    bench.output("model export run plain.onnx");
    bench.output("model export run whole.onnx --with-preprocessing");
    // Of another size than the model's, in colour.
    let image = image::RgbImage::from_fn(40, 31, |x, y| {
        let inside = (10..20).contains(&x) || (12..16).contains(&y);
        image::Rgb(if inside {
            [20, 40, 60]
        } else {
            [250, 240, 230]
        })
    });
    image.save(bench.path("photo.png")).expect("an image");
    let expected = bench.json("predict run photo.png --json --top-k 5");
    for file in ["plain.onnx", "whole.onnx"] {
        let found = bench.json(&format!("predict {file} photo.png --json --top-k 5"));
        assert_eq!(found[0]["image"], expected[0]["image"]);
        let guesses = |answer: &Value| answer[0]["guesses"].as_array().expect("guesses").clone();
        for (found, expected) in guesses(&found).iter().zip(guesses(&expected)) {
            assert_eq!(found["class"], expected["class"], "{file}");
            let confidence = |guess: &Value| guess["confidence"].as_f64().expect("a number");
            assert!((confidence(found) - confidence(&expected)).abs() < 1e-4);
        }
        let text = bench.output(&format!("predict {file} photo.png"));
        assert!(text.starts_with("photo.png: "), "{text}");
    }
}

#[test]
#[cfg_attr(not(feature = "onnx"), ignore = "needs --features onnx")]
fn an_autoencoder_is_refused_and_what_a_file_says_itself_can_not_be_said_again() {
    let bench = Bench::new();
    let small = cases::small();
    let write = |task: Task, name: &str| {
        let mut all = small.iter();
        let case = all.find(|case| case.classifier.task() == task);
        let case = case.expect("a network of the task");
        let options = GraphOptions::default();
        export(&case.classifier, &bench.path(name), options).expect("an export");
    };
    write(Task::Reconstruct, "coder.onnx");
    write(Task::Classify, "net.onnx");
    image::GrayImage::new(4, 4)
        .save(bench.path("a.png"))
        .expect("an image");
    for (arguments, says) in [
        ("coder.onnx a.png", "autoencoder"),
        ("net.onnx a.png --mean 0.5", "remove --mean"),
        ("net.onnx a.png --size 32", "remove --size"),
        ("net.onnx a.png --backend flex", "--backend"),
    ] {
        let output = bench.kiln(&format!("predict {arguments}")).assert().code(2);
        let text = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
        assert!(text.contains(says) && text.lines().count() == 1, "{text}");
    }
}
