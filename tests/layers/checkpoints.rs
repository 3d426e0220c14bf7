//! Networks that other people trained in PyTorch: described in JSON with the names of their files, they give PyTorch's logits.

use burn::prelude::*;
use kiln::shape::ImageShape;
use kiln::weights;
use serde_json::Value;

use super::common::real_data;
use super::network;

/// Largest difference from PyTorch's logits.
const TOLERANCE: f64 = 1e-4;

/// Images of the formula in the data set's README: `((7 row + 3 column + 5 channel + 11 image) mod 17) / 17`.
fn images([channels, height, width]: [usize; 3]) -> Tensor<4> {
    let mut values = Vec::new();
    for image in 0..3 {
        for channel in 0..channels {
            for row in 0..height {
                for column in 0..width {
                    let number = (7 * row + 3 * column + 5 * channel + 11 * image) % 17;
                    values.push(number as f32 / 17.0);
                }
            }
        }
    }
    let data = TensorData::new(values, [3, channels, height, width]);
    Tensor::from_data(data, &Device::flex())
}

fn gives_the_logits_of_pytorch(file: &str, json: &str) {
    let folder = real_data().join("checkpoints");
    let text = std::fs::read_to_string(folder.join("reference.json")).unwrap();
    let reference: Value = serde_json::from_str(&text).unwrap();
    let reference = &reference[file];
    let shape: [usize; 3] = serde_json::from_value(reference["input"].clone()).unwrap();
    let expected: Vec<Vec<f64>> = serde_json::from_value(reference["logits"].clone()).unwrap();
    let network = network(json, ImageShape::from(shape), expected[0].len());
    let (network, _) = weights::load(network, &folder.join(file), &[]).unwrap();
    let found: Vec<f32> = network
        .forward(images(shape))
        .into_data()
        .try_to_vec()
        .unwrap();
    let expected: Vec<f64> = expected.concat();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let difference = (f64::from(*found) - expected).abs();
        assert!(difference < TOLERANCE, "{file}: {found} and {expected}");
    }
}

#[cfg_attr(
    not(kiln_data = "checkpoints"),
    ignore = "needs checkpoints in KILN_DATA"
)]
#[test]
fn lenet_for_nist36() {
    gives_the_logits_of_pytorch(
        "lenet_nist36.pt",
        r#"{"kind": "layers", "layers": [
            {"kind": "conv", "name": "conv1", "channels": 6, "kernel": 5}, "relu", {"kind": "max_pool", "kernel": 2},
            {"kind": "conv", "name": "conv2", "channels": 16, "kernel": 5}, "relu", {"kind": "max_pool", "kernel": 2},
            "flatten",
            {"kind": "linear", "name": "fc1", "features": 120}, "relu",
            {"kind": "linear", "name": "fc2", "features": 84}, "relu",
            {"kind": "linear", "name": "fc3"}
        ]}"#,
    );
}

#[cfg_attr(
    not(kiln_data = "checkpoints"),
    ignore = "needs checkpoints in KILN_DATA"
)]
#[test]
fn a_perceptron_for_nist36() {
    gives_the_logits_of_pytorch(
        "mlp_nist36.pt",
        r#"{"kind": "layers", "layers": [
            "flatten", {"kind": "linear", "name": "layer1", "features": 64}, "sigmoid",
            {"kind": "linear", "name": "output"}
        ]}"#,
    );
}

#[cfg_attr(
    not(kiln_data = "checkpoints"),
    ignore = "needs checkpoints in KILN_DATA"
)]
#[test]
fn a_small_convolutional_network_for_mnist() {
    gives_the_logits_of_pytorch(
        "small_cnn_mnist.pkl",
        r#"{"kind": "layers", "layers": [
            {"kind": "group", "name": "conv1", "layers": [
                {"kind": "conv", "channels": 2, "kernel": 3, "padding": 1}, "relu",
                {"kind": "conv", "channels": 4, "kernel": 3, "padding": "same"}, "relu", {"kind": "max_pool", "kernel": 2}
            ]},
            "flatten",
            {"kind": "linear", "name": "fc1.0"}
        ]}"#,
    );
}

#[cfg_attr(
    not(kiln_data = "checkpoints"),
    ignore = "needs checkpoints in KILN_DATA"
)]
#[test]
fn lenet5_for_mnist() {
    gives_the_logits_of_pytorch(
        "lenet5_mnist.pt",
        r#"{"kind": "layers", "layers": [
            {"kind": "conv", "name": "convnet.c1", "channels": 6, "kernel": 5}, "relu", {"kind": "max_pool", "kernel": 2},
            {"kind": "conv", "name": "convnet.c3", "channels": 16, "kernel": 5}, "relu", {"kind": "max_pool", "kernel": 2},
            {"kind": "conv", "name": "convnet.c5", "channels": 120, "kernel": 5}, "relu",
            "flatten",
            {"kind": "linear", "name": "fc.f6", "features": 84}, "relu",
            {"kind": "linear", "name": "fc.f7"}
        ]}"#,
    );
}
