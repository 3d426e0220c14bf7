//! The gradient check against finite differences. This process computes in 64-bit floats.

#[path = "../common/mod.rs"]
mod common;
mod networks;

use std::path::Path;

use assert_cmd::Command;
use common::Bench;
use kiln::config;
use kiln::diagnostics::gradcheck::{Options, Report, Slopes, Subject, check};
use predicates::str::contains;

const OPTIONS: Options = Options {
    complete: 64,
    samples: 32,
    tolerance: 1e-5,
    seed: 1,
};

/// Images of 8x8 from a folder that is not there: the check has no need of it.
fn image_config(side: usize, model: &str, loss: &str) -> String {
    format!(
        r#"{{"data": {{"kind": "image_folder", "folder": "nowhere", "height": {side}, "width": {side}, "channels": 3,
             "normalize": {{"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.25]}}}},
            "model": {model}, "loss": {loss}}}"#
    )
}

fn subject(text: &str, samples: usize) -> Subject {
    let experiment = config::parse(text, Path::new("small.json"), &[]).unwrap();
    Subject::new(&experiment, samples).unwrap()
}

fn checked(text: &str, gradients: impl FnOnce(&Subject) -> Slopes) -> Report {
    check(&subject(text, 3), OPTIONS, gradients, |_| {}).unwrap()
}

#[test]
fn a_batch_of_several_images_a_group_passes_too() {
    // The kernels sum the weights' gradients over groups of images from nine images on.
    let model = r#"{"kind": "cnn", "channels": [6], "hidden": 0, "classes": 3}"#;
    let subject = subject(&image_config(6, model, "{}"), 11);
    let report = check(&subject, OPTIONS, Subject::gradients, |_| {}).unwrap();
    assert!(report.passed(), "{:?}", report.worst());
}

#[test]
fn the_gradient_of_a_linear_classifier_is_that_of_the_textbook() {
    let text = r#"{"data": {"kind": "image_folder", "folder": "nowhere", "height": 4, "width": 4},
        "model": {"kind": "mlp", "hidden": [], "classes": 3}}"#;
    let subject = subject(text, 2);
    let [weight, bias] = subject.variables() else {
        panic!("a matrix and a bias")
    };
    assert_eq!(weight.shape, [16, 3]);
    let images: Vec<f64> = subject
        .batch()
        .images
        .clone()
        .into_data()
        .iter::<f64>()
        .collect();
    // dW = x (softmax(x W + b) - target) / samples, db the same without x.
    let mut expected = (vec![0.0; 16 * 3], vec![0.0; 3]);
    for (sample, image) in images.chunks(16).enumerate() {
        let logit = |class: usize| {
            let products = image
                .iter()
                .enumerate()
                .map(|(pixel, x)| x * weight.values[3 * pixel + class]);
            bias.values[class] + products.sum::<f64>()
        };
        let powers: Vec<f64> = (0..3).map(|class| logit(class).exp()).collect();
        for class in 0..3 {
            let share = powers[class] / powers.iter().sum::<f64>();
            let off = (share - f64::from(class == sample)) / 2.0;
            expected.1[class] += off;
            for (pixel, x) in image.iter().enumerate() {
                expected.0[3 * pixel + class] += x * off;
            }
        }
    }
    let found = subject.gradients();
    for (name, expected) in [
        ("layers.0.weight", expected.0),
        ("layers.0.bias", expected.1),
    ] {
        for (found, expected) in found[name].iter().zip(expected) {
            assert!((found - expected).abs() < 1e-14, "{name}");
        }
    }
}

const SMALL_CNN: &str = r#"{"kind": "cnn", "channels": [4], "hidden": 6, "classes": 3}"#;

#[test]
fn one_entry_that_is_one_percent_off_is_found_and_named() {
    let text = image_config(8, SMALL_CNN, "{}");
    let right = checked(&text, Subject::gradients);
    assert!(right.passed(), "{:?}", right.worst());
    // The largest, since some are zero.
    let mut broken_at = 0;
    let broken = checked(&text, |subject| {
        let mut slopes = subject.gradients();
        let weight = slopes.get_mut("head.weight").unwrap();
        let by_size = |&a: &usize, &b: &usize| weight[a].abs().total_cmp(&weight[b].abs());
        broken_at = (0..weight.len()).max_by(by_size).unwrap();
        weight[broken_at] *= 1.01;
        slopes
    });
    let failed: Vec<&str> = broken.failed().map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(failed, ["head.weight"]);
    let tensor = broken.worst().unwrap();
    assert_eq!(tensor.shape, [3, 6]);
    // The head's weights are [6, 3] in memory and [3, 6] in files.
    assert_eq!(tensor.worst.at, [broken_at % 3, broken_at / 3]);
    assert!((tensor.worst.error - 0.01).abs() < 1e-3, "{tensor:?}");
}

#[test]
fn a_tensor_whose_gradient_is_scaled_dropped_or_no_number_is_found_whichever_it_is() {
    let text = image_config(8, SMALL_CNN, "{}");
    let names: Vec<String> = subject(&text, 3)
        .variables()
        .iter()
        .map(|variable| variable.name.clone())
        .collect();
    assert_eq!(names.len(), 8);
    for name in &names {
        for factor in [1.001, 0.0, f64::NAN] {
            let broken = checked(&text, |subject| {
                let mut slopes = subject.gradients();
                let slopes_of_one = slopes.get_mut(name).unwrap();
                slopes_of_one.iter_mut().for_each(|slope| *slope *= factor);
                slopes
            });
            let failed: Vec<&str> = broken.failed().map(|tensor| tensor.name.as_str()).collect();
            // A bias in front of a batch norm has no gradient that a factor could change.
            if name == "blocks.0.conv.bias" && !factor.is_nan() {
                assert_eq!(failed, [""; 0], "{name} by {factor}");
            } else {
                assert_eq!(failed, [name], "{name} by {factor}");
            }
        }
    }
}

