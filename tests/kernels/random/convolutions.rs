//! Convolutions of random shapes, with what follows them, and their gradients against Burn's operators.

use burn::prelude::*;
use burn::tensor::activation::relu;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions as BurnsOptions;
use kiln::kernels::{self, Activation, ConvNorm, ConvOptions, Pool};
use proptest::prelude::*;

use super::cases::{Conv, convolution, dense, for_each};
use super::{CLOSE, WORK, away_from_kinks, kinks};
use crate::normed::Case;
use crate::{ACTIVATIONS, gradient_sums_differ, normed, sums_differ, tensor, values};

/// Multiplies by 0 what must not count: outputs at which slopes depend on rounding.
fn counted(weights: Tensor<4>, counts: Vec<f32>) -> Tensor<4> {
    let device = weights.device();
    let dims = weights.dims();
    weights * Tensor::from_data(TensorData::new(counts, dims), &device)
}

fn by_burn(conv: &Conv, x: &Tensor<4>, w: &Tensor<4>, b: Option<&Tensor<1>>) -> Tensor<4> {
    let options = BurnsOptions::new([conv.stride; 2], [conv.padding; 2], [1; 2], conv.groups);
    conv2d(x.clone(), w.clone(), b.cloned(), options)
}

/// How far the output and the gradients of a convolution with bias, maybe with ReLU, are from Burn's.
fn apart(
    conv: &Conv,
    with_relu: bool,
    ours: impl Fn(Tensor<4>, Tensor<4>, Tensor<1>) -> Tensor<4>,
) -> f32 {
    let device = Device::flex().autodiff();
    let x = || tensor(conv.input(), 1, &device).require_grad();
    let w = || tensor(conv.weight(), 2, &device).require_grad();
    let b = || tensor([conv.outputs], 3, &device).require_grad();
    let (x1, w1, b1, x2, w2, b2) = (x(), w(), b(), x(), w(), b());
    let y1 = ours(kernels::channels_last(x1.clone()), w1.clone(), b1.clone());
    let y1 = kernels::channels_first(y1);
    let before = by_burn(conv, &x2, &w2, Some(&b2));
    let kinks: &[f32] = if with_relu { &[0.0] } else { &[] };
    let counts = away_from_kinks(&values(before.clone()), kinks);
    let y2 = if with_relu { relu(before) } else { before };
    assert_eq!(y1.dims(), y2.dims());
    let weights = counted(tensor(conv.output(), 4, &device), counts);
    let grads_1 = (y1.clone() * weights.clone()).sum().backward();
    let grads_2 = (y2.clone() * weights).sum().backward();
    let grads = (&grads_1, &grads_2);
    sums_differ(&values(y1), &values(y2))
        .max(gradient_sums_differ(&x1, &x2, grads))
        .max(gradient_sums_differ(&w1, &w2, grads))
        .max(gradient_sums_differ(&b1, &b2, grads))
}

#[test]
fn convolutions_with_bias_and_relu_are_burns() {
    let cases = (dense(), any::<bool>());
    for_each(300, cases, |(conv, with_relu)| {
        let conv = conv.at_most(WORK);
        let found = apart(&conv, with_relu, |x, w, b| {
            kernels::conv2d(x, w, b, conv.stride, conv.padding, with_relu)
        });
        prop_assert!(found < CLOSE, "{conv:?}: {found}");
        Ok(())
    });
}

#[test]
fn convolutions_in_any_number_of_groups_are_burns() {
    for_each(300, convolution(), |conv| {
        let conv = conv.at_most(WORK);
        let options = ConvOptions {
            stride: conv.stride,
            padding: conv.padding,
            groups: conv.groups,
        };
        let found = apart(&conv, false, |x, w, b| {
            kernels::convolution(x, w, Some(b), options)
        });
        prop_assert!(found < CLOSE, "{conv:?}: {found}");
        Ok(())
    });
}

/// The same with enough values for each channel that its statistics are no differences of equal numbers, and patches of several values,
/// without which the norm takes away what the weights do.
fn with_statistics(conv: Conv) -> Conv {
    /// Values of a channel.
    const LEAST: usize = 24;
    let mut conv = conv;
    // Of the kernel, as much as there is image.
    let [rows, columns] = conv.size.map(|side| side.min(conv.kernel));
    if conv.inputs / conv.groups * rows * columns < 4 {
        (conv.kernel, conv.padding) = (3, 1);
        conv.size = conv.size.map(|side| side.max(3));
    }
    conv = conv.at_most(WORK);
    let [rows, columns] = conv.output_size();
    conv.batch = conv.batch.max(LEAST.div_ceil(rows * columns)).max(2);
    conv
}

