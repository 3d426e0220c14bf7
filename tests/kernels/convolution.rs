//! Convolutions and the max pool against Burn's.

use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2dConfig;
use burn::nn::pool::MaxPool2dConfig;
use burn::prelude::*;
use burn::tensor::activation::relu;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use kiln::kernels::{self, PoolOptions};

use super::{CLOSE, difference, gradients_differ, tensor, values};

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

#[test]
fn two_convolutions_side_by_side_are_burns_two_and_their_concatenation() {
    let device = Device::flex().autodiff();
    for (batch, inputs, outputs, height, width) in [
        (1, 1, [1, 1], 1, 1),
        (2, 5, [3, 7], 4, 6),
        (9, 16, [64, 64], 13, 12),
        (9, 32, [64, 48], 13, 12),
        (3, 128, [16, 160], 9, 6),
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
fn the_max_pool_and_its_gradient_are_burns() {
    let device = Device::flex().autodiff();
    for (shape, kernel, stride, padding, ceil_mode) in [
        ([1, 1, 3, 3], 3, 2, 0, true),
        ([2, 5, 4, 6], 3, 2, 0, true),
        ([2, 64, 55, 54], 3, 2, 0, true),
        ([3, 17, 7, 8], 2, 2, 0, true),
        ([2, 3, 9, 7], 2, 3, 0, true),
        ([2, 3, 6, 6], 3, 1, 0, true),
        ([2, 3, 8, 6], 3, 2, 0, false),
        ([2, 64, 56, 54], 3, 2, 1, false),
        ([2, 5, 7, 8], 3, 2, 1, true),
        ([2, 5, 6, 5], 5, 3, 2, false),
        ([2, 5, 6, 5], 5, 3, 2, true),
        ([2, 5, 3, 2], 4, 5, 2, true),
    ] {
        let options = PoolOptions {
            kernel,
            stride,
            padding,
            ceil_mode,
        };
        let x1 = tensor(shape, 1, &device).require_grad();
        let x2 = tensor(shape, 1, &device).require_grad();
        let y1 = kernels::channels_first(kernels::max_pool2d(
            kernels::channels_last(x1.clone()),
            options,
        ));
        let burns = MaxPool2dConfig::new([kernel; 2])
            .with_strides([stride; 2])
            .with_padding(PaddingConfig2d::Explicit(
                padding, padding, padding, padding,
            ))
            .with_ceil_mode(ceil_mode)
            .init();
        let y2 = burns.forward(x2.clone());
        let name = format!("{shape:?}, {options:?}");
        assert_eq!(y1.dims(), y2.dims(), "{name}");
        let weights = tensor(y1.dims(), 2, &device);
        let grads_1 = (y1.clone() * weights.clone()).sum().backward();
        let grads_2 = (y2.clone() * weights).sum().backward();
        assert_eq!(values(y1), values(y2), "{name}");
        let worst = gradients_differ(&x1, &x2, (&grads_1, &grads_2));
        assert!(worst < CLOSE, "{name}: {worst}");
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

/// The largest difference between kiln's and Burn's means and products of channels, and their gradients.
pub fn means_and_factors_differ(shape: [usize; 4]) -> f32 {
    let device = Device::flex().autodiff();
    let [batch, channels, ..] = shape;
    let inputs = || {
        let maps = tensor(shape, 1, &device).require_grad();
        (maps, tensor([batch, channels], 2, &device).require_grad())
    };
    let ((x1, f1), (x2, f2)) = (inputs(), inputs());
    let last = kernels::channels_last(x1.clone());
    let m1 = kernels::channel_means(last.clone());
    let y1 = kernels::channels_first(kernels::scale_channels(last, f1.clone() * m1.clone()));
    let m2: Tensor<2> = x2.clone().flatten::<3>(2, 3).mean_dim(2).squeeze_dim(2);
    let factors = f2.clone() * m2.clone();
    let y2 = x2.clone() * factors.reshape([batch, channels, 1, 1]);
    let weights = tensor(shape, 3, &device);
    let grads_1 = (y1.clone() * weights.clone()).sum().backward();
    let grads_2 = (y2.clone() * weights).sum().backward();
    let grads = (&grads_1, &grads_2);
    difference(&values(m1), &values(m2))
        .max(difference(&values(y1), &values(y2)))
        .max(gradients_differ(&x1, &x2, grads))
        .max(gradients_differ(&f1, &f2, grads))
}

#[test]
fn means_and_factors_of_channels_and_their_gradients_are_burns() {
    for shape in [[1, 1, 1, 1], [2, 5, 3, 4], [3, 64, 9, 8], [2, 33, 14, 13]] {
        let worst = means_and_factors_differ(shape);
        assert!(worst < CLOSE, "{shape:?}: {worst}");
    }
}
