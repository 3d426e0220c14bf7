//! Networks and loss, next to PyTorch's.

use burn::prelude::*;
use burn::train::TrainStep;
use kiln::config::{LossConfig, OptimizerConfig, Reduction, SgdConfig};
use kiln::models::{AutoencoderConfig, ConvAutoencoderConfig, ModelConfig, Network};
use kiln::training::{Batch, TrainModel, optimizer};

use super::common::{noise, noisy, tensors};
use super::expected::{CONNECTED, CONV_COLOUR, CONV_GREY};

fn close(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() < tolerance, "{found:?} is not {expected:?}");
    }
}

fn images(count: usize, [c, h, w]: [usize; 3], device: &Device) -> Tensor<4> {
    let values = noise(count * c * h * w, 0).into_iter().map(|v| v as f32);
    let data = TensorData::new(values.collect::<Vec<_>>(), [count, c, h, w]);
    Tensor::from_data(data, device)
}

fn rows(config: &ModelConfig, shape: [usize; 3], first: usize) -> Vec<f32> {
    let network = noisy(
        Network::new(config, shape.into(), 0, &Device::flex()),
        first,
    );
    let output = network.forward(images(2, shape, &Device::flex()));
    output.into_data().iter::<f32>().collect()
}

fn connected() -> ModelConfig {
    ModelConfig::Autoencoder(AutoencoderConfig {
        hidden: vec![3, 2, 3],
    })
}

#[test]
fn the_fully_connected_autoencoder_gives_the_images_of_pytorch() {
    // torch 2.15: linear layers, ReLU after all but the last, a sigmoid after that.
    close(&rows(&connected(), [1, 2, 3], 91), &CONNECTED, 1e-5);
}

#[test]
fn the_convolutional_autoencoder_gives_the_images_of_pytorch() {
    // torch 2.15: down blocks as conv2d, batch_norm, relu, max_pool2d; flatten(1), encode, decode, relu, reshape to
    // [batch, channels, height, width]; up blocks without the pool, each followed by
    //     b, c, h, w = x.shape
    //     x.reshape(b, 2, 2, c // 4, h, w).permute(0, 3, 4, 1, 5, 2).reshape(b, c // 4, 2 * h, 2 * w)
    // which is pixel_shuffle of channels in the order [row, column, channel]; then conv2d and a sigmoid.
    let config = |channels: &[usize]| {
        ModelConfig::ConvAutoencoder(ConvAutoencoderConfig {
            channels: channels.to_vec(),
            code: 2,
        })
    };
    close(&rows(&config(&[2, 3]), [1, 4, 8], 4), &CONV_GREY, 5e-5);
    close(&rows(&config(&[2]), [3, 4, 2], 94), &CONV_COLOUR, 5e-5);
}

/// Loss, and the gradients of first and last layer, of the squared error of two images.
fn step(reduction: Reduction) -> (f32, Vec<Vec<f32>>) {
    let device = Device::flex().autodiff();
    let shape = [1, 2, 3];
    let network = noisy(Network::new(&connected(), shape.into(), 0, &device), 91);
    let folder = tempfile::tempdir().unwrap();
    let exported = |network: &Network| {
        let path = folder.path().join("out.safetensors");
        kiln::weights::save(network, &path).unwrap();
        tensors(&std::fs::read(path).unwrap())
    };
    let before = exported(&network);
    let input = images(2, shape, &device);
    let batch = Batch {
        originals: Some(input.clone().flatten(1, 3)),
        images: input,
        targets: Tensor::from_data([0, 0], &device),
        indices: vec![0, 1],
        features: None,
    };
    let loss = LossConfig {
        reduction,
        ..LossConfig::default()
    };
    let model = TrainModel::new(network, &loss);
    let output = TrainStep::step(&model, batch);
    let mut optimizer = optimizer::build(&OptimizerConfig::Sgd(SgdConfig::default()));
    let moved: TrainModel = optimizer.step(1.0, model, output.grads);
    let after = exported(&moved.network);
    let gradient = |name: &str| {
        let pairs = before[name].1.iter().zip(&after[name].1);
        pairs.map(|(before, after)| before - after).collect()
    };
    let names = ["layers.0.weight", "layers.0.bias", "layers.3.bias"];
    (
        output.item.loss.into_scalar::<f32>(),
        names.map(gradient).to_vec(),
    )
}

#[test]
fn the_squared_error_and_its_gradient_are_those_of_pytorch() {
    // torch 2.15: ((output - input) ** 2).sum() / 2 for two images, on the network above.
    let gradients: [&[f32]; 3] = [
        &[
            -0.021_708_87,
            -0.061_093_48,
            -0.014_847_8,
            -0.052_234_98,
            -0.056_130_73,
            -0.055_707_59,
            -0.033_720_28,
            -0.094_896_18,
            -0.023_063_02,
            -0.081_136_32,
            -0.087_187_57,
            -0.086_530_31,
            -0.026_023_85,
            -0.073_236_76,
            -0.017_799_03,
            -0.062_617_5,
            -0.067_287_59,
            -0.066_780_34,
        ],
        &[-0.094_728_96, -0.147_142, -0.113_557_82],
        &[
            0.052_994_82,
            -0.074_018_05,
            0.192_479_22,
            -0.009_801_16,
            -0.063_827_95,
            -0.113_230_3,
        ],
    ];
    let (loss, found) = step(Reduction::Mean);
    close(&[loss], &[0.745_777_6], 1e-6);
    for (found, expected) in found.iter().zip(gradients) {
        close(found, expected, 2e-6);
    }
    // Summed over the batch the gradient doubles; the reported loss stays the same.
    let (loss, found) = step(Reduction::Sum);
    close(&[loss], &[0.745_777_6], 1e-6);
    for (found, expected) in found.iter().zip(gradients) {
        let doubled: Vec<f32> = expected.iter().map(|value| 2.0 * value).collect();
        close(found, &doubled, 4e-6);
    }
}