fn case(conv: &Conv, with_residual: bool, activation: Activation) -> Case {
    Case {
        batch: conv.batch,
        inputs: conv.inputs,
        outputs: conv.outputs,
        size: conv.size,
        kernel: conv.kernel,
        options: ConvOptions {
            stride: conv.stride,
            padding: conv.padding,
            groups: conv.groups,
        },
        with_residual,
        activation,
    }
}

fn activation() -> impl Strategy<Value = Activation> {
    proptest::sample::select(ACTIVATIONS.to_vec())
}

#[test]
fn convolutions_with_batch_norm_residual_and_any_function_are_burns() {
    let cases = (convolution(), any::<bool>(), activation());
    for_each(300, cases, |(conv, with_residual, activation)| {
        let case = case(&with_statistics(conv), with_residual, activation);
        let found = normed::worst(&case, |arguments| {
            away_from_kinks(arguments, kinks(activation))
        });
        prop_assert!(found < CLOSE, "{case:?}: {found}");
        Ok(())
    });
}

#[test]
fn convolutions_with_fixed_statistics_are_burns() {
    let cases = (convolution(), any::<bool>(), activation());
    for_each(300, cases, |(conv, with_residual, activation)| {
        let case = case(&conv.at_most(WORK), with_residual, activation);
        let found = normed::fixed_worst(&case, |arguments| {
            away_from_kinks(arguments, kinks(activation))
        });
        prop_assert!(found < CLOSE, "{case:?}: {found}");
        Ok(())
    });
}

/// Which outputs of a pool over these values, or of the values themselves, do not depend on rounding: neither at the kink of ReLU nor where
/// two values of a window are nearly equal. `[.., rows, columns]`.
fn settled(before: &[f32], [rows, columns]: [usize; 2], pool: Pool) -> Vec<f32> {
    const NEAR: f32 = 1e-3;
    if pool == Pool::None {
        return away_from_kinks(before, &[0.0]);
    }
    let mut found = Vec::new();
    for map in before.chunks_exact(rows * columns) {
        for row in 0..rows / 2 {
            for column in 0..columns / 2 {
                let at = |y: usize, x: usize| map[(2 * row + y) * columns + 2 * column + x];
                let mut window = [at(0, 0), at(0, 1), at(1, 0), at(1, 1)];
                window.sort_by(f32::total_cmp);
                let is_apart = window[3] - window[2] > NEAR || window[3] < 0.0;
                let is_settled = window[3].abs() > NEAR && is_apart;
                found.push(f32::from(u8::from(is_settled)));
            }
        }
    }
    found
}

fn pooled(y: Tensor<4>, pool: Pool) -> Tensor<4> {
    let [batch, channels, rows, columns] = y.dims();
    if pool == Pool::None {
        return y;
    }
    let [rows, columns] = [rows / 2, columns / 2];
    let y = y.slice([0..batch, 0..channels, 0..2 * rows, 0..2 * columns]);
    let windows = y.reshape([batch * channels, rows, 2, columns, 2]);
    let largest = windows.max_dim(2).max_dim(4);
    largest.reshape([batch, channels, rows, columns])
}

/// How far a block is from Burn's operators: output, statistics and gradients, and the output with fixed statistics.
fn block_apart(conv: &Conv, pool: Pool) -> f32 {
    let device = Device::flex().autodiff();
    let channels = conv.outputs;
    let leaves = || ConvNorm {
        weight: tensor(conv.weight(), 3, &device).require_grad(),
        bias: tensor([channels], 4, &device),
        gamma: tensor([channels], 5, &device).require_grad(),
        beta: tensor([channels], 6, &device).require_grad(),
        epsilon: 1e-5,
    };
    let x = || tensor(conv.input(), 7, &device).require_grad();
    let (x1, p1, x2, p2) = (x(), leaves(), x(), leaves());
    let input = kernels::channels_last(x1.clone());
    let (y1, mean1, variance1) = kernels::conv_block(input.clone(), p1.clone(), conv.padding, pool);
    let y1 = kernels::channels_first(y1);
    let per_channel = |values: &Tensor<1>| values.clone().reshape([1, channels, 1, 1]);
    let convolved = by_burn(conv, &x2, &p2.weight, Some(&p2.bias));
    let mean = |values: Tensor<4>| values.mean_dim(0).mean_dim(2).mean_dim(3);
    let mean2 = mean(convolved.clone());
    let distances = convolved - mean2.clone();
    let variance2 = mean(distances.clone().powf_scalar(2.0));
    let scale = per_channel(&p2.gamma) / (variance2.clone() + p2.epsilon).sqrt();
    let before = distances * scale + per_channel(&p2.beta);
    let counts = settled(&values(before.clone()), conv.output_size(), pool);
    let y2 = pooled(relu(before), pool);
    assert_eq!(y1.dims(), y2.dims());
    let weights = counted(tensor(y1.dims(), 8, &device), counts);
    let grads_1 = (y1.clone() * weights.clone()).sum().backward();
    let grads_2 = (y2.clone() * weights).sum().backward();
    let grads = (&grads_1, &grads_2);
    let inner = Device::flex();
    let fixed = kernels::fixed_conv_block(
        kernels::channels_last(tensor(conv.input(), 7, &inner)),
        ConvNorm {
            weight: p1.weight.clone().inner(),
            bias: p1.bias.clone().inner(),
            gamma: p1.gamma.clone().inner(),
            beta: p1.beta.clone().inner(),
            epsilon: p1.epsilon,
        },
        mean1.clone().inner(),
        variance1.clone().inner(),
        conv.padding,
        pool,
    );
    let fixed = values(kernels::channels_first(fixed));
    let flat = |values: Tensor<4>| values.reshape([channels]);
    sums_differ(&values(y1), &values(y2.clone()))
        .max(sums_differ(&fixed, &values(y2)))
        .max(sums_differ(&values(mean1), &values(flat(mean2))))
        .max(sums_differ(&values(variance1), &values(flat(variance2))))
        .max(gradient_sums_differ(&x1, &x2, grads))
        .max(gradient_sums_differ(&p1.weight, &p2.weight, grads))
        .max(gradient_sums_differ(&p1.gamma, &p2.gamma, grads))
        .max(gradient_sums_differ(&p1.beta, &p2.beta, grads))
}

