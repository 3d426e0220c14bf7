//! Fully connected layers, pools, factors of channels, functions and optimizer steps of random shapes against Burn's operators.

use burn::nn::PaddingConfig2d;
use burn::nn::pool::MaxPool2dConfig;
use burn::prelude::*;
use kiln::kernels::{self, Activation, AdamStep, PoolOptions, SgdStep};
use proptest::prelude::*;

use super::cases::{channels, for_each};
use super::{CLOSE, away_from_kinks, kinks};
use crate::convolution::means_and_factors_differ;
use crate::{ACTIVATIONS, activated, difference, gradients_differ, numbers, tensor, values};

fn activation() -> impl Strategy<Value = Activation> {
    proptest::sample::select(ACTIVATIONS.to_vec())
}

/// Weights of outputs, without those where a function's slope depends on rounding.
fn weights<const D: usize>(arguments: &Tensor<D>, activation: Activation) -> Tensor<D> {
    let device = arguments.device();
    let counts = away_from_kinks(&values(arguments.clone()), kinks(activation));
    let counts = Tensor::from_data(TensorData::new(counts, arguments.dims()), &device);
    tensor(arguments.dims(), 4, &device) * counts
}

#[test]
fn fully_connected_layers_are_burns() {
    let width = || prop_oneof![3 => channels(), 1 => 100..400usize];
    let cases = (1..70usize, width(), width(), activation());
    for_each(300, cases, |(batch, inputs, outputs, activation)| {
        let device = Device::flex().autodiff();
        let x = || tensor([batch, inputs], 1, &device).require_grad();
        let w = || tensor([inputs, outputs], 2, &device).require_grad();
        let b = || tensor([outputs], 3, &device).require_grad();
        let (x1, w1, b1, x2, w2, b2) = (x(), w(), b(), x(), w(), b());
        let y1 = kernels::linear(x1.clone(), w1.clone(), b1.clone(), activation);
        let before = x2.clone().matmul(w2.clone()) + b2.clone().unsqueeze::<2>();
        let weights = weights(&before, activation);
        let y2 = activated(before, activation);
        let grads_1 = (y1.clone() * weights.clone()).sum().backward();
        let grads_2 = (y2.clone() * weights).sum().backward();
        let grads = (&grads_1, &grads_2);
        let found = difference(&values(y1), &values(y2))
            .max(gradients_differ(&x1, &x2, grads))
            .max(gradients_differ(&w1, &w2, grads))
            .max(gradients_differ(&b1, &b2, grads));
        prop_assert!(
            found < CLOSE,
            "{batch}x{inputs} to {outputs}, {activation:?}: {found}"
        );
        Ok(())
    });
}

/// Images, a window and how it moves.
fn pools() -> impl Strategy<Value = ([usize; 4], PoolOptions)> {
    let sides = [1..24usize, 1..24usize];
    let window = (1..6usize, 1..5usize, any::<bool>());
    (1..5usize, channels(), sides, window).prop_flat_map(
        |(batch, channels, [height, width], (kernel, stride, ceil_mode))| {
            (0..=kernel / 2).prop_map(move |padding| {
                let least = kernel.saturating_sub(2 * padding).max(1);
                let shape = [batch, channels, height.max(least), width.max(least)];
                let options = PoolOptions {
                    kernel,
                    stride,
                    padding,
                    ceil_mode,
                };
                (shape, options)
            })
        },
    )
}

#[test]
fn max_pools_are_burns() {
    for_each(300, pools(), |(shape, options)| {
        let device = Device::flex().autodiff();
        let x = || tensor(shape, 1, &device).require_grad();
        let (x1, x2) = (x(), x());
        let y1 = kernels::max_pool2d(kernels::channels_last(x1.clone()), options);
        let y1 = kernels::channels_first(y1);
        let padding = options.padding;
        let burns = MaxPool2dConfig::new([options.kernel; 2])
            .with_strides([options.stride; 2])
            .with_padding(PaddingConfig2d::Explicit(
                padding, padding, padding, padding,
            ))
            .with_ceil_mode(options.ceil_mode)
            .init();
        let y2 = burns.forward(x2.clone());
        prop_assert_eq!(y1.dims(), y2.dims());
        let weights = tensor(y1.dims(), 2, &device);
        let grads_1 = (y1.clone() * weights.clone()).sum().backward();
        let grads_2 = (y2.clone() * weights).sum().backward();
        prop_assert_eq!(values(y1), values(y2));
        let found = gradients_differ(&x1, &x2, (&grads_1, &grads_2));
        prop_assert!(found < CLOSE, "{found}");
        Ok(())
    });
}

