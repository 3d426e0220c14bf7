//! What a user may rely on where kiln shows what speaks for a class.

mod common;

use std::path::Path;

use burn::tensor::Device;
use common::{Bench, SMALL, noise, tensors};
use kiln::inference::{OpenedModel, to_input};
use kiln::kernels;

/// A small convolutional run whose head is linear in the means of its last maps.
fn linear_head(bench: &Bench) -> OpenedModel {
    bench.write("small.json", SMALL);
    let model =
        r#"model={"kind":"cnn","channels":[4,8],"gather":"average","hidden":0,"dropout":0}"#;
    bench
        .kiln("train small.json --set")
        .arg(model)
        .args(["--set", "training.epochs=1", "--run-dir", "runs/cnn"])
        .assert()
        .success();
    OpenedModel::open(&bench.path("runs/cnn"), &Device::flex()).expect("a run")
}

#[test]
fn the_map_of_a_linear_head_is_the_sum_of_the_maps_by_its_weights() {
    let bench = Bench::new();
    let opened = linear_head(&bench);
    let classifier = &opened.classifier;
    let card = classifier.card();
    let pixels: Vec<f32> = noise(card.input.values(), 1)
        .iter()
        .map(|&value| value as f32)
        .collect();
    let class = 7;
    let map = classifier
        .activation_map(pixels.clone(), class)
        .unwrap()
        .unwrap();
    // Zhou et al. 2016: where the head averages the maps, their weights are the head's.
    let image = to_input(
        pixels,
        1,
        card.input,
        card.normalize.as_ref(),
        classifier.device(),
    );
    let features = classifier.network().backbone().unwrap().features(image);
    let features = kernels::channels_first(features);
    let [_, channels, height, width] = features.dims();
    let values: Vec<f32> = features.into_data().iter::<f32>().collect();
    let file = tensors(&bench.read("runs/cnn/model.safetensors"));
    let (shape, weights) = &file["head.weight"];
    let weight = |channel: usize| {
        if shape[0] == channels {
            weights[channel * shape[1] + class]
        } else {
            weights[class * shape[1] + channel]
        }
    };
    let place = |at: usize| -> f32 {
        (0..channels)
            .map(|channel| weight(channel) * values[channel * height * width + at])
            .sum()
    };
    let expected: Vec<f32> = (0..height * width).map(|at| place(at).max(0.0)).collect();
    let most = expected.iter().copied().fold(0.0, f32::max);
    assert_eq!((map.height, map.width), (height, width));
    assert!(most > 0.0, "nothing speaks for the class");
    for (found, expected) in map.values.iter().zip(&expected) {
        assert!(
            (found - expected / most).abs() < 5e-3,
            "{found} {}",
            expected / most
        );
    }
}

#[test]
fn predict_draws_the_map_over_the_image_or_says_why_there_is_none() {
    let bench = Bench::new();
    linear_head(&bench);
    bench.output("data page --text K letter.png");
    let said = bench.output("predict runs/cnn letter.png --explain map.png");
    assert!(said.starts_with("letter.png: "));
    let picture = image::open(bench.path("map.png")).unwrap();
    assert!(picture.width() >= 224 && picture.height() >= 224);
    bench.output("train small.json");
    let refused = bench
        .kiln("predict runs/small-1 letter.png --explain other.png")
        .assert();
    let output = refused.code(2).get_output().clone();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("--explain") && said.contains("feature maps"),
        "{said}"
    );
    assert!(!Path::new(&bench.path("other.png")).exists());
}
