//! The layers that kiln's networks are made of, on one device against Burn's operators on flex, forward and backward.
//!
//! Comes in: a [`Layer`], which is a function of tensors, and the devices. Goes out: the largest [`Difference`]. The function
//! is a value, so that a test can hand in a wrong one. Inputs are made up and the same everywhere.

use std::panic::AssertUnwindSafe;

use burn::nn::BatchNormConfig;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::MaxPool2dConfig;
use burn::prelude::*;
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::module;
use burn::tensor::ops::ConvOptions;
use serde::Serialize;

use crate::kernels::{self, Activation, ConvNorm, Pool};
use crate::panics::catch_panic;
use crate::rng;

/// Largest difference that passes, relative to the largest value of the tensor. Sums of up to 4,608 products in 32-bit floats
/// in another order stay below 1e-5; a GPU's own square roots and exponentials add to that; a wrong layer is off by 1e-2
/// or more.
pub const TOLERANCE: f64 = 1e-4;

/// A gradient's values are held against the largest of all of the layer's gradients where they are smaller than this share
/// of it: that of a bias in front of a batch norm is nothing but rounding.
const FLOOR: f64 = 1e-2;

/// What the seeds are for.
const INPUTS: u64 = 0x646f_6374_6f72; // "doctor"

/// Computes a layer from its inputs, the image first.
pub type Compute = fn(&[Tensor<4>]) -> Tensor<4>;

/// A layer as a function.
#[derive(Clone)]
pub struct Layer {
    /// In a few words.
    pub name: &'static str,
    /// Shapes of what comes in: images `[batch, channels, height, width]` and then weights; `[1, n, 1, 1]` is a vector.
    pub inputs: Vec<[usize; 4]>,
    /// With Burn's operators.
    pub burn: Compute,
    /// With kiln's kernels, which flex has, where there is one.
    pub kernel: Option<Compute>,
}

/// How far a layer is off, relative to the largest value; infinite where something is not a number, or missing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// Of the output.
    pub forward: f64,
    /// Of the gradients of all inputs, the worst.
    pub backward: f64,
}

impl Difference {
    /// Whether it is small enough.
    pub fn passes(&self) -> bool {
        self.forward <= TOLERANCE && self.backward <= TOLERANCE
    }
}

/// What a layer made of its inputs.
struct Measured {
    output: Vec<f32>,
    gradients: Vec<Vec<f32>>,
}

/// Compares `subject` on `device` with the layer's Burn operators on flex. Errors: the device fails, with what it said.
pub fn compare(layer: &Layer, subject: Compute, device: &Device) -> Result<Difference, String> {
    let expected = measure(layer, layer.burn, &Device::flex())?;
    let found = measure(layer, subject, device)?;
    let largest = expected.gradients.iter().map(|gradient| largest(gradient));
    let floor = FLOOR * largest.fold(0.0, f64::max);
    let pairs = found.gradients.iter().zip(&expected.gradients);
    let backward = pairs.map(|(found, expected)| apart(found, expected, floor));
    Ok(Difference {
        forward: apart(&found.output, &expected.output, 0.0),
        backward: backward.fold(0.0, f64::max),
    })
}

fn measure(layer: &Layer, compute: Compute, device: &Device) -> Result<Measured, String> {
    // Some engines panic where others return errors.
    let measured = catch_panic(AssertUnwindSafe(|| {
        let device = device.clone().autodiff();
        let inputs: Vec<Tensor<4>> = (1..)
            .zip(&layer.inputs)
            .map(|(place, shape)| made_up(*shape, place, &device).require_grad())
            .collect();
        let output = compute(&inputs);
        // A loss to which every output counts differently.
        let loss = (output.clone() * made_up(output.dims(), 0, &device)).sum();
        let gradients = loss.backward();
        let values = |tensor: Tensor<4>| {
            let data = tensor.try_into_data().map_err(|error| error.to_string())?;
            Ok(data.iter::<f32>().collect())
        };
        let gradients: Result<_, String> = inputs
            .iter()
            .map(|input| input.grad(&gradients).map_or(Ok(Vec::new()), values))
            .collect();
        Ok(Measured {
            output: values(output)?,
            gradients: gradients?,
        })
    }));
    measured.unwrap_or_else(|| Err("the engine stopped in the middle".into()))
}

/// Numbers between -1 and 1.
fn made_up(shape: [usize; 4], place: u64, device: &Device) -> Tensor<4> {
    let mut rng = rng::seeded(&[INPUTS, place]);
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count)
        .map(|_| 2.0 * rng::uniform(&mut rng) - 1.0)
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn largest(values: &[f32]) -> f64 {
    values
        .iter()
        .fold(0.0, |most, value| f64::max(most, f64::from(value.abs())))
}

/// The largest difference, relative to the largest expected value or `floor`.
fn apart(found: &[f32], expected: &[f32], floor: f64) -> f64 {
    if found.len() != expected.len() {
        return f64::INFINITY;
    }
    let scale = largest(expected).max(floor);
    let pairs = found.iter().zip(expected);
    let most = pairs.fold(0.0, |most: f64, (found, expected)| {
        let off = f64::from(found - expected).abs();
        // A comparison that is false for what is not a number.
        if off.is_finite() {
            most.max(off)
        } else {
            f64::INFINITY
        }
    });
    match scale > 0.0 {
        true => most / scale,
        false if most == 0.0 => 0.0,
        false => f64::INFINITY,
    }
}

// ---- The layers ----

/// Every kind of layer that a network of kiln's has, 1x1 convolutions of several sizes among them.
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
    layers
}

/// Convolutions and what belongs to them.
fn composed() -> Vec<Layer> {
    vec![
        Layer {
            name: "1x1 and 3x3 convolution side by side",
            inputs: vec![
                [2, 16, 13, 13],
                [32, 16, 1, 1],
                [1, 32, 1, 1],
                [32, 16, 3, 3],
                [1, 32, 1, 1],
            ],
            burn: fire,
            kernel: Some(fast_fire),
        },
        Layer {
            name: "block: convolution, norm, ReLU, pool",
            inputs: vec![
                [8, 16, 16, 16],
                [32, 16, 3, 3],
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
            kernel: Some(|inputs| on_kernels(inputs, |images| kernels::max_pool2d(images, 3, 2))),
        },
        Layer {
            name: "max pool 2x2",
            inputs: vec![[2, 16, 14, 12]],
            burn: |inputs| pool(inputs[0].clone()),
            kernel: Some(|inputs| on_kernels(inputs, |images| kernels::max_pool2d(images, 2, 2))),
        },
        Layer {
            name: "mean of each map",
            inputs: vec![[4, 32, 7, 5]],
            burn: |inputs| {
                let means = inputs[0].clone().flatten::<3>(2, 3).mean_dim(2);
                means.unsqueeze_dim(3)
            },
            kernel: None,
        },
        Layer {
            name: "four channels as one of twice the size",
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
