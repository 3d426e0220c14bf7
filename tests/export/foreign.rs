//! Classifiers that PyTorch wrote: kiln's answers are ONNX Runtime's (tests/fixtures/onnx, made by make_onnx_models.py).

use std::path::PathBuf;

use kiln::inference::Predictor;
use kiln::inference::onnx::{OnnxClassifier, OnnxSettings, Size};
use serde_json::Value;

use crate::common::{Bench, noise, repository};

/// Images, their side, and classes of the fixtures.
const IMAGES: usize = 3;
const SIDE: usize = 32;
const CLASSES: usize = 5;

/// Largest difference of logits and probabilities.
const TOLERANCE: f64 = 1e-4;

fn fixture(name: &str) -> PathBuf {
    repository().join("tests/fixtures/onnx").join(name)
}

fn expected(name: &str) -> Vec<Vec<f64>> {
    let text = std::fs::read_to_string(fixture("outputs.json")).expect("outputs.json");
    let all: Value = serde_json::from_str(&text).expect("JSON");
    serde_json::from_value(all[name].clone()).expect("rows")
}

fn pixels() -> Vec<f32> {
    let values = noise(IMAGES * 3 * SIDE * SIDE, 7);
    values.into_iter().map(|value| value as f32).collect()
}

/// Values in [0, 1] as they are.
fn plain() -> OnnxSettings {
    OnnxSettings {
        mean: Some(vec![0.0]),
        std: Some(vec![1.0]),
        ..OnnxSettings::default()
    }
}

fn assert_close(found: &[Vec<f32>], expected: &[Vec<f64>], name: &str) {
    assert_eq!((found.len(), found[0].len()), (IMAGES, CLASSES), "{name}");
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        let difference = (f64::from(*found) - expected).abs();
        assert!(difference < TOLERANCE, "{name}: {found}, not {expected}");
    }
}

#[test]
#[cfg_attr(not(feature = "onnx"), ignore = "needs --features onnx")]
fn models_that_pytorch_exports_give_the_logits_of_onnx_runtime() {
    // The older exporter with batches of any size, the newer one with batches of one image, and with its weights in a second file.
    for name in ["torchscript", "dynamo", "external"] {
        let model = OnnxClassifier::open(&fixture(&format!("{name}.onnx")), &plain()).unwrap();
        let found = model.outputs(&pixels(), IMAGES).unwrap();
        assert_close(&found, &expected(name), name);
        // And PyTorch's own.
        assert_close(&found, &expected("pytorch"), name);
        assert_eq!(model.class_name(3), "3");
    }
}

#[test]
#[cfg_attr(not(feature = "onnx"), ignore = "needs --features onnx")]
fn logits_become_probabilities_that_add_up_to_one() {
    let model = OnnxClassifier::open(&fixture("dynamo.onnx"), &plain()).unwrap();
    let found = model.probabilities(pixels(), IMAGES).unwrap();
    let softmax = |row: &Vec<f64>| {
        let sum: f64 = row.iter().map(|logit| logit.exp()).sum();
        row.iter().map(|logit| logit.exp() / sum).collect()
    };
    let expected: Vec<Vec<f64>> = expected("dynamo").iter().map(softmax).collect();
    assert_close(&found, &expected, "softmax");
}

#[test]
#[cfg_attr(not(feature = "onnx"), ignore = "needs --features onnx")]
fn a_model_with_channels_last_of_any_size_that_ends_with_a_softmax_is_run_as_it_is() {
    let path = fixture("channels_last.onnx");
    let settings = OnnxSettings {
        size: Some(Size::Sides(SIDE, SIDE)),
        ..plain()
    };
    let model = OnnxClassifier::open(&path, &settings).unwrap();
    let found = model.probabilities(pixels(), IMAGES).unwrap();
    assert_close(&found, &expected("channels_last"), "channels_last");
    let error = OnnxClassifier::open(&path, &plain())
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("[?, ?, ?, 3]") && error.contains("--size"),
        "{error}"
    );
}

#[test]
#[cfg_attr(not(feature = "onnx"), ignore = "needs --features onnx")]
fn images_are_normalized_with_the_statistics_that_are_given_or_else_imagenets_and_that_is_said() {
    let path = fixture("torchscript.onnx");
    let (mean, std) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
    let imagenet = OnnxSettings {
        mean: Some(mean.to_vec()),
        std: Some(std.to_vec()),
        ..OnnxSettings::default()
    };
    // By hand: the same values, normalized before.
    let plane = SIDE * SIDE;
    let by_hand = |(at, value): (usize, f32)| (value - mean[at / plane % 3]) / std[at / plane % 3];
    let normalized: Vec<f32> = pixels().into_iter().enumerate().map(by_hand).collect();
    let model = OnnxClassifier::open(&path, &plain()).unwrap();
    let expected = model.outputs(&normalized, IMAGES).unwrap();
    for settings in [imagenet, OnnxSettings::default()] {
        let model = OnnxClassifier::open(&path, &settings).unwrap();
        assert_eq!(model.outputs(&pixels(), IMAGES).unwrap(), expected);
        let notes = model.notes().join("\n");
        let says_it = notes.contains("ImageNet's mean 0.485,0.456,0.406");
        assert_eq!(says_it, settings.mean.is_none(), "{notes}");
        assert!(notes.contains("--classes"), "{notes}");
    }
}

#[test]
#[cfg_attr(not(feature = "onnx"), ignore = "needs --features onnx")]
fn predict_names_the_classes_of_a_file_and_takes_whole_folders() {
    let bench = Bench::new();
    bench.write("names.txt", "ash\nbeech\ncedar\ndouglas fir\nelm\n\n");
    for (name, side) in [("a.png", 32), ("b.png", 45)] {
        let path = bench.write(&format!("photos/{name}"), []);
        let image = image::RgbImage::from_fn(side, 32, |x, y| {
            image::Rgb([(7 * x) as u8, (5 * y) as u8, 99])
        });
        image.save(path).expect("an image");
    }
    let model = fixture("external.onnx");
    let command = format!(
        "predict {} photos --classes names.txt --top-k 5",
        model.display()
    );
    let output = bench.kiln(&command).assert().success().get_output().clone();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines[0].contains("a.png: ") && lines[0].contains("douglas fir 0."),
        "{stdout}"
    );
    // One line about what was assumed.
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("external.onnx: assumed, as the model does not say: images are resized to cover 32x32 pixels"), "{stderr}");
    assert!(!stderr.contains("--classes"), "{stderr}");
    // The probabilities of the library for the same image.
    let answer = bench.json(&format!("{command} --json --mean 0 --std 1 --fit stretch"));
    let photo = kiln::photo::open(&bench.path("photos/a.png")).unwrap();
    let classifier = OnnxClassifier::open(&model, &plain()).unwrap();
    let values = classifier.sample(photo);
    let row = classifier.probabilities(values, 1).unwrap().remove(0);
    let best = (0..CLASSES)
        .max_by(|&a, &b| row[a].total_cmp(&row[b]))
        .unwrap();
    let names = ["ash", "beech", "cedar", "douglas fir", "elm"];
    let first = &answer[0]["guesses"][0];
    assert_eq!(first["class"], names[best]);
    let difference = first["confidence"].as_f64().unwrap() - f64::from(row[best]);
    assert!(difference.abs() < 1e-6);
}