#[test]
fn means_and_factors_of_channels_are_burns() {
    let shapes = (1..6usize, channels(), 1..16usize, 1..16usize);
    for_each(300, shapes, |(batch, channels, height, width)| {
        let found = means_and_factors_differ([batch, channels, height, width]);
        prop_assert!(found < CLOSE, "{found}");
        Ok(())
    });
}

#[test]
fn functions_of_any_number_of_values_are_burns() {
    for_each(300, (1..5000usize, activation()), |(count, activation)| {
        let device = Device::flex().autodiff();
        let x = || (tensor([count], 1, &device) * 8.0).detach().require_grad();
        let (x1, x2) = (x(), x());
        let weights = weights(&x2, activation);
        let y1 = kernels::activate(x1.clone(), activation);
        let y2 = activated(x2.clone(), activation);
        let grads_1 = (y1.clone() * weights.clone()).sum().backward();
        let grads_2 = (y2.clone() * weights).sum().backward();
        let found = difference(&values(y1), &values(y2));
        let found = found.max(gradients_differ(&x1, &x2, (&grads_1, &grads_2)));
        prop_assert!(found < CLOSE, "{found}");
        Ok(())
    });
}

/// Kingma and Ba 2015, Loshchilov and Hutter 2019, in 64 bits: the parameter after a step.
fn adam(p: f64, g: f64, [m, v]: [f64; 2], step: &AdamStep) -> f64 {
    let g = g + step.coupled_decay * p;
    let m = step.beta1 * m + (1.0 - step.beta1) * g;
    let v = step.beta2 * v + (1.0 - step.beta2) * g * g;
    let m = m / (1.0 - step.beta1.powi(step.time));
    let v = v / (1.0 - step.beta2.powi(step.time));
    let decayed = p - step.rate * step.decoupled_decay * p;
    decayed - step.rate * m / (v.sqrt() + step.epsilon)
}

#[test]
fn optimizer_steps_of_any_number_of_values_are_the_formula() {
    let decays = [0.0..0.5f64, 0.0..0.5f64];
    let cases = (1..5000usize, decays, 1..50i32);
    for_each(
        300,
        cases,
        |(count, [coupled_decay, decoupled_decay], time)| {
            let device = Device::flex();
            let of = |salt| tensor([count], salt, &device);
            let step = AdamStep {
                rate: 0.01,
                beta1: 0.9,
                beta2: 0.99,
                epsilon: 1e-8,
                coupled_decay,
                decoupled_decay,
                time,
            };
            let (found, _) = kernels::adam_step(of(1), of(2), [of(3), of(4).abs()], step);
            let [p, g, m, v] = [1, 2, 3, 4].map(|salt| numbers(count, salt));
            let all = (0..count).map(|i| adam(p[i], g[i], [m[i], v[i].abs()], &step) as f32);
            let expected: Vec<f32> = all.collect();
            let apart = difference(&values(found), &expected);
            prop_assert!(apart < CLOSE, "{apart}");
            let step = SgdStep {
                rate: 0.1,
                momentum: 0.9,
                decay: coupled_decay,
            };
            let (found, _) = kernels::sgd_step(of(1), of(2), of(3), step);
            let all = (0..count).map(|i| {
                let velocity = 0.9 * m[i] + g[i] + coupled_decay * p[i];
                (p[i] - 0.1 * velocity) as f32
            });
            let expected: Vec<f32> = all.collect();
            let apart = difference(&values(found), &expected);
            prop_assert!(apart < CLOSE, "{apart}");
            Ok(())
        },
    );
}
