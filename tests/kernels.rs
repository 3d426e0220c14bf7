//! The kernels against Burn's own operators and against finite differences, at odd sizes too.

use burn::module::Param;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::MaxPool2dConfig;
use burn::nn::{BatchNorm, BatchNormConfig, PaddingConfig2d};
use burn::prelude::*;
use burn::tensor::Gradients;
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use kiln::kernels::{self, Activation, AdamStep, ConvNorm, Pool, SgdStep};

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
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(1e-3f32, |most, v| most.max(v.abs()));
    found
        .iter()
        .zip(expected)
        .fold(0.0f32, |most, (f, e)| most.max((f - e).abs()))
        / largest
}

const CLOSE: f32 = 2e-5;

/// How far the gradients of two leaves, each of its own backward pass, lie apart.
fn gradients_differ<const D: usize>(
    ours: &Tensor<D>,
    burns: &Tensor<D>,
    (ours_grads, burns_grads): (&Gradients, &Gradients),
) -> f32 {
    difference(
        &values(ours.grad(ours_grads).unwrap()),
        &values(burns.grad(burns_grads).unwrap()),
    )
}

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
        // Every other case with ReLU.
        let with_relu = height % 2 == 0;
        let ours = kernels::channels_first(kernels::conv2d(
            kernels::channels_last(x1.clone()),
            w1.clone(),
            b1.clone(),
            stride,
            padding,
            with_relu,
        ));
        let options = ConvOptions::new([stride; 2], [padding; 2], [1; 2], 1);
        let burns = conv2d(x2.clone(), w2.clone(), Some(b2.clone()), options);
        let burns = if with_relu { relu(burns) } else { burns };
        assert_eq!(ours.dims(), burns.dims(), "{name}");
        let weights = tensor(ours.dims(), 4, &device);
        let ours_grads = (ours.clone() * weights.clone()).sum().backward();
        let burns_grads = (burns.clone() * weights).sum().backward();
        let mut worst = difference(&values(ours), &values(burns));
        let grads = (&ours_grads, &burns_grads);
        worst = worst
            .max(gradients_differ(&x1, &x2, grads))
            .max(gradients_differ(&w1, &w2, grads))
            .max(gradients_differ(&b1, &b2, grads));
        assert!(worst < CLOSE, "{name}: {worst}");
    }
}

fn pool(x: Tensor<4>, pooled: Pool) -> Tensor<4> {
    match pooled {
        Pool::None => x,
        Pool::Halve => MaxPool2dConfig::new([2, 2])
            .with_strides([2, 2])
            .init()
            .forward(x),
    }
}

#[test]
fn two_convolutions_side_by_side_are_burns_two_and_their_concatenation() {
    let device = Device::flex().autodiff();
    for (batch, inputs, outputs, height, width) in [
        (1, 1, [1, 1], 1, 1),
        (2, 5, [3, 7], 4, 6),
        (9, 16, [64, 64], 13, 12),
        (3, 48, [40, 24], 9, 5),
    ] {
        let name = format!("{batch}x{inputs}x{height}x{width} to {outputs:?}");
        let x = || tensor([batch, inputs, height, width], 1, &device).require_grad();
        let w1 = || tensor([outputs[0], inputs, 1, 1], 2, &device).require_grad();
        let w3 = || tensor([outputs[1], inputs, 3, 3], 3, &device).require_grad();
        let b =
            |branch: usize| tensor([outputs[branch]], 4 + branch as u64, &device).require_grad();
        let (x1, x2) = (x(), x());
        let ours = [(w1(), b(0)), (w3(), b(1))];
        let burns = [(w1(), b(0)), (w3(), b(1))];
        let [first, second] = ours.clone();
        let y1 = kernels::channels_first(kernels::conv2d_pair(
            kernels::channels_last(x1.clone()),
            first,
            second,
        ));
        let parts: Vec<Tensor<4>> = burns
            .iter()
            .zip([0, 1])
            .map(|((w, b), padding)| {
                let options = ConvOptions::new([1; 2], [padding; 2], [1; 2], 1);
                relu(conv2d(x2.clone(), w.clone(), Some(b.clone()), options))
            })
            .collect();
        let y2 = Tensor::cat(parts, 1);
        let weights = tensor(y1.dims(), 6, &device);
        let grads_1 = (y1.clone() * weights.clone()).sum().backward();
        let grads_2 = (y2.clone() * weights).sum().backward();
        let grads = (&grads_1, &grads_2);
        let mut worst = difference(&values(y1), &values(y2)).max(gradients_differ(&x1, &x2, grads));
        for ((w1, b1), (w2, b2)) in ours.iter().zip(&burns) {
            worst = worst
                .max(gradients_differ(w1, w2, grads))
                .max(gradients_differ(b1, b2, grads));
        }
        assert!(worst < CLOSE, "{name}: {worst}");
    }
}

