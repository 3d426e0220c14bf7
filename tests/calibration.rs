//! What a user may rely on about probabilities: calibration error, temperature, and what a model file keeps.

mod common;

use burn::prelude::*;
use common::{Bench, SMALL, noise, noisy};
use kiln::inference::{Classifier, ModelCard, Precision};
use kiln::metrics::classification::{
    expected_calibration_error, fit_temperature, log_probabilities,
};
use kiln::models::CnnConfig;
use kiln::models::Network;
use kiln::models::{MlpConfig, ModelConfig};
use kiln::shape::ImageShape;
use proptest::prelude::*;
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;
use serde_json::{Value, json};

// ---- Metrics ----

#[test]
fn the_calibration_error_is_the_mean_distance_between_confidence_and_accuracy() {
    // By hand: in the bin of 0.95, 3 of 4 are right (distance 0.2); in that of 0.55, 2 of 2 (distance 0.45).
    let answers = [
        (0.95, true),
        (0.95, true),
        (0.95, true),
        (0.95, false),
        (0.55, true),
        (0.55, true),
    ];
    let found = expected_calibration_error(&answers, 10);
    let expected = (4.0 * 0.2 + 2.0 * 0.45) / 6.0;
    assert!((found - expected).abs() < 1e-6, "{found}");
    // In one bin, over- and underconfidence cancel out.
    let found = expected_calibration_error(&answers, 1);
    assert!(
        (found - (4.9 / 6.0 - 5.0 / 6.0f64).abs()).abs() < 1e-6,
        "{found}"
    );
}

#[test]
fn the_calibration_error_of_no_answers_is_zero_and_edges_are_in_a_bin() {
    assert_eq!(expected_calibration_error(&[], 15), 0.0);
    assert_eq!(
        expected_calibration_error(&[(1.0, true), (0.0, false)], 15),
        0.0
    );
    // 0.5 is the upper edge of the first of two bins, so both are in that one.
    let found = expected_calibration_error(&[(0.5, true), (0.4, false)], 2);
    assert!((found - 0.05).abs() < 1e-6, "{found}");
}

#[test]
fn the_temperature_undoes_scaled_logits() {
    // Labels are drawn with the probabilities of logits that are then made three times too large.
    let (mut rows, mut labels) = (Vec::new(), Vec::new());
    for (row, counts) in [
        ([2.0f32, 0.0, 0.0], [8, 1, 1]),
        ([0.0, 1.0, 0.0], [2, 5, 2]),
    ] {
        let likely: Vec<f64> = log_probabilities(&row, 1.0)
            .iter()
            .map(|log| log.exp())
            .collect();
        let total: usize = counts.iter().sum();
        for (label, count) in counts.into_iter().enumerate() {
            assert!(
                (likely[label] - count as f64 / total as f64).abs() < 0.03,
                "{likely:?}"
            );
            for _ in 0..count {
                rows.push(row.map(|logit| 3.0 * logit).to_vec());
                labels.push(label);
            }
        }
    }
    let found = fit_temperature(&rows, &labels);
    assert!((2.7..3.3).contains(&found.temperature), "{found:?}");
    assert!(found.loss[1] < found.loss[0], "{found:?}");
    assert!(found.ece[1] < 0.03 && found.ece[0] > 0.1, "{found:?}");
}

#[test]
fn without_answers_nothing_is_calibrated() {
    assert_eq!(fit_temperature(&[], &[]).temperature, 1.0);
    // A label without a logit is skipped.
    assert_eq!(fit_temperature(&[vec![0.0, 1.0]], &[2]).temperature, 1.0);
}

proptest! {
    #[test]
    fn no_temperature_is_better_than_the_fitted_one(
        logits in prop::collection::vec(prop::collection::vec(-6.0f32..6.0, 4), 5..40),
        seed in 0usize..1000,
    ) {
        let labels: Vec<usize> = (0..logits.len()).map(|index| (index * 7 + seed) % 4).collect();
        let found = fit_temperature(&logits, &labels);
        let loss = |temperature: f64| {
            let each = logits.iter().zip(&labels);
            each.map(|(row, &label)| -log_probabilities(row, temperature)[label]).sum::<f64>()
                / logits.len() as f64
        };
        prop_assert!((loss(found.temperature) - found.loss[1]).abs() < 1e-9);
        for other in [0.06, 0.2, 0.5, 0.9, 1.0, 1.1, 2.0, 5.0, 19.0] {
            prop_assert!(found.loss[1] <= loss(other) + 1e-6, "{other}: {found:?}");
        }
    }

    #[test]
    fn probabilities_add_up_to_one_at_every_temperature(
        logits in prop::collection::vec(-1e4f32..1e4, 1..10),
        temperature in 0.05f64..20.0,
    ) {
        let sum: f64 = log_probabilities(&logits, temperature).iter().map(|log| log.exp()).sum();
        prop_assert!((sum - 1.0).abs() < 1e-9, "{sum}");
    }
}

