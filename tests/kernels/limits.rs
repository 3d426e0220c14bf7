//! What the kernels take and refuse.

use burn::prelude::*;
use kiln::kernels::{self, Activation, ConvNorm, Operators, Pool, SgdStep};

use super::{tensor, values};

#[test]
fn only_flex_has_the_kernels() {
    assert!(kernels::supported(&Device::flex()));
    assert!(kernels::supported(&Device::flex().autodiff()));
}

#[test]
fn the_operators_are_chosen_for_one_thread_until_the_guard_is_dropped() {
    let device = Device::flex();
    let supported = || kernels::supported(&device);
    // Far more multiply-adds than the calling thread does alone.
    let in_pool = || kernels::in_pool(usize::MAX, supported);
    assert!(supported() && in_pool());
    let burn = Operators::Burn.scoped();
    assert!(!supported() && !in_pool());
    assert!(std::thread::scope(|scope| scope
        .spawn(supported)
        .join()
        .unwrap()));
    {
        let _kiln = Operators::Kiln.scoped();
        assert!(supported() && in_pool());
    }
    assert!(!supported() && !in_pool());
    drop(burn);
    assert!(supported() && in_pool());
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
fn no_images_give_no_output_and_gradients_of_zero() {
    let device = Device::flex().autodiff();
    let x = Tensor::<4>::zeros([0, 6, 7, 32], &device).require_grad();
    let w = Tensor::<4>::ones([48, 32, 3, 3], &device).require_grad();
    let b = Tensor::<1>::ones([48], &device).require_grad();
    let y = kernels::conv2d(x, w.clone(), b.clone(), 1, 1, true);
    assert_eq!(y.dims(), [0, 6, 7, 48]);
    let grads = y.sum().backward();
    let [w, b] = [
        values(w.grad(&grads).unwrap()),
        values(b.grad(&grads).unwrap()),
    ];
    assert_eq!((w, b), (vec![0.0; 48 * 32 * 9], vec![0.0; 48]));
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