#[test]
fn the_max_pool_with_ceil_mode_and_its_gradient_are_burns() {
    let device = Device::flex().autodiff();
    for (shape, kernel, stride) in [
        ([1, 1, 3, 3], 3, 2),
        ([2, 5, 4, 6], 3, 2),
        ([2, 64, 55, 54], 3, 2),
        ([3, 17, 7, 8], 2, 2),
        ([2, 3, 9, 7], 2, 3),
        ([2, 3, 6, 6], 3, 1),
    ] {
        let x1 = tensor(shape, 1, &device).require_grad();
        let x2 = tensor(shape, 1, &device).require_grad();
        let y1 = kernels::channels_first(kernels::max_pool2d(
            kernels::channels_last(x1.clone()),
            kernel,
            stride,
        ));
        let burns = MaxPool2dConfig::new([kernel; 2])
            .with_strides([stride; 2])
            .with_ceil_mode(true)
            .init();
        let y2 = burns.forward(x2.clone());
        let name = format!("{shape:?}, {kernel} by {stride}");
        assert_eq!(y1.dims(), y2.dims(), "{name}");
        let weights = tensor(y1.dims(), 2, &device);
        let grads_1 = (y1.clone() * weights.clone()).sum().backward();
        let grads_2 = (y2.clone() * weights).sum().backward();
        assert_eq!(values(y1), values(y2), "{name}");
        let worst = gradients_differ(&x1, &x2, (&grads_1, &grads_2));
        assert!(worst < CLOSE, "{name}: {worst}");
    }
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
        let mut worst = difference(&values(ours), &values(burns));
        let mut compare = |what: &str, ours: Vec<f32>, burns: Vec<f32>| {
            let found = difference(&ours, &burns);
            assert!(found < 1e-4, "{name}: gradient of {what}: {found}");
            worst = worst.max(found);
        };
        let of = |tensor: &Tensor<1>| {
            let ours = values(tensor.grad(&ours_grads).unwrap());
            (ours, values(tensor.grad(&burns_grads).unwrap()))
        };
        let (ours_gamma, burns_gamma) = of(&parameters.gamma);
        compare("gamma", ours_gamma, burns_gamma);
        let (ours_beta, burns_beta) = of(&parameters.beta);
        compare("beta", ours_beta, burns_beta);
        // Burn's is what rounding leaves of zero.
        let (ours_bias, burns_bias) = of(&parameters.bias);
        assert!(ours_bias.iter().all(|&slope| slope == 0.0), "{name}");
        assert!(burns_bias.iter().all(|slope| slope.abs() < 2e-3), "{name}");
        // A single image of 2x2: the gradients are differences of equal numbers.
        if shape[0] * shape[2] * shape[3] > 4 {
            compare(
                "the weights",
                values(parameters.weight.grad(&ours_grads).unwrap()),
                values(parameters.weight.grad(&burns_grads).unwrap()),
            );
            compare(
                "the input",
                values(x1.grad(&ours_grads).unwrap()),
                values(x2.grad(&burns_grads).unwrap()),
            );
        }
        assert!(worst < 1e-4, "{name}: {worst}");
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
        for activation in [Activation::Identity, Activation::Relu, Activation::Sigmoid] {
            let name = format!("{batch}x{inputs} to {outputs}, {activation:?}");
            let x = || tensor([batch, inputs], 1, &device).require_grad();
            let w = || tensor([inputs, outputs], 2, &device).require_grad();
            let b = || tensor([outputs], 3, &device).require_grad();
            let (x1, w1, b1, x2, w2, b2) = (x(), w(), b(), x(), w(), b());
            let ours = kernels::linear(x1.clone(), w1.clone(), b1.clone(), activation);
            let burns = x2.clone().matmul(w2.clone()) + b2.clone().unsqueeze::<2>();
            let burns = match activation {
                Activation::Identity => burns,
                Activation::Relu => relu(burns),
                Activation::Sigmoid => sigmoid(burns),
            };
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

#[test]
fn the_sigmoid_is_right_over_its_whole_range() {
    let device = Device::flex();
    let xs: Vec<f32> = (-9000..=9000).map(|i| i as f32 / 100.0).collect();
    let count = xs.len();
    let x = Tensor::<2>::from_data(TensorData::new(xs.clone(), [count, 1]), &device);
    let one = Tensor::ones([1, 1], &device);
    let found = values(kernels::linear(
        x,
        one,
        Tensor::zeros([1], &device),
        Activation::Sigmoid,
    ));
    for (x, y) in xs.into_iter().zip(found) {
        let expected = 1.0 / (1.0 + (-f64::from(x)).exp());
        // Below, a 32-bit sigmoid is smaller than 1e-37.
        let allowed = 4e-7 * expected + 1e-37;
        assert!(
            (f64::from(y) - expected).abs() <= allowed,
            "{x}: {y}, not {expected}"
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

/// Every kernel on one batch, as bytes.
fn bits_of_everything() -> Vec<u8> {
    let device = Device::flex().autodiff();
    let (_, _, parameters) = block(32, 64, &device);
    let x = tensor([37, 16, 16, 32], 1, &device).require_grad();
    let (y, mean, variance) = kernels::conv_block(x.clone(), parameters.clone(), 1, Pool::Halve);
    let y = kernels::conv2d(
        y,
        tensor([48, 64, 3, 3], 2, &device).require_grad(),
        tensor([48], 3, &device),
        1,
        1,
        true,
    );
    let w = tensor([48 * 64, 40], 4, &device).require_grad();
    let flat = y.reshape([37, 48 * 64]);
    let z = kernels::linear(
        flat,
        w.clone(),
        tensor([40], 5, &device),
        Activation::Sigmoid,
    );
    let grads = z.clone().powf_scalar(2.0).sum().backward();
    let step = AdamStep {
        rate: 0.01,
        beta1: 0.9,
        beta2: 0.99,
        epsilon: 1e-8,
        coupled_decay: 0.0,
        decoupled_decay: 0.1,
        time: 1,
    };
    let slope = w.grad(&grads).unwrap();
    let zeros = || Tensor::zeros([48 * 64, 40], &Device::flex());
    let (w, _) = kernels::adam_step(w.inner(), slope, [zeros(), zeros()], step);
    let inner = Device::flex();
    let (_, _, fixed) = block(32, 64, &inner);
    let still = kernels::fixed_conv_block(
        tensor([3, 16, 16, 32], 1, &inner),
        fixed,
        tensor([64], 7, &inner),
        tensor([64], 8, &inner).abs(),
        1,
        Pool::Halve,
    );
    let photo = tensor([5, 16, 33, 30], 9, &device).require_grad();
    let small = kernels::max_pool2d(kernels::channels_last(photo.clone()), 3, 2);
    let w3 = tensor([64, 16, 3, 3], 10, &device).require_grad();
    let fire = kernels::conv2d_pair(
        small,
        (
            tensor([64, 16, 1, 1], 11, &device),
            tensor([64], 12, &device),
        ),
        (w3.clone(), tensor([64], 13, &device)),
    );
    let fire_grads = fire.clone().powf_scalar(2.0).sum().backward();
    let parts = [
        values(fire),
        values(photo.grad(&fire_grads).unwrap()),
        values(w3.grad(&fire_grads).unwrap()),
        values(z),
        values(mean),
        values(variance),
        values(x.grad(&grads).unwrap()),
        values(parameters.weight.grad(&grads).unwrap()),
        values(w),
        values(still),
    ];
    parts
        .concat()
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

#[test]
fn the_bits_are_the_same_on_any_number_of_threads() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(bits_of_everything)
    };
    let expected = on(1);
    for threads in [1, 2, 3, 5, 16] {
        assert!(on(threads) == expected, "{threads} threads");
    }
}

#[test]
fn a_tensor_that_is_a_view_is_read_in_its_own_order() {
    let device = Device::flex();
    let wide = tensor([2, 5, 6, 3], 1, &device);
    let view = wide.clone().permute([0, 3, 1, 2]);
    let copy = Tensor::<4>::from_data(view.clone().into_data(), &device);
    let part = wide.slice([1..2, 0..5, 0..6, 0..3]).permute([0, 3, 1, 2]);
    let (w, b) = (tensor([4, 3, 3, 3], 2, &device), tensor([4], 3, &device));
    let of = |x: Tensor<4>| {
        let x = kernels::channels_last(x);
        values(kernels::conv2d(x, w.clone(), b.clone(), 1, 1, false))
    };
    let whole = of(copy);
    assert_eq!(of(view), whole);
    assert_eq!(of(part), whole[whole.len() / 2..]);
}

#[test]
fn only_flex_has_the_kernels() {
    assert!(kernels::supported(&Device::flex()));
    assert!(kernels::supported(&Device::flex().autodiff()));
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
    let input = kernels::channels_last(x.clone());
    let ours = kernels::conv2d(input, layer.weight.val(), bias, 1, 1, false);
    assert!(
        difference(
            &values(kernels::channels_first(ours)),
            &values(layer.forward(x))
        ) < CLOSE
    );
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

#[test]
fn what_is_not_a_number_stays_so() {
    let device = Device::flex();
    let nan = |values: Vec<f32>| assert!(values.iter().any(|value| value.is_nan()), "{values:?}");
    let (w, b) = (Tensor::ones([1, 5], &device), Tensor::zeros([5], &device));
    let x = Tensor::<2>::from_data([[f32::NAN]], &device);
    for activation in [Activation::Identity, Activation::Relu, Activation::Sigmoid] {
        nan(values(kernels::linear(
            x.clone(),
            w.clone(),
            b.clone(),
            activation,
        )));
    }
    // One broken value at every place of a pool, in the lanes and behind them.
    for place in 0..4 {
        let mut image = vec![1.0; 4];
        image[place] = f32::NAN;
        let image = Tensor::<1>::from_floats(image.as_slice(), &device).reshape([1, 2, 2, 1]);
        let ones = || Tensor::<1>::ones([17], &device);
        let parameters = ConvNorm {
            weight: Tensor::ones([17, 1, 1, 1], &device),
            bias: ones(),
            gamma: ones(),
            beta: ones(),
            epsilon: 1e-5,
        };
        let p = parameters.clone();
        let conv = kernels::conv2d(image.clone(), p.weight, p.bias, 1, 0, true);
        nan(values(conv));
        nan(values(
            kernels::conv_block(image.clone(), parameters.clone(), 0, Pool::Halve).0,
        ));
        let fixed = kernels::fixed_conv_block(image, parameters, ones(), ones(), 0, Pool::Halve);
        assert!(values(fixed).iter().all(|value| value.is_nan()));
    }
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    let refused = |of: &dyn Fn()| {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(of));
        assert!(result.is_err());
    };
    let device = Device::flex();
    let conv = |x: [usize; 4], w: [usize; 4], b: usize, stride: usize, padding: usize| {
        let (x, w, b) = (
            tensor(x, 1, &device),
            tensor(w, 2, &device),
            tensor([b], 3, &device),
        );
        kernels::conv2d(x, w, b, stride, padding, false);
    };
    conv([1, 3, 3, 1], [48, 1, 3, 3], 48, 3, 0);
    refused(&|| conv([1, 3, 2, 1], [48, 1, 3, 3], 48, 3, 0));
    refused(&|| conv([1, 3, 3, 1], [48, 1, 3, 3], 47, 1, 0));
    refused(&|| conv([1, 3, 3, 1], [48, 1, 1, 3], 48, 1, 0));
    refused(&|| conv([1, 3, 3, 1], [48, 1, 3, 3], 48, 0, 0));
    refused(&|| conv([1, 3, 3, 1], [48, 1, 3, 3], 48, 1, 3));
    refused(&|| conv([1, 3, 3, 2], [48, 1, 3, 3], 48, 1, 1));
    let linear = |x: [usize; 2], w: [usize; 2], b: usize| {
        let (x, w, b) = (
            tensor(x, 1, &device),
            tensor(w, 2, &device),
            tensor([b], 3, &device),
        );
        kernels::linear(x, w, b, Activation::Identity);
    };
    linear([2, 3], [3, 5], 5);
    refused(&|| linear([2, 3], [3, 5], 1));
    refused(&|| linear([2, 4], [3, 5], 5));
    refused(&|| linear([2, 0], [0, 5], 5));
    let sgd = |p: usize, g: usize| {
        let step = SgdStep {
            rate: 0.1,
            momentum: 0.9,
            decay: 0.0,
        };
        let (p, g) = (tensor([p], 1, &device), tensor([g], 2, &device));
        kernels::sgd_step(p.clone(), g, p, step);
    };
    sgd(4, 4);
    refused(&|| sgd(4, 3));
}
