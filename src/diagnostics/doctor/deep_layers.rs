//! The layers of the deep networks that people fine-tune, with Burn's operators: what flex computes for all of them is what another device
//! has to compute.

use burn::nn::pool::AvgPool2dConfig;
use burn::prelude::*;
use burn::tensor::activation::{hard_sigmoid, hard_swish, leaky_relu, relu, silu, softmax};
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

use super::compare::{Compute, Layer};
use crate::kernels::gelu;

/// Added to variances, as PyTorch does it.
const EPSILON: f64 = 1e-5;

/// The layers of MobileNet, EfficientNet, ResNet, ConvNeXt, ViT and networks in JSON that other networks lack.
pub fn all() -> Vec<Layer> {
    let mut layers = convolutions();
    layers.extend(norms());
    layers.extend(activations());
    layers.extend(others());
    layers
}

fn layer(name: &'static str, inputs: &[[usize; 4]], burn: Compute) -> Layer {
    Layer {
        name,
        inputs: inputs.to_vec(),
        burn,
        kernel: None,
    }
}

fn convolutions() -> Vec<Layer> {
    vec![
        layer(
            "depthwise 3x3 convolution, stride 2",
            &[[2, 24, 15, 15], [24, 1, 3, 3]],
            |inputs| convolved(inputs, ConvOptions::new([2, 2], [1, 1], [1, 1], 24)),
        ),
        layer(
            "depthwise 5x5 convolution",
            &[[2, 40, 9, 9], [40, 1, 5, 5]],
            |inputs| convolved(inputs, ConvOptions::new([1, 1], [2, 2], [1, 1], 40)),
        ),
        layer(
            "depthwise 7x7 convolution",
            &[[2, 12, 14, 14], [12, 1, 7, 7]],
            |inputs| convolved(inputs, ConvOptions::new([1, 1], [3, 3], [1, 1], 12)),
        ),
        layer(
            "3x3 convolution in 4 groups, dilation 2",
            &[[2, 16, 13, 13], [24, 4, 3, 3]],
            |inputs| convolved(inputs, ConvOptions::new([1, 1], [2, 2], [2, 2], 4)),
        ),
        layer(
            "7x7 convolution, stride 2",
            &[[2, 3, 32, 32], [16, 3, 7, 7]],
            |inputs| convolved(inputs, ConvOptions::new([2, 2], [3, 3], [1, 1], 1)),
        ),
        layer(
            "patches of 4x4",
            &[[2, 3, 32, 32], [24, 3, 4, 4]],
            |inputs| convolved(inputs, ConvOptions::new([4, 4], [0, 0], [1, 1], 1)),
        ),
    ]
}

fn norms() -> Vec<Layer> {
    vec![
        layer(
            "layer norm of the channels",
            &[[2, 24, 7, 7], [1, 24, 1, 1], [1, 24, 1, 1]],
            |inputs| {
                let normed = normalized(inputs[0].clone().swap_dims(1, 3), 3);
                normed.swap_dims(1, 3) * inputs[1].clone() + inputs[2].clone()
            },
        ),
        layer("group norm, 4 groups", &[[2, 24, 7, 7]], |inputs| {
            let shape = inputs[0].dims();
            let groups = inputs[0].clone().reshape([shape[0], 4, 1, 6 * 49]);
            normalized(groups, 3).reshape(shape)
        }),
    ]
}

fn activations() -> Vec<Layer> {
    let of = |name, compute| layer(name, &[[2, 8, 9, 9]], compute);
    vec![
        of("GELU", |inputs| gelu(inputs[0].clone())),
        of("SiLU", |inputs| silu(inputs[0].clone())),
        of("hard swish", |inputs| hard_swish(inputs[0].clone() * 4.0)),
        of("hard sigmoid", |inputs| {
            hard_sigmoid(inputs[0].clone() * 4.0, 1.0 / 6.0, 0.5)
        }),
        of("ReLU6", |inputs| (inputs[0].clone() * 9.0).clamp(0.0, 6.0)),
        of("leaky ReLU", |inputs| leaky_relu(inputs[0].clone(), 0.01)),
        of("tanh", |inputs| inputs[0].clone().tanh()),
    ]
}

fn others() -> Vec<Layer> {
    vec![
        layer("average pool 2x2", &[[2, 16, 12, 10]], |inputs| {
            let pool = AvgPool2dConfig::new([2, 2]).with_strides([2, 2]);
            pool.init().forward(inputs[0].clone())
        }),
        layer(
            "squeeze and excitation",
            &[[2, 16, 9, 9], [4, 16, 1, 1], [16, 4, 1, 1]],
            |inputs| {
                let options = || ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
                let means = inputs[0].clone().mean_dim(2).mean_dim(3);
                let hidden = relu(conv2d(means, inputs[1].clone(), None, options()));
                let gates = conv2d(hidden, inputs[2].clone(), None, options());
                inputs[0].clone() * hard_sigmoid(gates, 1.0 / 6.0, 0.5)
            },
        ),
        layer(
            "self-attention, 2 heads",
            &[[2, 2, 17, 8], [2, 2, 17, 8], [2, 2, 17, 8]],
            |inputs| {
                let scores = inputs[0].clone().matmul(inputs[1].clone().transpose());
                let width = inputs[0].dims()[3] as f64;
                softmax(scores / width.sqrt(), 3).matmul(inputs[2].clone())
            },
        ),
    ]
}

/// Without a bias.
fn convolved(inputs: &[Tensor<4>], options: ConvOptions<2>) -> Tensor<4> {
    conv2d(inputs[0].clone(), inputs[1].clone(), None, options)
}

/// With mean 0 and variance 1 over a dimension.
fn normalized(values: Tensor<4>, dimension: usize) -> Tensor<4> {
    let centred = values.clone() - values.mean_dim(dimension);
    let variance = centred.clone().square().mean_dim(dimension);
    centred / (variance + EPSILON).sqrt()
}
