//! The networks on kiln's kernels and on Burn's operators: the same answers, and the same step.

mod common;

use burn::prelude::*;
use burn::train::TrainStep;
use common::{noise, noisy, tensors};
use kiln::config::{LossConfig, OptimizerConfig, SgdConfig};
use kiln::kernels::Operators;
use kiln::models::Network;
use kiln::models::{
    AutoencoderConfig, CnnConfig, ConvAutoencoderConfig, MlpConfig, ModelConfig, SqueezenetConfig,
    Task, cnn::Gather,
};
use kiln::training::optimizer;
use kiln::training::{Batch, TrainModel};

const IMAGES: usize = 5;
const CLASSES: usize = 7;

/// Without dropout, which is drawn anew.
fn networks() -> Vec<(ModelConfig, [usize; 3])> {
    let cnn = |gather, residual| {
        ModelConfig::Cnn(CnnConfig {
            stem: 3,
            channels: vec![4, 6],
            more: vec![1, 2],
            residual,
            gather,
            hidden: 8,
            dropout: 0.0,
            ..CnnConfig::default()
        })
    };
    let squeezenet = SqueezenetConfig {
        dropout: 0.0,
        ..SqueezenetConfig::default()
    };
    let autoencoder = AutoencoderConfig {
        hidden: vec![9, 4, 9],
    };
    let conv_autoencoder = ConvAutoencoderConfig {
        channels: vec![4, 6, 5],
        code: 5,
    };
    vec![
        (ModelConfig::Mlp(MlpConfig::default()), [1, 9, 8]),
        (cnn(Gather::Flatten, true), [3, 13, 12]),
        (cnn(Gather::Average, false), [1, 12, 13]),
        (cnn(Gather::Max, true), [3, 12, 12]),
        (ModelConfig::Squeezenet(squeezenet), [3, 31, 42]),
        (ModelConfig::Autoencoder(autoencoder), [1, 6, 8]),
        (ModelConfig::ConvAutoencoder(conv_autoencoder), [3, 16, 24]),
    ]
}

fn images(shape: [usize; 3], device: &Device) -> Tensor<4> {
    let [c, h, w] = shape;
    let values = noise(IMAGES * c * h * w, 0).into_iter().map(|v| v as f32);
    let data = TensorData::new(values.collect::<Vec<_>>(), [IMAGES, c, h, w]);
    Tensor::from_data(data, device)
}

fn exported(network: &Network) -> Vec<(String, Vec<f32>)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.safetensors");
    kiln::weights::save(network, &path).unwrap();
    let found = tensors(&std::fs::read(path).unwrap()).into_iter();
    found.map(|(name, (_, values))| (name, values)).collect()
}

/// The network with some weights, the same at every call.
fn begun(config: &ModelConfig, shape: [usize; 3], device: &Device) -> Network {
    device.seed(3);
    let network = Network::new(config, shape.into(), CLASSES, device);
    match config {
        // Fresh ones: through so many layers, without a norm, others grow beyond all bounds.
        ModelConfig::Squeezenet(_) => network,
        _ => noisy(network, 2),
    }
}

/// Answers in inference, and how far a step of descent moves every tensor.
fn answers(config: &ModelConfig, shape: [usize; 3]) -> (Vec<f32>, Vec<(String, Vec<f32>)>) {
    let device = Device::flex();
    let network = begun(config, shape, &device);
    let output = network.forward(images(shape, &device));
    let output = output.into_data().iter::<f32>().collect();
    let device = device.autodiff();
    let network = begun(config, shape, &device);
    let before = exported(&network);
    let images = images(shape, &device);
    let targets: Vec<i32> = (0..IMAGES as i32).collect();
    let batch = Batch {
        originals: (config.task() == Task::Reconstruct).then(|| images.clone().flatten(1, 3)),
        images,
        targets: Tensor::from_data(TensorData::new(targets, [IMAGES]), &device),
        indices: (0..IMAGES).collect(),
        features: None,
    };
    let trainee = TrainModel::new(network, &LossConfig::default());
    let step = TrainStep::step(&trainee, batch);
    let mut optimizer = optimizer::build(&OptimizerConfig::Sgd(SgdConfig::default()));
    let moved: TrainModel = optimizer.step(1.0, trainee, step.grads);
    let moves =
        before
            .into_iter()
            .zip(exported(&moved.network))
            .map(|((name, before), (_, after))| {
                let moves = before.iter().zip(after).map(|(b, a)| b - a);
                (name, moves.collect())
            });
    (output, moves.collect())
}

fn largest(values: &[f32]) -> f32 {
    values
        .iter()
        .fold(0f32, |most, value| most.max(value.abs()))
}

fn apart(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let differences: Vec<f32> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    largest(&differences)
}

#[test]
fn every_network_answers_and_learns_on_the_kernels_as_on_burns_operators() {
    let on_kernels: Vec<_> = networks()
        .iter()
        .map(|(config, shape)| answers(config, *shape))
        .collect();
    let _burn = Operators::Burn.scoped();
    for ((config, shape), (output, moves)) in networks().iter().zip(on_kernels) {
        let (expected, expected_moves) = answers(config, *shape);
        let worst = apart(&output, &expected) / largest(&expected);
        assert!(worst < 1e-5, "{config:?}: outputs are {worst} apart");
        let scale = expected_moves
            .iter()
            .fold(0f32, |most, (_, moves)| most.max(largest(moves)));
        assert!(scale > 1e-4, "{config:?}: nothing moves");
        for ((name, found), (_, expected)) in moves.iter().zip(&expected_moves) {
            if name.contains("running") {
                // Burn's batch norm keeps these to itself until its thread comes by again.
                continue;
            }
            let worst = apart(found, expected) / largest(expected).max(1e-2 * scale);
            assert!(worst < 1e-3, "{config:?}: {name} moves {worst} apart");
        }
    }
}
