//! PyTorch's numbers come out of PyTorch's weights, and fresh weights are spread as torchvision's.

use burn::prelude::*;
use kiln::models::cnn::Gather;
use kiln::models::{CnnConfig, ModelConfig, Network, SqueezenetConfig};
use kiln::shape::ImageShape;

use crate::common::{self, noisy};
use crate::files::{load, small_cnn, small_mlp, waves};
use crate::images;

fn assert_rows(found: Vec<Vec<f32>>, expected: [[f32; 3]; 2]) {
    for (f, e) in found.iter().flatten().zip(expected.iter().flatten()) {
        assert!((f - e).abs() < 2e-5, "{found:?} is not {expected:?}");
    }
}

#[test]
fn the_cnn_gives_pytorchs_logits_from_pytorchs_weights() {
    // torch 2.15: the same layers through torch.nn.functional (conv2d, batch_norm, relu, max_pool2d, linear).
    let classifier = load(small_cnn()).unwrap();
    assert_rows(
        classifier.outputs(waves(2 * 72), 2).unwrap(),
        [
            [-1.041_888, 0.020_878, -0.044_429],
            [-1.291_892, 0.203_534, -0.105_557],
        ],
    );
}

#[test]
fn the_mlp_gives_pytorchs_logits_from_pytorchs_weights() {
    let classifier = load(small_mlp()).unwrap();
    assert_rows(
        classifier.outputs(waves(2 * 4), 2).unwrap(),
        [
            [0.351_085, -0.295_495, -0.352_317],
            [0.346_797, -0.303_11, -0.343_831],
        ],
    );
}

#[test]
fn the_deeper_relatives_of_the_cnn_give_pytorchs_logits_from_pytorchs_weights() {
    // torch 2.15: the same layers through torch.nn.functional (conv2d, batch_norm, relu, max_pool2d, mean, amax, linear); the
    // shortcut adds what the convolutions behind a block's first take to what they give.
    let deeper = |residual, gather, hidden| {
        let config = ModelConfig::Cnn(CnnConfig {
            stem: 2,
            channels: vec![3, 4],
            more: vec![1, 2],
            residual,
            gather,
            hidden,
            dropout: 0.5,
            classes: None,
        });
        let network = Network::new(&config, ImageShape::new(3, 9, 8), 3, &Device::flex());
        let logits = noisy(network, 1).forward(images(2, [3, 9, 8], &Device::flex()));
        logits.into_data().iter::<f32>().collect::<Vec<_>>()
    };
    for (found, expected) in [
        (
            deeper(true, Gather::Average, 0),
            [
                96.128_77,
                7.045_53,
                -54.497_845,
                78.367_905,
                -2.639_482_5,
                -17.430_696,
            ],
        ),
        (
            deeper(false, Gather::Max, 5),
            [
                84.535_31,
                -64.516_94,
                -164.989_32,
                77.561_12,
                -79.899_89,
                -163.962_3,
            ],
        ),
        (
            deeper(true, Gather::Flatten, 5),
            [
                39.318_073,
                -98.742_01,
                -175.733_38,
                128.208_2,
                -114.655_19,
                -288.118_16,
            ],
        ),
    ] {
        for (f, e) in found.iter().zip(expected) {
            assert!((f - e).abs() < 1e-3, "{found:?} is not {expected:?}");
        }
    }
}

#[test]
fn fresh_weights_of_squeezenet_are_spread_as_torchvisions() {
    // torchvision: kaiming_uniform_ (bound sqrt(6 / fan_in)) but for the last convolution, normal_(0, 0.01); zero biases.
    let device = Device::flex();
    let config = ModelConfig::Squeezenet(SqueezenetConfig::default());
    let network = Network::new(&config, ImageShape::new(3, 32, 32), 100, &device);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fresh.safetensors");
    kiln::weights::save(&network, &path).unwrap();
    let tensors = common::tensors(&std::fs::read(path).unwrap());
    for (name, (shape, values)) in &tensors {
        let most = values.iter().fold(0f32, |most, v| most.max(v.abs()));
        if name.ends_with("bias") {
            assert_eq!(most, 0.0, "{name}");
        } else if name == "classifier.1.weight" {
            let squares: f32 = values.iter().map(|v| v * v).sum();
            let deviation = (squares / values.len() as f32).sqrt();
            assert!((deviation - 0.01).abs() < 2e-4, "{deviation}");
        } else {
            let bound = (6.0 / (shape[1] * shape[2] * shape[3]) as f32).sqrt();
            assert!(
                most <= bound && most > 0.98 * bound,
                "{name}: {most} of {bound}"
            );
        }
    }
}
