//! Blocks of convolution, batch norm, ReLU and pool against Burn's layers.

use burn::nn::pool::MaxPool2dConfig;
use burn::prelude::*;
use burn::tensor::Gradients;
use burn::tensor::activation::relu;
use kiln::kernels::{self, ConvNorm, Pool};

use super::{CLOSE, block, difference, tensor, values};

fn pool(x: Tensor<4>, pooled: Pool) -> Tensor<4> {
    match pooled {
        Pool::None => x,
        Pool::Halve => MaxPool2dConfig::new([2, 2])
            .with_strides([2, 2])
            .init()
            .forward(x),
    }
}

/// Fails unless two backward passes give the same gradients of the parameters; those of the weights, and of the inputs of
/// each, only where there are any.
fn assert_gradients_alike(
    name: &str,
    parameters: &ConvNorm,
    inputs: Option<(&Tensor<4>, &Tensor<4>)>,
    ours: &Gradients,
    burns: &Gradients,
) {
    let compare = |what: &str, ours: Vec<f32>, burns: Vec<f32>| {
        let found = difference(&ours, &burns);
        assert!(found < 1e-4, "{name}: gradient of {what}: {found}");
    };
    let of = |tensor: &Tensor<1>| {
        let ours = values(tensor.grad(ours).unwrap());
        (ours, values(tensor.grad(burns).unwrap()))
    };
    let (ours_gamma, burns_gamma) = of(&parameters.gamma);
    compare("gamma", ours_gamma, burns_gamma);
    let (ours_beta, burns_beta) = of(&parameters.beta);
    compare("beta", ours_beta, burns_beta);
    // Burn's is what rounding leaves of zero.
    let (ours_bias, burns_bias) = of(&parameters.bias);
    assert!(ours_bias.iter().all(|&slope| slope == 0.0), "{name}");
    assert!(burns_bias.iter().all(|slope| slope.abs() < 2e-3), "{name}");
    if let Some((x1, x2)) = inputs {
        compare(
            "the weights",
            values(parameters.weight.grad(ours).unwrap()),
            values(parameters.weight.grad(burns).unwrap()),
        );
        compare(
            "the input",
            values(x1.grad(ours).unwrap()),
            values(x2.grad(burns).unwrap()),
        );
    }
}

#[test]
fn a_block_and_its_gradients_are_burns() {
    let device = Device::flex().autodiff();
    for (shape, outputs, pooled) in [
        ([1, 1, 2, 2], 1, Pool::Halve),
        ([2, 3, 4, 6], 5, Pool::Halve),
        ([5, 7, 9, 11], 17, Pool::Halve),
        ([32, 1, 32, 32], 32, Pool::Halve),
        ([9, 32, 16, 16], 64, Pool::Halve),
        ([3, 2, 5, 2], 40, Pool::Halve),
        ([2, 3, 4, 6], 5, Pool::None),
        ([5, 7, 9, 11], 17, Pool::None),
        ([9, 32, 16, 16], 64, Pool::None),
        ([2, 32, 29, 26], 32, Pool::Halve),
        ([3, 128, 6, 9], 160, Pool::Halve),
        ([5, 48, 15, 13], 32, Pool::Halve),
        ([5, 48, 15, 13], 32, Pool::None),
    ] {
        let name = format!("{shape:?} to {outputs}, {pooled:?}");
        let (conv, norm, parameters) = block(shape[1], outputs, &device);
        let x1 = tensor(shape, 7, &device).require_grad();
        let x2 = tensor(shape, 7, &device).require_grad();
        let input = kernels::channels_last(x1.clone());
        let (ours, mean, variance) = kernels::conv_block(input, parameters.clone(), 1, pooled);
        let ours = kernels::channels_first(ours);
        let burns = pool(relu(norm.forward(conv.forward(x2.clone()))), pooled);
        assert_eq!(ours.dims(), burns.dims());
        let weights = tensor(ours.dims(), 8, &device);
        let ours_grads = (ours.clone() * weights.clone()).sum().backward();
        let burns_grads = (burns.clone() * weights).sum().backward();
        assert!(difference(&values(ours), &values(burns)) < 1e-4, "{name}");
        // A single image of 2x2: the gradients are differences of equal numbers.
        let has_gradients = shape[0] * shape[2] * shape[3] > 4;
        let inputs = has_gradients.then_some((&x1, &x2));
        assert_gradients_alike(&name, &parameters, inputs, &ours_grads, &burns_grads);
        // Mean and variance, as they would move the running statistics of a fresh batch norm.
        let moved = values(norm.running_mean.value_sync());
        let expected: Vec<f32> = values(mean).iter().map(|m| 0.1 * m).collect();
        assert!(difference(&expected, &moved) < CLOSE);
        let moved = values(norm.running_var.value_sync());
        let expected: Vec<f32> = values(variance).iter().map(|v| 0.9 + 0.1 * v).collect();
        assert!(difference(&expected, &moved) < CLOSE);
    }
}

#[test]
fn a_block_with_fixed_statistics_is_burns() {
    let device = Device::flex();
    for (shape, outputs, pooled) in [
        ([3, 4, 6, 5], 7, Pool::Halve),
        ([1, 1, 32, 32], 32, Pool::Halve),
        ([40, 32, 16, 16], 64, Pool::Halve),
        ([3, 4, 6, 5], 7, Pool::None),
        ([40, 32, 15, 16], 64, Pool::None),
    ] {
        let (conv, _, parameters) = block(shape[1], outputs, &device);
        let x = tensor(shape, 1, &device);
        let mean = tensor([outputs], 9, &device);
        let variance = tensor([outputs], 10, &device).abs() + 0.1;
        let input = kernels::channels_last(x.clone());
        let ours = kernels::fixed_conv_block(
            input,
            parameters.clone(),
            mean.clone(),
            variance.clone(),
            1,
            pooled,
        );
        let per_channel = |values: Tensor<1>| values.reshape([1, outputs, 1, 1]);
        let normed = (conv.forward(x) - per_channel(mean))
            / per_channel((variance + parameters.epsilon).sqrt())
            * per_channel(parameters.gamma)
            + per_channel(parameters.beta);
        let expected = values(pool(relu(normed), pooled));
        let found = difference(&values(kernels::channels_first(ours)), &expected);
        assert!(found < CLOSE, "{shape:?}: {found}");
    }
}

#[test]
fn of_equal_values_the_first_gets_the_gradient() {
    // A flat image: all four inputs of a pool are equal.
    let device = Device::flex().autodiff();
    let x = (Tensor::<4>::zeros([2, 4, 4, 1], &device) + 0.5).require_grad();
    let weight = Tensor::<4>::ones([1, 1, 1, 1], &device);
    let parameters = ConvNorm {
        weight: weight.require_grad(),
        bias: Tensor::zeros([1], &device),
        gamma: Tensor::ones([1], &device),
        beta: Tensor::ones([1], &device),
        epsilon: 1e-5,
    };
    let (y, _, _) = kernels::conv_block(x.clone(), parameters, 0, Pool::Halve);
    let grads = y.sum().backward();
    let slopes = values(x.grad(&grads).unwrap());
    // One input of four stands out by gamma / sigma; the norm takes the mean away.
    let sigma = 1e-5f32.sqrt();
    for (index, slope) in slopes.iter().enumerate() {
        let (row, column) = (index / 4 % 4, index % 4);
        let chosen = row % 2 == 0 && column % 2 == 0;
        let expected = if chosen { 0.75 / sigma } else { -0.25 / sigma };
        assert!(
            (slope - expected).abs() < 1e-3 * expected.abs(),
            "{index}: {slope}"
        );
    }
}
