//! The kernels against Burn's own operators and against finite differences, at odd sizes too.

use burn::nn::conv::Conv2dConfig;
use burn::nn::pool::MaxPool2dConfig;
use burn::nn::{BatchNorm, BatchNormConfig, PaddingConfig2d};
use burn::prelude::*;
use burn::tensor::activation::relu;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use kiln::kernels;

/// `count` numbers between -1 and 1 that look random and are the same everywhere.
fn numbers(count: usize, salt: u64) -> Vec<f64> {
    let mut rng = kiln::data::seed::rng(&[salt]);
    (0..count)
        .map(|_| f64::from(kiln::data::seed::uniform(&mut rng)) * 2.0 - 1.0)
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
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(1e-3f32, |most, v| most.max(v.abs()));
    found
        .iter()
        .zip(expected)
        .fold(0.0f32, |most, (f, e)| most.max((f - e).abs()))
        / largest
}

const CLOSE: f32 = 2e-5;

#[test]
fn the_convolution_and_its_gradients_are_burns_at_every_kernel_stride_and_padding() {
    let device = Device::flex().autodiff();
    for (batch, inputs, outputs, height, width, kernel, stride, padding) in [
        (1, 1, 1, 1, 1, 1, 1, 0),
        (2, 3, 4, 5, 7, 3, 1, 1),
        (3, 1, 32, 32, 32, 3, 1, 1),
        (9, 32, 7, 16, 15, 3, 1, 1),
        (2, 3, 5, 9, 8, 3, 2, 0),
        (2, 3, 5, 9, 8, 3, 2, 1),
        (4, 6, 5, 10, 11, 1, 1, 0),
        (2, 6, 5, 10, 11, 1, 2, 0),
        (2, 2, 3, 7, 6, 5, 1, 2),
        (2, 2, 3, 7, 6, 5, 3, 2),
        (2, 2, 3, 2, 2, 3, 1, 2),
        (17, 4, 4, 6, 6, 3, 1, 0),
    ] {
        let name = format!(
            "{batch}x{inputs}x{height}x{width} by {outputs}x{kernel}, stride {stride}, padding {padding}"
        );
        let x = || tensor([batch, inputs, height, width], 1, &device).require_grad();
        let w = || tensor([outputs, inputs, kernel, kernel], 2, &device).require_grad();
        let b = || tensor([outputs], 3, &device).require_grad();
        let (x1, w1, b1, x2, w2, b2) = (x(), w(), b(), x(), w(), b());
        let ours = kernels::conv2d(x1.clone(), w1.clone(), b1.clone(), stride, padding);
        let options = ConvOptions::new([stride; 2], [padding; 2], [1; 2], 1);
        let burns = conv2d(x2.clone(), w2.clone(), Some(b2.clone()), options);
        assert_eq!(ours.dims(), burns.dims(), "{name}");
        let weights = tensor(ours.dims(), 4, &device);
        let ours_grads = (ours.clone() * weights.clone()).sum().backward();
        let burns_grads = (burns.clone() * weights).sum().backward();
        let mut worst = difference(&values(ours), &values(burns));
        let pairs = [
            (
                values(x1.grad(&ours_grads).unwrap()),
                values(x2.grad(&burns_grads).unwrap()),
            ),
            (
                values(w1.grad(&ours_grads).unwrap()),
                values(w2.grad(&burns_grads).unwrap()),
            ),
            (
                values(b1.grad(&ours_grads).unwrap()),
                values(b2.grad(&burns_grads).unwrap()),
            ),
        ];
        for (found, expected) in pairs {
            worst = worst.max(difference(&found, &expected));
        }
        assert!(worst < CLOSE, "{name}: {worst}");
    }
}

fn pool(x: Tensor<4>) -> Tensor<4> {
    MaxPool2dConfig::new([2, 2])
        .with_strides([2, 2])
        .init()
        .forward(x)
}

/// Batch norm, ReLU and pool of Burn on a training device.
fn burns_norm_relu_pool(x: Tensor<4>, norm: &BatchNorm) -> Tensor<4> {
    pool(relu(norm.forward(x)))
}

