//! Random shapes that are large enough to share: the same bits on 1, 2, 3 and 7 threads, and again.

use burn::prelude::*;
use kiln::kernels::{
    self, Activation, ComputePrecision, ConvNorm, ConvOptions, NormedConv, Pool, PoolOptions,
};
use proptest::prelude::*;
use rayon::ThreadPool;

use super::cases::{Conv, channels, convolution, dense, for_each};
use crate::{tensor, values};

/// Multiply-adds above which the kernels of training share their work.
const SHARED: usize = 1 << 23;

/// A layer of training.
#[derive(Clone, Debug)]
enum Layer {
    /// With ReLU.
    Plain(Conv),
    /// In groups.
    Grouped(Conv),
    Normed(Conv, bool),
    Block(Conv, Pool),
    Pair(Conv, usize),
    Linear([usize; 3]),
    Pool([usize; 4], PoolOptions),
    Factors([usize; 4]),
}

/// The same for so many images that it is worth sharing.
fn large(conv: Conv) -> Conv {
    let conv = conv.at_most(SHARED);
    let image = Conv { batch: 1, ..conv }.multiply_adds();
    Conv {
        batch: SHARED.div_ceil(image).clamp(conv.batch, 512),
        ..conv
    }
}

fn layers() -> impl Strategy<Value = Layer> {
    let pool = any::<bool>().prop_map(|is_pooled| if is_pooled { Pool::Halve } else { Pool::None });
    let block = (dense(), pool).prop_map(|(conv, pool)| {
        let least = conv.kernel + 1;
        let conv = Conv {
            stride: 1,
            size: conv.size.map(|side| side.max(least)),
            ..conv
        };
        let conv = large(conv);
        let has_window = conv.output_size().into_iter().all(|side| side > 1);
        Layer::Block(conv, if has_window { pool } else { Pool::None })
    });
    let pair = (dense(), channels()).prop_map(|(conv, second)| {
        let conv = Conv {
            kernel: 3,
            stride: 1,
            padding: 1,
            ..conv
        };
        Layer::Pair(large(conv), second)
    });
    let linear = (1..300usize, 1..300usize).prop_map(|(inputs, outputs)| {
        let batch = SHARED.div_ceil(inputs * outputs).clamp(1, 20_000);
        Layer::Linear([batch, inputs, outputs])
    });
    // Pools count their values.
    let maps = || {
        (channels(), 20..60usize, 20..60usize).prop_map(|(channels, height, width)| {
            let batch = SHARED.div_ceil(channels * height * width);
            [batch, channels, height, width]
        })
    };
    let pools = (maps(), 2..4usize, 1..3usize, any::<bool>());
    let pools = pools.prop_map(|(shape, kernel, stride, ceil_mode)| {
        let options = PoolOptions {
            kernel,
            stride,
            padding: kernel / 2,
            ceil_mode,
        };
        Layer::Pool(shape, options)
    });
    prop_oneof![
        4 => dense().prop_map(|conv| Layer::Plain(large(conv))),
        4 => convolution().prop_map(|conv| Layer::Grouped(large(conv))),
        8 => (convolution(), any::<bool>()).prop_map(|(conv, with)| Layer::Normed(large(conv), with)),
        4 => block,
        4 => pair,
        2 => linear,
        1 => pools,
        1 => maps().prop_map(Layer::Factors),
    ]
}

/// Sums, weighted, and their gradients of some leaves.
fn bits<const D: usize>(output: Tensor<D>, leaves: Vec<Leaf>) -> Vec<u32> {
    let weights = tensor(output.dims(), 9, &output.device());
    let grads = (output.clone() * weights).sum().backward();
    let mut found = values(output);
    for leaf in leaves {
        found.extend(match leaf {
            Leaf::Maps(leaf) => values(leaf.grad(&grads).unwrap()),
            Leaf::Matrix(leaf) => values(leaf.grad(&grads).unwrap()),
            Leaf::Vector(leaf) => values(leaf.grad(&grads).unwrap()),
        });
    }
    found.into_iter().map(f32::to_bits).collect()
}

enum Leaf {
    Maps(Tensor<4>),
    Matrix(Tensor<2>),
    Vector(Tensor<1>),
}

fn leaf(shape: [usize; 4], salt: u64) -> Tensor<4> {
    tensor(shape, salt, &Device::flex().autodiff()).require_grad()
}

fn matrix(shape: [usize; 2], salt: u64) -> Tensor<2> {
    tensor(shape, salt, &Device::flex().autodiff()).require_grad()
}

fn vector(count: usize, salt: u64) -> Tensor<1> {
    tensor([count], salt, &Device::flex().autodiff()).require_grad()
}

