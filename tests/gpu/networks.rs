//! Every network and every loss agrees with flex, within the doctor's bounds.

use kiln::config::{LossConfig, Reduction};
use kiln::models::ModelConfig;
use kiln::shape::ImageShape;
use serde_json::{Value, json};

use crate::compare::Subject;
use crate::{gpu, turn};

/// A small one of every kind of network: its settings, the side of its images, and their channels.
fn small() -> Vec<(Value, usize, usize)> {
    let narrow = |kind: &str, key: &str, value: Value, side: usize| {
        (json!({"kind": kind, key: value}), side, 3)
    };
    vec![
        (json!({"kind": "mlp", "hidden": [20, 7]}), 8, 1),
        (
            json!({"kind": "cnn", "channels": [6, 17], "hidden": 9}),
            11,
            1,
        ),
        (
            json!({"kind": "cnn", "stem": 5, "channels": [6, 7], "more": [2, 1], "residual": true, "gather": "average", "hidden": 0}),
            12,
            3,
        ),
        (json!({"kind": "squeezenet"}), 33, 3),
        (json!({"kind": "squeezenet1_0"}), 33, 3),
        narrow("resnet18", "width", json!(4), 64),
        narrow("resnet34", "width", json!(4), 64),
        narrow("resnet50", "width", json!(4), 64),
        narrow("mobilenet_v2", "width_mult", json!(0.1), 64),
        narrow("mobilenet_v3_small", "width_mult", json!(0.1), 64),
        narrow("mobilenet_v3_large", "width_mult", json!(0.1), 64),
        narrow("efficientnet_b0", "width_mult", json!(0.1), 64),
        narrow("efficientnet_lite0", "width_mult", json!(0.1), 64),
        (
            json!({"kind": "convnext_tiny", "channels": [4, 6], "depths": [1, 1]}),
            32,
            3,
        ),
        (
            json!({"kind": "vit_b_16", "patch": 8, "width": 12, "depth": 1, "heads": 2}),
            16,
            3,
        ),
        (json!({"kind": "autoencoder", "hidden": [12, 6, 12]}), 8, 1),
        (
            json!({"kind": "conv_autoencoder", "channels": [6, 10], "code": 7}),
            8,
            1,
        ),
        (
            json!({"kind": "layers", "layers": [
                {"kind": "conv", "channels": 8, "kernel": 3, "padding": 1, "groups": 1}, {"kind": "group_norm", "groups": 2},
                {"kind": "leaky_relu"}, {"kind": "avg_pool", "kernel": 2}, {"kind": "depthwise_conv", "kernel": 3, "dilation": 2},
                "silu", "flatten", {"kind": "linear"}
            ]}),
            12,
            2,
        ),
    ]
}

fn subject(settings: &Value, side: usize, channels: usize, samples: usize) -> Subject {
    let model = serde_json::from_value::<ModelConfig>(settings.clone());
    let model = model.unwrap_or_else(|error| panic!("{settings}: {error}"));
    Subject {
        name: model.kind().to_string(),
        // Each engine draws its own random numbers.
        model: model.without_dropout(),
        loss: LossConfig::default(),
        class_weights: None,
        shape: ImageShape::new(channels, side, side),
        samples,
    }
}

#[test]
fn every_kind_of_network_is_compared() {
    let small = small();
    for known in ModelConfig::defaults() {
        let mut compared = small.iter().map(|(settings, ..)| &settings["kind"]);
        assert!(
            compared.any(|kind| kind == known.kind()),
            "{} is not compared",
            known.kind()
        );
    }
}

#[test]
#[cfg_attr(
    not(all(feature = "wgpu", kiln_vulkan)),
    ignore = "needs --features vulkan or wgpu, and a Vulkan driver (Debian: mesa-vulkan-drivers)"
)]
fn every_network_computes_what_flex_computes_forward_and_backward() {
    let _turn = turn();
    let device = gpu();
    for (settings, side, channels) in small() {
        subject(&settings, side, channels, 8).check(&device);
    }
}

#[test]
#[cfg_attr(
    not(all(feature = "wgpu", kiln_vulkan)),
    ignore = "needs --features vulkan or wgpu, and a Vulkan driver (Debian: mesa-vulkan-drivers)"
)]
fn every_loss_is_what_flex_computes_with_its_gradients() {
    let _turn = turn();
    let device = gpu();
    let classifier = json!({"kind": "mlp", "hidden": [9]});
    let autoencoder = json!({"kind": "autoencoder", "hidden": [6]});
    for reduction in [Reduction::Mean, Reduction::Sum] {
        for label_smoothing in [0.0, 0.1] {
            for class_weights in [None, Some(vec![0.5, 1.0, 2.0, 1.5, 0.25])] {
                let loss = LossConfig {
                    reduction,
                    label_smoothing,
                    ..LossConfig::default()
                };
                let name = format!(
                    "{reduction:?}, smoothing {label_smoothing}, weights {}",
                    class_weights.is_some()
                );
                Subject {
                    name,
                    loss,
                    class_weights,
                    ..subject(&classifier, 8, 1, 10)
                }
                .check(&device);
            }
        }
        let loss = LossConfig {
            reduction,
            ..LossConfig::default()
        };
        Subject {
            name: format!("squared error, {reduction:?}"),
            loss,
            ..subject(&autoencoder, 8, 1, 10)
        }
        .check(&device);
    }
}
