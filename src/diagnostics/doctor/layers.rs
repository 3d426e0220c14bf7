//! The layers of kiln's networks as functions of tensors, with Burn's operators and with kiln's kernels.

use burn::nn::BatchNormConfig;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::MaxPool2dConfig;
use burn::prelude::*;
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::module;
use burn::tensor::ops::ConvOptions;

use super::compare::Layer;
use super::deep_layers;
use crate::kernels::{self, Activation, ConvNorm, Pool, PoolOptions};

/// Every kind of layer that kiln's networks have, with 1x1 convolutions of several sizes.
pub fn all() -> Vec<Layer> {
    let convolution =
        |name, [batch, inputs, side, outputs, kernel]: [usize; 5], burn, kiln| Layer {
            name,
            inputs: vec![
                [batch, inputs, side, side],
                [outputs, inputs, kernel, kernel],
                [1, outputs, 1, 1],
            ],
            burn,
            kernel: Some(kiln),
        };
    let mut layers = vec![
        convolution(
            "1x1 convolution, 64 to 16",
            [2, 64, 13, 16, 1],
            pointwise,
            fast_pointwise,
        ),
        convolution(
            "1x1 convolution, 512 to 100",
            [2, 512, 6, 100, 1],
            pointwise,
            fast_pointwise,
        ),
        convolution(
            "1x1 convolution, one position",
            [4, 128, 1, 10, 1],
            pointwise,
            fast_pointwise,
        ),
        convolution(
            "3x3 convolution, 1 to 16",
            [4, 1, 32, 16, 3],
            padded,
            fast_padded,
        ),
        convolution(
            "3x3 convolution, 32 to 32",
            [4, 32, 16, 32, 3],
            padded,
            fast_padded,
        ),
        convolution(
            "3x3 convolution, stride 2",
            [2, 3, 31, 16, 3],
            strided,
            fast_strided,
        ),
    ];
    layers.extend(composed());
    layers.extend(pooled());
    layers.extend(connected());
    layers.extend(deep_layers::all());
    layers
}

/// Convolutions with the layers around them.
fn composed() -> Vec<Layer> {
    vec![
        Layer {
            name: "1x1 and 3x3 convolution side by side",
            inputs: vec![
                [2, 32, 13, 13],
                [32, 32, 1, 1],
                [1, 32, 1, 1],
                [32, 32, 3, 3],
                [1, 32, 1, 1],
            ],
            burn: fire,
            kernel: Some(fast_fire),
        },
        Layer {
            name: "block: convolution, norm, ReLU, pool",
            inputs: vec![
                [8, 32, 16, 16],
                [32, 32, 3, 3],
                [1, 32, 1, 1],
                [1, 32, 1, 1],
                [1, 32, 1, 1],
            ],
            burn: block,
            kernel: Some(fast_block),
        },
        Layer {
            name: "batch norm",
            inputs: vec![[8, 16, 9, 9], [1, 16, 1, 1], [1, 16, 1, 1]],
            burn: |inputs| norm(inputs[0].clone()) * inputs[1].clone() + inputs[2].clone(),
            kernel: None,
        },
    ]
}

fn pooled() -> Vec<Layer> {
    vec![
        Layer {
            name: "max pool 3x3, stride 2, ceil mode",
            inputs: vec![[2, 16, 14, 13]],
            burn: |inputs| ceil_pool(inputs[0].clone()),
            kernel: Some(|inputs| {
                on_kernels(inputs, |images| {
                    kernels::max_pool2d(images, PoolOptions::ceil(3, 2))
                })
            }),
        },
        Layer {
            name: "max pool 2x2",
            inputs: vec![[2, 16, 14, 12]],
            burn: |inputs| pool(inputs[0].clone()),
            kernel: Some(|inputs| {
                on_kernels(inputs, |images| {
                    kernels::max_pool2d(images, PoolOptions::ceil(2, 2))
                })
            }),
        },
        Layer {
            name: "global average pooling",
            inputs: vec![[4, 32, 7, 5]],
            burn: |inputs| {
                let means = inputs[0].clone().flatten::<3>(2, 3).mean_dim(2);
                means.unsqueeze_dim(3)
            },
            kernel: None,
        },
        Layer {
            name: "pixel shuffle, factor 2",
            inputs: vec![[2, 16, 5, 6]],
            burn: |inputs| {
                let [batch, channels, height, width] = inputs[0].dims();
                let split = [batch, 2, 2, channels / 4, height, width];
                let turned = inputs[0].clone().reshape(split).permute([0, 3, 4, 1, 5, 2]);
                turned.reshape([batch, channels / 4, 2 * height, 2 * width])
            },
            kernel: None,
        },
    ]
}

fn connected() -> Vec<Layer> {
    let inputs = vec![[32, 200, 1, 1], [200, 64, 1, 1], [1, 64, 1, 1]];
    vec![
        Layer {
            name: "fully connected, ReLU",
            inputs: inputs.clone(),
            burn: |inputs| grown(relu(product(inputs))),
            kernel: Some(|inputs| fast_product(inputs, Activation::Relu)),
        },
        Layer {
            name: "fully connected, sigmoid",
            inputs,
            burn: |inputs| grown(sigmoid(product(inputs))),
            kernel: Some(|inputs| fast_product(inputs, Activation::Sigmoid)),
        },
        Layer {
            name: "softmax and cross-entropy",
            inputs: vec![[32, 36, 1, 1]],
            burn: |inputs| {
                let logits = flat(&inputs[0]);
                let ([count, classes], device) = (logits.dims(), logits.device());
                let targets: Vec<i32> = (0..count).map(|i| (i % classes) as i32).collect();
                let targets = TensorData::new(targets, [count]);
                let loss = CrossEntropyLossConfig::new().init(&device);
                let loss = loss.forward(logits, Tensor::from_data(targets, &device));
                loss.reshape([1, 1, 1, 1])
            },
            kernel: None,
        },
    ]
}