// ---- Model files ----

fn classifier() -> Classifier {
    let config = ModelConfig::Cnn(CnnConfig {
        channels: vec![4, 8],
        hidden: 16,
        ..CnnConfig::default()
    });
    let network = noisy(
        Network::new(&config, ImageShape::new(1, 16, 16), 3, &Device::flex()),
        0,
    );
    let card = ModelCard {
        model: config,
        input: ImageShape {
            channels: 1,
            height: 16,
            width: 16,
        },
        normalize: None,
        classes: ["a", "b", "c"].map(String::from).to_vec(),
        temperature: 1.0,
        view: kiln::data::View::PAD,
    };
    Classifier::new(&network, card, &Device::flex())
}

fn images(count: usize) -> Vec<f32> {
    noise(count * 256, 900)
        .into_iter()
        .map(|value| value as f32)
        .collect()
}

#[test]
fn half_precision_keeps_the_predictions_and_halves_the_layers() {
    let folder = tempfile::tempdir().unwrap();
    let [single, half] = ["single", "half"].map(|name| folder.path().join(name));
    let classifier = classifier();
    classifier.save(&single).unwrap();
    classifier.save_as(&half, Precision::Half).unwrap();
    let bytes = std::fs::read(&half).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    for (name, tensor) in file.iter() {
        let expected = if name.contains("norm") {
            Dtype::F32
        } else {
            Dtype::F16
        };
        assert_eq!(tensor.dtype(), expected, "{name}");
    }
    let size = |path| std::fs::metadata(path).unwrap().len() as f64;
    assert!(size(&half) < 0.65 * size(&single));
    let read = Classifier::load(&half, &Device::flex()).unwrap();
    let before = classifier.outputs(images(8), 8).unwrap().concat();
    let after = read.outputs(images(8), 8).unwrap().concat();
    let largest = before
        .iter()
        .fold(0.0f32, |most, value| most.max(value.abs()));
    for (a, b) in before.iter().zip(&after) {
        assert!((a - b).abs() < 2e-3 * largest, "{a} became {b}");
    }
    assert_ne!(before, after);
}

#[test]
fn a_rounded_classifier_answers_as_its_file_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let rounded = classifier().rounded().unwrap();
    rounded.save_as(&path, Precision::Half).unwrap();
    let read = Classifier::load(&path, &Device::flex()).unwrap();
    assert_eq!(
        rounded.outputs(images(4), 4).unwrap(),
        read.outputs(images(4), 4).unwrap()
    );
    // Rounding is done once: the same file again.
    let bytes = std::fs::read(&path).unwrap();
    read.save_as(&path, Precision::Half).unwrap();
    assert!(bytes == std::fs::read(&path).unwrap());
}

#[test]
fn a_temperature_changes_probabilities_but_not_predictions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let plain = classifier();
    let logits = plain.outputs(images(4), 4).unwrap();
    let cool = classifier().with_temperature(0.5);
    cool.save(&path).unwrap();
    let cool = Classifier::load(&path, &Device::flex()).unwrap();
    assert_eq!(cool.card().temperature, 0.5);
    assert_eq!(cool.outputs(images(4), 4).unwrap(), logits);
    let found = cool.probabilities(images(4), 4).unwrap();
    for (row, logits) in found.iter().zip(&logits) {
        for (value, log) in row.iter().zip(log_probabilities(logits, 0.5)) {
            assert!((f64::from(*value) - log.exp()).abs() < 1e-5);
        }
    }
    assert_ne!(found, plain.probabilities(images(4), 4).unwrap());
}

