//! Gradients against finite differences in 64-bit floats.

use burn::prelude::*;
use kiln::kernels::{self, Activation, ConvNorm, Pool};

use super::numbers;

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
            let input = kernels::channels_last(x.clone());
            let relu = kernel == 3;
            let y = kernels::conv2d(input, w.clone(), b.clone(), stride, padding, relu);
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
fn the_gradients_of_a_block_agree_with_finite_differences() {
    let device = Device::flex().autodiff();
    for shape in [[3, 2, 4, 4], [2, 3, 5, 7]] {
        let (channels, outputs) = (shape[1], 4);
        let w_shape = [outputs, channels, 3, 3];
        let inputs = [
            numbers(shape.iter().product(), 11),
            numbers(w_shape.iter().product(), 12),
            // gamma, then beta
            numbers(2 * outputs, 13),
        ];
        let worst = worst_error(inputs, |[x, w, norm]| {
            let x = double(x, shape, &device).require_grad();
            let parameters = ConvNorm {
                weight: double(w, w_shape, &device).require_grad(),
                bias: double(&numbers(outputs, 14), [outputs], &device),
                gamma: double(&norm[..outputs], [outputs], &device).require_grad(),
                beta: double(&norm[outputs..], [outputs], &device).require_grad(),
                epsilon: 1e-5,
            };
            let input = kernels::channels_last(x.clone());
            let (y, _, _) = kernels::conv_block(input, parameters.clone(), 1, Pool::Halve);
            let weights = double(&numbers(y.shape().num_elements(), 15), y.dims(), &device);
            let loss = (y.clone() * y * weights).sum();
            let grads = loss.clone().backward();
            let mut of_norm = doubles(parameters.gamma.grad(&grads).unwrap());
            of_norm.extend(doubles(parameters.beta.grad(&grads).unwrap()));
            let gradients = [
                doubles(x.grad(&grads).unwrap()),
                doubles(parameters.weight.grad(&grads).unwrap()),
                of_norm,
            ];
            (doubles(loss)[0], gradients)
        });
        assert!(worst < 1e-5, "{shape:?}: {worst}");
    }
}

#[test]
fn the_gradients_of_a_fully_connected_layer_agree_with_finite_differences() {
    let device = Device::flex().autodiff();
    let inputs = [numbers(4 * 5, 1), numbers(5 * 18, 2), numbers(18, 3)];
    for activation in [Activation::Identity, Activation::Relu, Activation::Sigmoid] {
        let worst = worst_error(inputs.clone(), |[x, w, b]| {
            let x = double(x, [4, 5], &device).require_grad();
            let w = double(w, [5, 18], &device).require_grad();
            let b = double(b, [18], &device).require_grad();
            let y = kernels::linear(x.clone(), w.clone(), b.clone(), activation);
            let loss = (y.clone() * y).sum();
            let grads = loss.clone().backward();
            let gradients = [
                doubles(x.grad(&grads).unwrap()),
                doubles(w.grad(&grads).unwrap()),
                doubles(b.grad(&grads).unwrap()),
            ];
            (doubles(loss)[0], gradients)
        });
        assert!(worst < 1e-6, "{activation:?}: {worst}");
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