/// Output and gradients of a layer.
fn of(layer: &Layer) -> Vec<u32> {
    match layer {
        Layer::Plain(c) => {
            let [x, w] = [leaf(last(c.input()), 1), leaf(c.weight(), 2)];
            let b = vector(c.outputs, 3);
            let y = kernels::conv2d(x.clone(), w.clone(), b.clone(), c.stride, c.padding, true);
            bits(y, vec![Leaf::Maps(x), Leaf::Maps(w), Leaf::Vector(b)])
        }
        Layer::Grouped(c) => {
            let [x, w] = [leaf(last(c.input()), 1), leaf(c.weight(), 2)];
            let b = vector(c.outputs, 3);
            let y = kernels::convolution(x.clone(), w.clone(), Some(b.clone()), options(c));
            bits(y, vec![Leaf::Maps(x), Leaf::Maps(w), Leaf::Vector(b)])
        }
        Layer::Normed(c, with_residual) => normed(c, *with_residual),
        Layer::Block(c, pool) => block(c, *pool),
        Layer::Pair(c, second) => {
            let x = leaf(last(c.input()), 1);
            let w1 = leaf([*second, c.inputs, 1, 1], 2);
            let w3 = leaf(c.weight(), 3);
            let first = (w1.clone(), vector(*second, 4));
            let y = kernels::conv2d_pair(x.clone(), first, (w3.clone(), vector(c.outputs, 5)));
            bits(y, vec![Leaf::Maps(x), Leaf::Maps(w1), Leaf::Maps(w3)])
        }
        Layer::Linear([batch, inputs, outputs]) => {
            let (x, w) = (matrix([*batch, *inputs], 1), matrix([*inputs, *outputs], 2));
            let b = vector(*outputs, 3);
            let y = kernels::linear(x.clone(), w.clone(), b.clone(), Activation::Sigmoid);
            bits(y, vec![Leaf::Matrix(x), Leaf::Matrix(w), Leaf::Vector(b)])
        }
        Layer::Pool(shape, options) => {
            let x = leaf(last(*shape), 1);
            let y = kernels::max_pool2d(x.clone(), *options);
            bits(y, vec![Leaf::Maps(x)])
        }
        Layer::Factors(shape) => {
            let x = leaf(last(*shape), 1);
            let means = kernels::channel_means(x.clone());
            let y = kernels::scale_channels(x.clone(), means);
            bits(y, vec![Leaf::Maps(x)])
        }
    }
}

fn normed(c: &Conv, with_residual: bool) -> Vec<u32> {
    let [x, w] = [leaf(last(c.input()), 1), leaf(c.weight(), 2)];
    let [gamma, beta] = [vector(c.outputs, 3), vector(c.outputs, 4)];
    let normed = NormedConv {
        weight: w.clone(),
        bias: None,
        options: options(c),
        gamma: gamma.clone(),
        beta: beta.clone(),
        epsilon: 1e-5,
    };
    let residual = with_residual.then(|| leaf(last(c.output()), 5));
    let (y, ..) = kernels::conv_norm(x.clone(), normed, residual, Activation::Silu);
    let vectors = [Leaf::Vector(gamma), Leaf::Vector(beta)];
    let maps = [Leaf::Maps(x), Leaf::Maps(w)];
    bits(y, maps.into_iter().chain(vectors).collect())
}

fn block(c: &Conv, pool: Pool) -> Vec<u32> {
    let [x, w] = [leaf(last(c.input()), 1), leaf(c.weight(), 2)];
    let parameters = ConvNorm {
        weight: w.clone(),
        bias: vector(c.outputs, 3),
        gamma: vector(c.outputs, 4),
        beta: vector(c.outputs, 5),
        epsilon: 1e-5,
    };
    let (y, ..) = kernels::conv_block(x.clone(), parameters, c.padding, pool);
    bits(y, vec![Leaf::Maps(x), Leaf::Maps(w)])
}

/// `[batch, channels, rows, columns]`, channels last.
fn last([batch, channels, rows, columns]: [usize; 4]) -> [usize; 4] {
    [batch, rows, columns, channels]
}

fn options(conv: &Conv) -> ConvOptions {
    ConvOptions {
        stride: conv.stride,
        padding: conv.padding,
        groups: conv.groups,
    }
}

#[test]
fn layers_of_training_have_the_same_bits_on_any_number_of_threads() {
    let pools = [1, 2, 3, 7].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads")
    });
    let precision = proptest::sample::select(vec![ComputePrecision::F32, ComputePrecision::Bf16]);
    for_each(120, (layers(), precision), |(layer, precision)| {
        let on = |pool: &ThreadPool| {
            pool.install(|| {
                let _precision = precision.scoped();
                of(&layer)
            })
        };
        let expected = on(&pools[0]);
        for pool in &pools {
            let threads = pool.current_num_threads();
            prop_assert!(
                on(pool) == expected,
                "{layer:?} in {precision:?} on {threads} threads"
            );
        }
        Ok(())
    });
}
