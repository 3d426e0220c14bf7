//! Fully connected layers and optimizer steps against plain arithmetic and Burn.

use burn::prelude::*;
use kiln::kernels::{self, Activation, AdamStep, SgdStep};

use super::{ACTIVATIONS, CLOSE, activated, difference, gradients_differ, numbers, tensor, values};

#[test]
fn a_fully_connected_layer_and_its_gradients_are_burns() {
    let device = Device::flex().autodiff();
    for (batch, inputs, outputs) in [
        (1, 1, 1),
        (1, 1024, 64),
        (3, 7, 5),
        (13, 64, 36),
        (64, 100, 48),
        (600, 30, 33),
        // Larger than the cache that the kernel is for.
        (5, 600, 300),
    ] {
        for activation in ACTIVATIONS {
            let name = format!("{batch}x{inputs} to {outputs}, {activation:?}");
            let x = || tensor([batch, inputs], 1, &device).require_grad();
            let w = || tensor([inputs, outputs], 2, &device).require_grad();
            let b = || tensor([outputs], 3, &device).require_grad();
            let (x1, w1, b1, x2, w2, b2) = (x(), w(), b(), x(), w(), b());
            let ours = kernels::linear(x1.clone(), w1.clone(), b1.clone(), activation);
            let burns = x2.clone().matmul(w2.clone()) + b2.clone().unsqueeze::<2>();
            let burns = activated(burns, activation);
            let weights = tensor(ours.dims(), 4, &device);
            let ours_grads = (ours.clone() * weights.clone()).sum().backward();
            let burns_grads = (burns.clone() * weights).sum().backward();
            let grads = (&ours_grads, &burns_grads);
            let worst = difference(&values(ours), &values(burns))
                .max(gradients_differ(&x1, &x2, grads))
                .max(gradients_differ(&w1, &w2, grads))
                .max(gradients_differ(&b1, &b2, grads));
            assert!(worst < CLOSE, "{name}: {worst}");
        }
    }
}

/// The function of each of `xs` on flex.
fn function(xs: &[f32], activation: Activation) -> Vec<f32> {
    let device = Device::flex();
    let x = Tensor::<2>::from_data(TensorData::new(xs.to_vec(), [xs.len(), 1]), &device);
    let one = Tensor::ones([1, 1], &device);
    let zero = Tensor::zeros([1], &device);
    values(kernels::linear(x, one, zero, activation))
}

#[test]
fn the_sigmoid_and_the_silu_are_right_over_their_whole_range() {
    let xs: Vec<f32> = (-9000..=9000).map(|i| i as f32 / 100.0).collect();
    let sigmoids = function(&xs, Activation::Sigmoid);
    let silus = function(&xs, Activation::Silu);
    for ((x, sigmoid), silu) in xs.into_iter().zip(sigmoids).zip(silus) {
        let right = 1.0 / (1.0 + (-f64::from(x)).exp());
        // Below, a 32-bit sigmoid is smaller than 1e-37.
        let allowed = 4e-7 * right + 1e-37;
        assert!(
            (f64::from(sigmoid) - right).abs() <= allowed,
            "sigmoid({x}): {sigmoid}, not {right}"
        );
        let (right, allowed) = (f64::from(x) * right, 2e-7 * f64::from(x.abs().max(1.0)));
        assert!(
            (f64::from(silu) - right).abs() <= allowed,
            "silu({x}): {silu}, not {right}"
        );
    }
}

#[test]
fn an_optimizers_step_is_the_formula() {
    // Kingma and Ba 2015 and Loshchilov and Hutter 2019 by hand, in 64 bits.
    let device = Device::flex();
    let count = 40_000;
    let (start, slopes) = (numbers(count, 1), numbers(count, 2));
    for (coupled, decoupled) in [(0.0, 0.0), (0.1, 0.0), (0.0, 0.1)] {
        let mut p = tensor([count], 1, &device);
        // Somebody else holds the parameter, as a learner does: it must not change under them.
        let held = p.clone();
        let mut moments = [
            Tensor::zeros([count], &device),
            Tensor::zeros([count], &device),
        ];
        let (mut expected, mut m, mut v) = (start.clone(), vec![0.0; count], vec![0.0; count]);
        for time in 1..=3 {
            let step = AdamStep {
                rate: 0.01,
                beta1: 0.9,
                beta2: 0.99,
                epsilon: 1e-8,
                coupled_decay: coupled,
                decoupled_decay: decoupled,
                time,
            };
            (p, moments) = kernels::adam_step(p, tensor([count], 2, &device), moments, step);
            for i in 0..count {
                let g = slopes[i] + coupled * expected[i];
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.99 * v[i] + 0.01 * g * g;
                let (m, v): (f64, f64) = (
                    m[i] / (1.0 - 0.9f64.powi(time)),
                    v[i] / (1.0 - 0.99f64.powi(time)),
                );
                expected[i] -= 0.01 * decoupled * expected[i] + 0.01 * m / (v.sqrt() + 1e-8);
            }
        }
        let expected: Vec<f32> = expected.iter().map(|&value| value as f32).collect();
        assert!(difference(&values(p), &expected) < 1e-5);
        assert_eq!(values(held), values(tensor([count], 1, &device)));
    }
    let mut p = tensor([count], 1, &device);
    let mut velocity = Tensor::zeros([count], &device);
    let (mut expected, mut w) = (start, vec![0.0; count]);
    for _ in 0..3 {
        let step = SgdStep {
            rate: 0.1,
            momentum: 0.9,
            decay: 0.01,
        };
        (p, velocity) = kernels::sgd_step(p, tensor([count], 2, &device), velocity, step);
        for i in 0..count {
            w[i] = 0.9 * w[i] + slopes[i] + 0.01 * expected[i];
            expected[i] -= 0.1 * w[i];
        }
    }
    let expected: Vec<f32> = expected.iter().map(|&value| value as f32).collect();
    assert!(difference(&values(p), &expected) < 1e-5);
}