// ---- With Burn's operators, `[batch, channels, height, width]` ----

/// `[1, n, 1, 1]` as `[n]`.
fn vector(values: &Tensor<4>) -> Tensor<1> {
    values.clone().flatten(0, 3)
}

/// `[a, b, 1, 1]` as `[a, b]`, and back.
fn flat(values: &Tensor<4>) -> Tensor<2> {
    values.clone().flatten(1, 3)
}

fn grown(values: Tensor<2>) -> Tensor<4> {
    let [rows, columns] = values.dims();
    values.reshape([rows, columns, 1, 1])
}

fn convolved(inputs: &[Tensor<4>], stride: usize, padding: usize) -> Tensor<4> {
    let options = ConvOptions::new([stride; 2], [padding; 2], [1; 2], 1);
    let bias = Some(vector(&inputs[2]));
    module::conv2d(inputs[0].clone(), inputs[1].clone(), bias, options)
}

fn pointwise(inputs: &[Tensor<4>]) -> Tensor<4> {
    convolved(inputs, 1, 0)
}

fn padded(inputs: &[Tensor<4>]) -> Tensor<4> {
    relu(convolved(inputs, 1, 1))
}

fn strided(inputs: &[Tensor<4>]) -> Tensor<4> {
    relu(convolved(inputs, 2, 0))
}

fn fire(inputs: &[Tensor<4>]) -> Tensor<4> {
    let second = [inputs[0].clone(), inputs[3].clone(), inputs[4].clone()];
    Tensor::cat(vec![relu(convolved(inputs, 1, 0)), padded(&second)], 1)
}

fn norm(images: Tensor<4>) -> Tensor<4> {
    let [_, channels, _, _] = images.dims();
    let norm = BatchNormConfig::new(channels).init(&images.device());
    norm.forward(images)
}

fn block(inputs: &[Tensor<4>]) -> Tensor<4> {
    let normed = norm(convolved(inputs, 1, 1)) * inputs[3].clone() + inputs[4].clone();
    pool(relu(normed))
}

fn pool(images: Tensor<4>) -> Tensor<4> {
    let pool = MaxPool2dConfig::new([2; 2]).with_strides([2; 2]);
    pool.init().forward(images)
}

fn ceil_pool(images: Tensor<4>) -> Tensor<4> {
    let pool = MaxPool2dConfig::new([3; 2]).with_strides([2; 2]);
    pool.with_ceil_mode(true).init().forward(images)
}

fn product(inputs: &[Tensor<4>]) -> Tensor<2> {
    let bias: Tensor<2> = vector(&inputs[2]).unsqueeze();
    flat(&inputs[0]).matmul(flat(&inputs[1])) + bias
}

// ---- With kiln's kernels, images channels last in between ----

fn on_kernels(inputs: &[Tensor<4>], compute: impl Fn(Tensor<4>) -> Tensor<4>) -> Tensor<4> {
    kernels::channels_first(compute(kernels::channels_last(inputs[0].clone())))
}

fn fast_convolved(inputs: &[Tensor<4>], stride: usize, padding: usize, relu: bool) -> Tensor<4> {
    on_kernels(inputs, |images| {
        let (weight, bias) = (inputs[1].clone(), vector(&inputs[2]));
        kernels::conv2d(images, weight, bias, stride, padding, relu)
    })
}

fn fast_pointwise(inputs: &[Tensor<4>]) -> Tensor<4> {
    fast_convolved(inputs, 1, 0, false)
}

fn fast_padded(inputs: &[Tensor<4>]) -> Tensor<4> {
    fast_convolved(inputs, 1, 1, true)
}

fn fast_strided(inputs: &[Tensor<4>]) -> Tensor<4> {
    fast_convolved(inputs, 2, 0, true)
}

fn fast_fire(inputs: &[Tensor<4>]) -> Tensor<4> {
    on_kernels(inputs, |images| {
        let first = (inputs[1].clone(), vector(&inputs[2]));
        let second = (inputs[3].clone(), vector(&inputs[4]));
        kernels::conv2d_pair(images, first, second)
    })
}

fn fast_block(inputs: &[Tensor<4>]) -> Tensor<4> {
    on_kernels(inputs, |images| {
        let parameters = ConvNorm {
            weight: inputs[1].clone(),
            bias: vector(&inputs[2]),
            gamma: vector(&inputs[3]),
            beta: vector(&inputs[4]),
            epsilon: BatchNormConfig::new(1).epsilon,
        };
        kernels::conv_block(images, parameters, 1, Pool::Halve).0
    })
}

fn fast_product(inputs: &[Tensor<4>], activation: Activation) -> Tensor<4> {
    let (weight, bias) = (flat(&inputs[1]), vector(&inputs[2]));
    grown(kernels::linear(flat(&inputs[0]), weight, bias, activation))
}