#[test]
fn a_gradient_that_should_be_zero_and_is_not_is_found() {
    let broken = checked(&image_config(8, SMALL_CNN, "{}"), |subject| {
        let mut slopes = subject.gradients();
        slopes.get_mut("blocks.0.conv.bias").unwrap()[2] += 1e-6;
        slopes
    });
    let failed: Vec<&str> = broken.failed().map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(failed, ["blocks.0.conv.bias"]);
    assert_eq!(broken.worst().unwrap().worst.at, [2]);
}

#[test]
fn a_gradient_without_a_term_is_found() {
    // Through a batch norm as if the statistics were constants: the usual mistake.
    let broken = checked(&image_config(8, SMALL_CNN, "{}"), |subject| {
        let mut slopes = subject.gradients();
        let weight = slopes.get_mut("blocks.0.conv.weight").unwrap();
        let mean = weight.iter().sum::<f64>() / weight.len() as f64;
        weight.iter_mut().for_each(|slope| *slope -= mean);
        slopes
    });
    assert!(!broken.passed());
    assert_eq!(broken.worst().unwrap().name, "blocks.0.conv.weight");
}

#[test]
fn a_missing_gradient_is_refused_by_name() {
    let subject = subject(&image_config(8, SMALL_CNN, "{}"), 2);
    let forgetful = |subject: &Subject| {
        let mut slopes = subject.gradients();
        slopes.remove("hidden.bias");
        slopes
    };
    let error = check(&subject, OPTIONS, forgetful, |_| {}).unwrap_err();
    assert!(error.to_string().contains("hidden.bias"), "{error}");
}

fn small(bench: &Bench) -> &'static str {
    bench.write("small.json", image_config(8, SMALL_CNN, "{}"));
    "small.json"
}

fn failure(command: &mut Command, code: i32) -> String {
    let output = command.assert().code(code).get_output().clone();
    let text = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("error:"))
        .collect();
    assert_eq!(lines.len(), 1, "{text}");
    lines[0].to_string()
}

#[test]
fn above_the_tolerance_the_exit_code_is_1_and_one_line_names_the_tensor() {
    let bench = Bench::new();
    let config = small(&bench);
    // No difference is as exact as this.
    let line = failure(
        &mut bench.kiln(&format!("gradcheck {config} --tolerance 1e-15")),
        1,
    );
    for part in [
        "small: the gradient of ",
        " is off by ",
        "more than 1e-15",
        "autodiff gives",
    ] {
        assert!(line.contains(part), "{line}");
    }
    let named = ["blocks.0.", "hidden.", "head."];
    assert!(named.iter().any(|name| line.contains(name)), "{line}");
}

#[test]
fn the_table_has_a_line_for_every_tensor_and_what_is_set_aside_is_said() {
    let bench = Bench::new();
    let text = image_config(8, SMALL_CNN, "{}");
    let frozen = r#""parameters": [{"names": "blocks.*", "frozen": true}], "model""#;
    bench.write("frozen.json", text.replacen(r#""model""#, frozen, 1));
    bench
        .kiln("gradcheck frozen.json")
        .assert()
        .success()
        .stdout(contains("blocks.0.conv.weight  [4, 3, 3, 3]"))
        .stdout(contains("head.weight           [3, 6]"))
        .stdout(contains(": blocks.0.conv.bias\n"))
        .stdout(contains(" of 531 entries of 8 tensors"))
        .stderr(contains("without its dropout of 0.5"))
        .stderr(contains("frozen parameters are checked as well"));
}

#[test]
fn the_same_config_is_checked_at_the_same_entries_and_another_seed_at_others() {
    let bench = Bench::new();
    let config = small(&bench);
    let command = format!("gradcheck {config} --samples 5 --json");
    let first = bench.json(&command);
    assert_eq!(first, bench.json(&command));
    assert_ne!(first, bench.json(&format!("{command} --set seed=2")));
    let checked = |name: &str| {
        let tensors = first["tensors"].as_array().unwrap();
        let tensor = tensors.iter().find(|tensor| tensor["name"] == name);
        tensor.unwrap()["checked"].as_u64().unwrap()
    };
    // 4x3x3x3 is too large to check all of it; 3x6 is not.
    assert_eq!(checked("blocks.0.conv.weight"), 5);
    assert_eq!(checked("head.weight"), 18);
}

#[test]
fn what_can_not_be_checked_gets_one_line() {
    let bench = Bench::new();
    let config = small(&bench);
    let line = failure(
        &mut bench.kiln(&format!("gradcheck {config} --set backend=wgpu")),
        2,
    );
    assert!(
        line.contains("64-bit floats") && line.contains("flex"),
        "{line}"
    );
    failure(&mut bench.kiln("gradcheck nowhere.json"), 2);
    // Without model.classes the folder is needed for its names.
    let line = failure(
        &mut bench.kiln(&format!("gradcheck {config} --set model.classes=null")),
        1,
    );
    assert!(line.contains("nowhere"), "{line}");
    for flags in [
        "--tolerance 0",
        "--tolerance NaN",
        "--tolerance many",
        "--samples 0",
        "--batch 0",
        "--batch 100000",
        "--operators torch",
    ] {
        failure(&mut bench.kiln(&format!("gradcheck {config} {flags}")), 2);
    }
    failure(&mut bench.kiln("gradcheck"), 2);
}
