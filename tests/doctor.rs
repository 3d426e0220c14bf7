//! The doctor reports problems with what to do about them, and none on a healthy machine.

mod common;

use burn::prelude::*;
use common::Bench;
use kiln::config::Backend;
use kiln::diagnostics::doctor::{self, TOLERANCE, layers};

#[test]
fn kilns_kernels_agree_with_burns_operators_on_every_layer() {
    let mut compared = 0;
    for layer in layers::all() {
        let Some(kernel) = layer.kernel else { continue };
        let found = doctor::compare(&layer, kernel, &Device::flex()).unwrap();
        assert!(found.passes(), "{}: {found:?}", layer.name);
        compared += 1;
    }
    assert!(compared >= 10, "{compared} layers have kernels");
}

#[test]
fn a_layer_that_is_wrong_in_one_place_is_seen_and_told_with_what_to_do() {
    let flex = Device::flex();
    let layers = layers::all();
    let layer = layers
        .iter()
        .find(|layer| layer.name.starts_with("1x1"))
        .unwrap();
    // As if the last input channel were left out.
    let wrong: doctor::Compute = |inputs| {
        let [_, channels, ..] = inputs[0].dims();
        let images = inputs[0].clone().narrow(1, 0, channels - 1);
        let weight = inputs[1].clone().narrow(1, 0, channels - 1);
        let options = burn::tensor::ops::ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
        let bias = Some(inputs[2].clone().flatten(0, 3));
        burn::tensor::module::conv2d(images, weight, bias, options)
    };
    let (report, problem) = doctor::examine_layer(layer, wrong, Backend::Flex, &flex);
    assert!(!report.passes);
    let problem = problem.unwrap();
    assert!(
        problem.contains(layer.name) && problem.contains("report it"),
        "{problem}"
    );
    let (report, problem) = doctor::examine_layer(layer, layer.burn, Backend::Flex, &flex);
    assert!(report.passes && problem.is_none());
}

#[test]
fn a_wrong_gradient_behind_a_right_answer_is_seen() {
    let layers = layers::all();
    let layer = layers
        .iter()
        .find(|layer| layer.name == "max pool 2x2")
        .unwrap();
    let burn = layer.burn;
    let found = doctor::compare(layer, burn, &Device::flex()).unwrap();
    assert_eq!((found.forward, found.backward), (0.0, 0.0));
    // The same values; half of the gradient stays behind.
    let half: doctor::Compute = |inputs| {
        let pool = burn::nn::pool::MaxPool2dConfig::new([2, 2])
            .with_strides([2, 2])
            .init();
        let values = pool.forward(inputs[0].clone()) * 0.5;
        values.clone() + values.detach()
    };
    let found = doctor::compare(layer, half, &Device::flex()).unwrap();
    assert!(found.forward < TOLERANCE, "{found:?}");
    assert!((found.backward - 0.5).abs() < 1e-3, "{found:?}");
}

#[test]
fn a_layer_that_stops_or_gives_no_numbers_is_wrong_and_no_panic() {
    let layers = layers::all();
    let layer = layers
        .iter()
        .find(|layer| layer.name == "max pool 2x2")
        .unwrap();
    let stops: doctor::Compute = |_| panic!("the driver is gone");
    assert!(doctor::compare(layer, stops, &Device::flex()).is_err());
    let (report, problem) = doctor::examine_layer(layer, stops, Backend::Wgpu, &Device::flex());
    assert!(!report.passes && report.difference.is_none());
    assert!(problem.unwrap().contains("can't be computed"));
    let no_number: doctor::Compute =
        |inputs| (inputs[0].clone() * f32::NAN).slice([0..2, 0..16, 0..7, 0..6]);
    let found = doctor::compare(layer, no_number, &Device::flex()).unwrap();
    assert!(found.forward.is_infinite() && !found.passes());
}

#[test]
fn a_healthy_build_is_reported_in_words_and_as_json() {
    let bench = Bench::new();
    let assert = bench.kiln("doctor").env_remove("KILN_DATA").assert();
    if cfg!(feature = "wgpu") {
        return; // Whether there is a GPU depends on the machine.
    }
    let assert = assert.success();
    let text = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
    for part in [
        "flex: CPU",
        "1x1 convolution",
        " is writable",
        "no problems",
        "burn 0.22.1, rustc 1.",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert!(!text.contains("WRONG"), "{text}");
    let assert = bench
        .kiln("doctor --json")
        .env_remove("KILN_DATA")
        .assert()
        .success();
    let found: serde_json::Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();
    assert_eq!(found["problems"], serde_json::json!([]));
    assert_eq!(found["backends"][0]["backend"], "flex");
    assert!(
        found["backends"][0]["layers"][0]["difference"]["backward"]
            .as_f64()
            .unwrap()
            < TOLERANCE
    );
    assert!(
        bench.listing().is_empty(),
        "the doctor leaves nothing behind"
    );
}

#[test]
fn data_that_is_not_where_it_should_be_and_a_half_set_are_problems() {
    let bench = Bench::new();
    let refused = |data: &str, says: &[&str]| {
        let assert = bench
            .kiln("doctor")
            .env("KILN_DATA", bench.path(data))
            .assert()
            .code(1);
        let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        for part in says {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
    };
    refused(
        "nowhere",
        &["error: ", "nowhere: not a folder", "set KILN_DATA"],
    );
    bench.write("half/nist36/nist36_train.mat", "some");
    std::fs::create_dir_all(bench.path("half/unipen")).unwrap();
    refused(
        "half",
        &[
            "half/nist36: already exists but does not contain nist36_valid.mat",
            "half/unipen: the file strokes.jsonl.gz is missing from it",
        ],
    );
}

/// Not even root makes files here.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_can_not_be_written_is_a_problem() {
    let diagnosis = doctor::examine("/tmp".as_ref(), "/proc".as_ref(), &mut |_| {});
    assert!(!diagnosis.folder.writable);
    let text = diagnosis.problems.join("\n");
    assert!(text.contains("/proc: not writable"), "{text}");
}