#[test]
fn blocks_with_and_without_a_pool_are_burns() {
    let cases = (dense(), any::<bool>());
    for_each(300, cases, |(conv, is_pooled)| {
        let conv = Conv { stride: 1, ..conv };
        let mut conv = with_statistics(conv);
        let pool = if is_pooled { Pool::Halve } else { Pool::None };
        if is_pooled {
            // So that there is a window.
            conv.size = conv.size.map(|side| side.max(conv.kernel + 1));
        }
        let found = block_apart(&conv, pool);
        prop_assert!(found < CLOSE, "{conv:?}, {pool:?}: {found}");
        Ok(())
    });
}

#[test]
fn two_convolutions_side_by_side_are_burns() {
    let kernel = || proptest::sample::select(vec![1, 3, 5]);
    let cases = (dense(), super::cases::channels(), kernel(), kernel());
    for_each(300, cases, |(conv, second, kernel_1, kernel_2)| {
        let branch = |outputs: usize, kernel: usize| Conv {
            outputs,
            kernel,
            stride: 1,
            padding: kernel / 2,
            ..conv
        };
        let larger = branch(conv.outputs.max(second), kernel_1.max(kernel_2)).at_most(WORK);
        let branches =
            [(conv.outputs, kernel_1), (second, kernel_2)].map(|(outputs, kernel)| Conv {
                batch: larger.batch,
                size: larger.size,
                ..branch(outputs, kernel)
            });
        let found = pair_apart(&branches);
        prop_assert!(found < CLOSE, "{branches:?}: {found}");
        Ok(())
    });
}

fn pair_apart(branches: &[Conv; 2]) -> f32 {
    let device = Device::flex().autodiff();
    let leaves = || {
        let x = tensor(branches[0].input(), 1, &device).require_grad();
        let mut salt = 1;
        let parameters = branches.map(|conv| {
            salt += 2;
            let w = tensor(conv.weight(), salt, &device).require_grad();
            (w, tensor([conv.outputs], salt + 1, &device).require_grad())
        });
        (x, parameters)
    };
    let ((x1, p1), (x2, p2)) = (leaves(), leaves());
    let [first, second] = p1.clone();
    let y1 = kernels::conv2d_pair(kernels::channels_last(x1.clone()), first, second);
    let y1 = kernels::channels_first(y1);
    let parts = branches.iter().zip(&p2);
    let parts = parts.map(|(conv, (w, b))| by_burn(conv, &x2, w, Some(b)));
    let before = Tensor::cat(parts.collect(), 1);
    let counts = away_from_kinks(&values(before.clone()), &[0.0]);
    let y2 = relu(before);
    let weights = counted(tensor(y1.dims(), 6, &device), counts);
    let grads_1 = (y1.clone() * weights.clone()).sum().backward();
    let grads_2 = (y2.clone() * weights).sum().backward();
    let grads = (&grads_1, &grads_2);
    let mut worst =
        sums_differ(&values(y1), &values(y2)).max(gradient_sums_differ(&x1, &x2, grads));
    for ((w1, b1), (w2, b2)) in p1.iter().zip(&p2) {
        worst = worst
            .max(gradient_sums_differ(w1, w2, grads))
            .max(gradient_sums_differ(b1, b2, grads));
    }
    worst
}