#[test]
fn norm_relu_pool_and_its_gradients_are_burns() {
    let device = Device::flex().autodiff();
    for shape in [
        [1, 1, 2, 2],
        [2, 3, 4, 6],
        [5, 7, 9, 11],
        [32, 32, 32, 32],
        [3, 2, 5, 2],
    ] {
        let channels = shape[1];
        let mut norm = BatchNormConfig::new(channels).init(&device);
        let gamma = tensor([channels], 5, &device).require_grad();
        let beta = tensor([channels], 6, &device).require_grad();
        norm.gamma = burn::module::Param::from_tensor(gamma);
        norm.beta = burn::module::Param::from_tensor(beta);
        let (gamma, beta) = (norm.gamma.val(), norm.beta.val());
        let x1 = tensor(shape, 7, &device).require_grad();
        let x2 = tensor(shape, 7, &device).require_grad();
        let (ours, mean, variance) =
            kernels::norm_relu_pool(x1.clone(), gamma.clone(), beta.clone(), norm.epsilon);
        let burns = burns_norm_relu_pool(x2.clone(), &norm);
        assert_eq!(ours.dims(), burns.dims());
        let weights = tensor(ours.dims(), 8, &device);
        let ours_grads = (ours.clone() * weights.clone()).sum().backward();
        let ours_gamma = values(gamma.grad(&ours_grads).unwrap());
        let ours_beta = values(beta.grad(&ours_grads).unwrap());
        let burns_grads = (burns.clone() * weights).sum().backward();
        let mut worst = difference(&values(ours), &values(burns));
        worst = worst.max(difference(
            &ours_gamma,
            &values(gamma.grad(&burns_grads).unwrap()),
        ));
        worst = worst.max(difference(
            &ours_beta,
            &values(beta.grad(&burns_grads).unwrap()),
        ));
        // A single image of 2x2: the gradient is a difference of equal numbers.
        if shape[0] * shape[2] * shape[3] > 4 {
            let ours_x = values(x1.grad(&ours_grads).unwrap());
            worst = worst.max(difference(&ours_x, &values(x2.grad(&burns_grads).unwrap())));
        }
        assert!(worst < 1e-4, "{shape:?}: {worst}");
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
fn scale_relu_pool_is_what_it_says() {
    let device = Device::flex();
    let x = tensor([3, 4, 6, 5], 1, &device);
    let (scale, shift) = (tensor([4], 2, &device), tensor([4], 3, &device));
    let found = values(kernels::scale_relu_pool(
        x.clone(),
        scale.clone(),
        shift.clone(),
    ));
    let scaled = x * scale.reshape([1, 4, 1, 1]) + shift.reshape([1, 4, 1, 1]);
    let expected = values(pool(relu(scaled)));
    assert!(difference(&found, &expected) < 1e-6);
}

#[test]
fn a_tensor_that_is_a_view_is_read_in_its_own_order() {
    let device = Device::flex();
    let wide = tensor([2, 5, 6, 3], 1, &device);
    let view = wide.clone().permute([0, 3, 1, 2]);
    let copy = Tensor::<4>::from_data(view.clone().into_data(), &device);
    let part = wide.slice([1..2, 0..5, 0..6, 0..3]).permute([0, 3, 1, 2]);
    let (w, b) = (tensor([4, 3, 3, 3], 2, &device), tensor([4], 3, &device));
    let of = |x: Tensor<4>| values(kernels::conv2d(x, w.clone(), b.clone(), 1, 1));
    let whole = of(copy);
    assert_eq!(of(view), whole);
    assert_eq!(of(part), whole[whole.len() / 2..]);
}

#[test]
fn only_flex_has_the_kernels() {
    assert!(kernels::fits(&Device::flex()));
    assert!(kernels::fits(&Device::flex().autodiff()));
}

#[test]
fn a_layer_of_burn_has_the_weights_that_the_kernels_take() {
    let device = Device::flex();
    device.seed(1);
    let layer = Conv2dConfig::new([3, 8], [3, 3])
        .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
        .init(&device);
    let x = tensor([2, 3, 8, 8], 1, &device);
    let bias = layer.bias.as_ref().unwrap().val();
    let ours = kernels::conv2d(x.clone(), layer.weight.val(), bias, 1, 1);
    assert!(difference(&values(ours), &values(layer.forward(x))) < CLOSE);
}

// ---- Finite differences in 64-bit floats ----

fn double<const D: usize>(values: &[f64], shape: [usize; D], device: &Device) -> Tensor<D> {
    let data = TensorData::new(values.to_vec(), shape);
    Tensor::from_data(data, (device, burn::tensor::DType::F64))
}

/// Holds the gradients of `loss` (of three inputs) against central differences; returns the worst relative error, with an
/// absolute floor of 1e-3.
fn worst_error(
    inputs: [Vec<f64>; 3],
    loss: impl Fn(&[Vec<f64>; 3]) -> (f64, [Vec<f64>; 3]),
) -> f64 {
    const STEP: f64 = 1e-5;
    let (_, gradients) = loss(&inputs);
    let mut worst: f64 = 0.0;
    for (which, gradient) in gradients.iter().enumerate() {
        for (place, &found) in gradient.iter().enumerate() {
            let at = |step: f64| {
                let mut moved = inputs.clone();
                moved[which][place] += step;
                loss(&moved).0
            };
            let expected = (at(STEP) - at(-STEP)) / (2.0 * STEP);
            let error = (found - expected).abs() / expected.abs().max(found.abs()).max(1e-3);
            worst = worst.max(error);
        }
    }
    worst
}

fn doubles<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

#[test]
fn the_gradients_of_the_convolution_agree_with_finite_differences() {
    let device = Device::flex().autodiff();
    for (kernel, stride, padding) in [(3, 1, 1), (3, 2, 1), (1, 1, 0), (2, 1, 0)] {
        let (x_shape, w_shape) = ([3, 2, 5, 4], [3, 2, kernel, kernel]);
        let inputs = [
            numbers(x_shape.iter().product(), 1),
            numbers(w_shape.iter().product(), 2),
            numbers(3, 3),
        ];
        let worst = worst_error(inputs, |[x, w, b]| {
            let x = double(x, x_shape, &device).require_grad();
            let w = double(w, w_shape, &device).require_grad();
            let b = double(b, [3], &device).require_grad();
            let y = kernels::conv2d(x.clone(), w.clone(), b.clone(), stride, padding);
            let weights = double(&numbers(y.shape().num_elements(), 4), y.dims(), &device);
            let loss = (y.clone() * y * weights).sum();
            let grads = loss.clone().backward();
            let gradients = [
                doubles(x.grad(&grads).unwrap()),
                doubles(w.grad(&grads).unwrap()),
                doubles(b.grad(&grads).unwrap()),
            ];
            (doubles(loss)[0], gradients)
        });
        assert!(worst < 1e-6, "kernel {kernel}, stride {stride}: {worst}");
    }
}

#[test]
fn the_gradients_of_norm_relu_pool_agree_with_finite_differences() {
    let device = Device::flex().autodiff();
    for shape in [[3, 2, 4, 4], [2, 3, 5, 7]] {
        let channels = shape[1];
        let inputs = [
            numbers(shape.iter().product(), 11),
            numbers(channels, 12),
            numbers(channels, 13),
        ];
        let worst = worst_error(inputs, |[x, gamma, beta]| {
            let x = double(x, shape, &device).require_grad();
            let gamma = double(gamma, [channels], &device).require_grad();
            let beta = double(beta, [channels], &device).require_grad();
            let (y, _, _) = kernels::norm_relu_pool(x.clone(), gamma.clone(), beta.clone(), 1e-5);
            let weights = double(&numbers(y.shape().num_elements(), 14), y.dims(), &device);
            let loss = (y.clone() * y * weights).sum();
            let grads = loss.clone().backward();
            let gradients = [
                doubles(x.grad(&grads).unwrap()),
                doubles(gamma.grad(&grads).unwrap()),
                doubles(beta.grad(&grads).unwrap()),
            ];
            (doubles(loss)[0], gradients)
        });
        assert!(worst < 1e-5, "{shape:?}: {worst}");
    }
}

#[test]
fn a_wrong_gradient_would_be_seen() {
    let inputs = [numbers(4, 1), vec![1.0], vec![1.0]];
    let worst = worst_error(inputs, |[x, _, _]| {
        let loss: f64 = x.iter().map(|v| v * v).sum();
        // One entry is 1 % off.
        let mut gradient: Vec<f64> = x.iter().map(|v| 2.0 * v).collect();
        gradient[2] *= 1.01;
        (loss, [gradient, vec![0.0], vec![0.0]])
    });
    assert!(worst > 5e-3, "{worst}");
}
