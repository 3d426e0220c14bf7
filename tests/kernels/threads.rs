//! The same bits on any number of threads.

use burn::prelude::*;
use kiln::kernels::{self, Activation, AdamStep, Pool, PoolOptions};

use super::{block, tensor, values};

/// A max pool and a pair of convolutions, and their gradients.
fn values_of_a_fire_module() -> Vec<f32> {
    let device = Device::flex().autodiff();
    let photo = tensor([5, 16, 33, 30], 9, &device).require_grad();
    let small = kernels::max_pool2d(
        kernels::channels_last(photo.clone()),
        PoolOptions::ceil(3, 2),
    );
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
    [
        values(fire),
        values(photo.grad(&fire_grads).unwrap()),
        values(w3.grad(&fire_grads).unwrap()),
    ]
    .concat()
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
    let parts = [
        values(z),
        values(mean),
        values(variance),
        values(x.grad(&grads).unwrap()),
        values(parameters.weight.grad(&grads).unwrap()),
        values(w),
        values(still),
    ];
    [parts.concat(), values_of_a_fire_module()]
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
