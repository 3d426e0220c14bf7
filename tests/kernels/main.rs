//! The kernels against Burn's own operators and against finite differences, at odd sizes too.

use burn::module::Param;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, PaddingConfig2d};
use burn::prelude::*;
use burn::tensor::Gradients;
use burn::tensor::activation::{
    gelu, hard_sigmoid, hard_swish, leaky_relu, relu, sigmoid, silu, tanh,
};
use kiln::kernels::{Activation, ConvNorm};

mod bf16;
mod block;
mod convolution;
mod finite_differences;
mod limits;
mod linear;
mod normed;
mod random;
mod threads;

/// `count` numbers between -1 and 1 that look random and are the same everywhere.
fn numbers(count: usize, salt: u64) -> Vec<f64> {
    let mut rng = kiln::rng::seeded(&[salt]);
    (0..count)
        .map(|_| f64::from(kiln::rng::uniform(&mut rng)) * 2.0 - 1.0)
        .collect()
}

fn tensor<const D: usize>(shape: [usize; D], salt: u64, device: &Device) -> Tensor<D> {
    let values: Vec<f32> = numbers(shape.iter().product(), salt)
        .into_iter()
        .map(|value| value as f32)
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// Largest difference, relative to the largest value.
fn difference(found: &[f32], expected: &[f32]) -> f32 {
    relative_to(found, expected, 1e-3)
}

/// [`difference`] of sums of products of numbers between -1 and 1, relative to the root mean square of one product at least: rounding is
/// in proportion to the terms of a sum, of which little may be left where all outputs are few.
fn sums_differ(found: &[f32], expected: &[f32]) -> f32 {
    relative_to(found, expected, 1.0 / 3.0)
}

/// Largest difference, relative to the largest value or to `least`.
fn relative_to(found: &[f32], expected: &[f32], least: f32) -> f32 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(least, |most, v| most.max(v.abs()));
    found
        .iter()
        .zip(expected)
        .fold(0.0f32, |most, (f, e)| most.max((f - e).abs()))
        / largest
}

const CLOSE: f32 = 2e-5;

const ACTIVATIONS: [Activation; 10] = [
    Activation::Identity,
    Activation::Relu,
    Activation::Relu6,
    Activation::LeakyRelu { slope: 0.1 },
    Activation::Gelu,
    Activation::Silu,
    Activation::Hardswish,
    Activation::Hardsigmoid,
    Activation::Sigmoid,
    Activation::Tanh,
];

/// A non-linearity by Burn's operators.
fn activated<const D: usize>(x: Tensor<D>, activation: Activation) -> Tensor<D> {
    match activation {
        Activation::Identity => x,
        Activation::Relu => relu(x),
        Activation::Relu6 => x.clamp(0.0, 6.0),
        Activation::LeakyRelu { slope } => leaky_relu(x, slope),
        Activation::Gelu => gelu(x),
        Activation::Silu => silu(x),
        Activation::Hardswish => hard_swish(x),
        Activation::Hardsigmoid => hard_sigmoid(x, 1.0 / 6.0, 0.5),
        Activation::Sigmoid => sigmoid(x),
        Activation::Tanh => tanh(x),
    }
}

/// How far the gradients of two leaves, each of its own backward pass, lie apart.
fn gradients_differ<const D: usize>(
    ours: &Tensor<D>,
    burns: &Tensor<D>,
    grads: (&Gradients, &Gradients),
) -> f32 {
    let [ours, burns] = gradients(ours, burns, grads);
    difference(&ours, &burns)
}

/// [`gradients_differ`] by [`sums_differ`].
fn gradient_sums_differ<const D: usize>(
    ours: &Tensor<D>,
    burns: &Tensor<D>,
    grads: (&Gradients, &Gradients),
) -> f32 {
    let [ours, burns] = gradients(ours, burns, grads);
    sums_differ(&ours, &burns)
}

/// The gradients of two leaves, each of its own backward pass.
fn gradients<const D: usize>(
    ours: &Tensor<D>,
    burns: &Tensor<D>,
    (ours_grads, burns_grads): (&Gradients, &Gradients),
) -> [Vec<f32>; 2] {
    [(ours, ours_grads), (burns, burns_grads)]
        .map(|(leaf, grads)| values(leaf.grad(grads).unwrap()))
}

/// Burn's layers and the same parameters as the kernels take them, for `[_, inputs, _, _]` to `outputs` channels.
fn block(inputs: usize, outputs: usize, device: &Device) -> (Conv2d, BatchNorm, ConvNorm) {
    let mut conv = Conv2dConfig::new([inputs, outputs], [3, 3])
        .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
        .init(device);
    conv.weight = Param::from_tensor(tensor([outputs, inputs, 3, 3], 3, device));
    conv.bias = Some(Param::from_tensor(tensor([outputs], 4, device)));
    let mut norm = BatchNormConfig::new(outputs).init(device);
    norm.gamma = Param::from_tensor(tensor([outputs], 5, device));
    norm.beta = Param::from_tensor(tensor([outputs], 6, device));
    let parameters = ConvNorm {
        weight: conv.weight.val(),
        bias: conv.bias.as_ref().unwrap().val(),
        gamma: norm.gamma.val(),
        beta: norm.beta.val(),
        epsilon: norm.epsilon,
    };
    (conv, norm, parameters)
}