#[test]
fn a_file_without_a_temperature_is_read_and_an_impossible_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    classifier().save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("temperature"));
    assert_eq!(
        Classifier::load(&path, &Device::flex())
            .unwrap()
            .card()
            .temperature,
        1.0
    );
    for wrong in [0.0, -1.0] {
        classifier().with_temperature(wrong).save(&path).unwrap();
        let error = Classifier::load(&path, &Device::flex())
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("its temperature is"), "{error}");
    }
}

// ---- The program ----

#[test]
fn a_calibrated_run_in_half_precision_reports_its_calibration_and_is_reproducible() {
    let bench = Bench::new();
    let mut config: Value = serde_json::from_str(SMALL).unwrap();
    config["loss"] = json!({"label_smoothing": 0.2});
    config["training"]["calibrate"] = json!(true);
    config["training"]["half"] = json!(true);
    bench.write("small.json", config.to_string());
    bench.output("train small.json --renderer plain --run-dir run");
    bench.output("train small.json --renderer plain --run-dir again");
    for file in ["model.safetensors", "summary.json"] {
        let file = |run: &str| bench.read(&format!("{run}/{file}"));
        assert!(file("run") == file("again"));
    }
    let summary: Value = serde_json::from_slice(&bench.read("run/summary.json")).unwrap();
    let calibration = &summary["calibration"];
    let number = |value: &Value| value.as_f64().expect("a number");
    // Smoothed labels make a model underconfident.
    assert!(number(&calibration["temperature"]) < 1.0, "{calibration}");
    assert!(
        number(&calibration["loss"][1]) < number(&calibration["loss"][0]),
        "{calibration}"
    );
    let valid = bench.json("eval run --split valid --json");
    assert!((number(&valid["ece"]) - number(&calibration["ece"][1])).abs() < 1e-6);
    assert!((number(&valid["loss"]) - number(&calibration["loss"][1])).abs() < 1e-5);
    assert_eq!(valid["ece"], summary["valid"]["ece"]);
    assert!((number(&valid["ece_uncalibrated"]) - number(&calibration["ece"][0])).abs() < 1e-6);
    // The same config without both: not calibrated, 32 bits.
    bench.write("plain.json", SMALL);
    bench.output("train plain.json --renderer plain --run-dir plain");
    let summary: Value = serde_json::from_slice(&bench.read("plain/summary.json")).unwrap();
    assert!(summary.get("calibration").is_none());
    assert!(
        bench.read("run/model.safetensors").len() * 3
            < bench.read("plain/model.safetensors").len() * 2
    );
}

#[test]
fn with_a_known_kind_letters_compete_with_letters_only() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    bench.output("train small.json --renderer plain --run-dir run");
    let open = bench.json("eval run --json");
    let known = bench.json("eval run --known-kind --json");
    assert!(known["accuracy"].as_f64() > open["accuracy"].as_f64());
    assert_eq!(known["samples"], open["samples"]);
    let is_digit = |value: &Value| value.as_str().unwrap().chars().all(|c| c.is_ascii_digit());
    let crossed = |report: &Value| {
        let pairs = report["most_confused"].as_array().unwrap().clone();
        pairs
            .iter()
            .any(|pair| is_digit(&pair["truth"]) != is_digit(&pair["predicted"]))
    };
    assert!(crossed(&open) && !crossed(&known));
    assert!(bench.output("eval run --known-kind").contains("\nece "));
}

#[test]
fn a_known_kind_of_data_with_one_kind_is_refused() {
    let bench = Bench::new();
    for class in ["cat", "dog"] {
        for index in 0..3 {
            let image =
                image::GrayImage::from_fn(8, 8, |x, y| image::Luma([(x * y + index) as u8]));
            for split in ["train", "valid", "test"] {
                let folder = bench.path("animals").join(split).join(class);
                std::fs::create_dir_all(&folder).unwrap();
                image.save(folder.join(format!("{index}.png"))).unwrap();
            }
        }
    }
    let folder = bench.path("animals");
    let config = json!({
        "data": {"kind": "image_folder", "folder": folder, "height": 8, "width": 8},
        "model": ModelConfig::Mlp(MlpConfig { hidden: vec![4], ..MlpConfig::default() }),
        "training": {"epochs": 1},
    });
    bench.write("animals.json", config.to_string());
    bench.output("train animals.json --renderer plain --run-dir run");
    let output = bench
        .kiln("eval run --known-kind")
        .assert()
        .failure()
        .get_output()
        .clone();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("--known-kind") && text.lines().count() == 1,
        "{text}"
    );
}
