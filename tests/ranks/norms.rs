//! Batch norms over a batch that is divided among a group, against those of one process.

use std::sync::Arc;

use burn::prelude::*;
use burn::tensor::TensorData;
use kiln::kernels::{
    Activation, BatchPart, ConvNorm, ConvOptions, NormedConv, Pool, conv_block, conv_norm,
};
use kiln::parallel::{Group, Moment};

use crate::common::noise;
use crate::threads::on_all;

const MOMENT: Moment = Moment::Step { epoch: 1, step: 1 };

/// Images of a batch, their height and width, and the channels before and after the layer.
const IMAGES: usize = 7;
const SIDE: usize = 6;
const INPUTS: usize = 3;
const OUTPUTS: usize = 5;
const VALUES: usize = SIDE * SIDE * INPUTS;

/// A layer with batch norm.
#[derive(Clone, Copy, Debug)]
enum Layer {
    /// Convolution, norm, ReLU and pool.
    Block,
    /// Convolution, norm, the sum with a residual, and ReLU.
    Residual,
    /// A norm alone.
    Bare,
}

/// What a layer gives for some images: output, mean, variance, and the gradients of input, weight, gamma and beta.
type Found = [Vec<f32>; 7];

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), &Device::flex().autodiff())
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn random(count: usize, seed: usize) -> Vec<f32> {
    let noise = noise(count, seed).into_iter();
    noise.map(|value| value as f32 - 0.4).collect()
}

fn options(padding: usize, groups: usize) -> ConvOptions {
    ConvOptions {
        stride: 1,
        padding,
        groups,
    }
}

/// What is added to the outputs of these images.
fn residual(images: std::ops::Range<usize>) -> Tensor<4> {
    let maps = SIDE * SIDE * OUTPUTS;
    let all = random(IMAGES * maps, 6);
    let values = all[images.start * maps..images.end * maps].to_vec();
    tensor(values, [images.len(), SIDE, SIDE, OUTPUTS])
}

impl Layer {
    /// Channels of its output.
    fn channels(self) -> usize {
        if let Layer::Bare = self {
            INPUTS
        } else {
            OUTPUTS
        }
    }

    /// On some images of the batch, under the loss "sum of the squares of all outputs, times `factor`".
    fn run(self, images: std::ops::Range<usize>, factor: f64) -> Found {
        let all = random(IMAGES * VALUES, 1);
        let pixels = all[images.start * VALUES..images.end * VALUES].to_vec();
        let input = tensor(pixels, [images.len(), SIDE, SIDE, INPUTS]).require_grad();
        let channels = self.channels();
        let weight = match self {
            Layer::Bare => tensor(vec![1.0; INPUTS], [INPUTS, 1, 1, 1]),
            _ => tensor(random(OUTPUTS * INPUTS * 9, 2), [OUTPUTS, INPUTS, 3, 3]),
        };
        let weight = weight.require_grad();
        let gamma = tensor(random(channels, 3), [channels]).require_grad();
        let beta = tensor(random(channels, 4), [channels]).require_grad();
        let normed = |options| NormedConv {
            weight: weight.clone(),
            bias: None,
            options,
            gamma: gamma.clone(),
            beta: beta.clone(),
            epsilon: 1e-5,
        };
        let (output, mean, variance) = match self {
            Layer::Block => {
                let layer = ConvNorm {
                    weight: weight.clone(),
                    bias: tensor(random(OUTPUTS, 5), [OUTPUTS]),
                    gamma: gamma.clone(),
                    beta: beta.clone(),
                    epsilon: 1e-5,
                };
                conv_block(input.clone(), layer, 1, Pool::Halve)
            }
            Layer::Residual => {
                let layer = normed(options(1, 1));
                conv_norm(
                    input.clone(),
                    layer,
                    Some(residual(images)),
                    Activation::Relu,
                )
            }
            Layer::Bare => {
                let layer = normed(options(0, INPUTS));
                conv_norm(input.clone(), layer, None, Activation::Identity)
            }
        };
        let loss = output.clone().square().sum().mul_scalar(factor);
        let gradients = loss.backward();
        [
            values(output),
            values(mean),
            values(variance),
            values(input.grad(&gradients).expect("of the input")),
            values(weight.grad(&gradients).expect("of the weight")),
            values(gamma.grad(&gradients).expect("of gamma")),
            values(beta.grad(&gradients).expect("of beta")),
        ]
    }

    /// On the share of a rank, or on the first image if it has none; gradients are those of a mean, as in training.
    fn run_share(self, share: std::ops::Range<usize>, group: Arc<dyn Group>) -> Found {
        let samples = share.len();
        let weight = (samples > 0).then_some(samples as f64);
        let exchange = move |mine: &[f64]| group.gather_numbers(MOMENT, mine);
        let _part = BatchPart::new(Arc::new(exchange), weight).scoped();
        let images = if samples > 0 { share } else { 0..1 };
        self.run(images, 1.0 / samples.max(1) as f64)
    }
}

/// Fails unless two lists are equal but for rounding.
fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected
        .iter()
        .fold(0.0f32, |most, value| most.max(value.abs()));
    for (found, expected) in found.iter().zip(expected) {
        let difference = (found - expected).abs();
        assert!(
            difference <= 2e-6 * largest.max(1.0),
            "{what}: {found} for {expected}"
        );
    }
}

#[test]
fn shares_of_a_batch_have_the_norms_and_gradients_of_the_whole_batch() {
    // Even, uneven and empty shares.
    let divisions: [&[usize]; 4] = [&[0, 4, 7], &[0, 1, 7], &[0, 0, 3, 7], &[0, 3, 3, 7]];
    for layer in [Layer::Block, Layer::Residual, Layer::Bare] {
        let whole = layer.run(0..IMAGES, 1.0);
        for starts in divisions {
            let share = |rank: usize| starts[rank]..starts[rank + 1];
            let ranks = starts.len() - 1;
            let found = on_all(ranks, |group| {
                let share = share(group.rank());
                layer.run_share(share, group)
            });
            let name = |what: &str| format!("{what} of {layer:?} in {starts:?}");
            let outputs = whole[0].len() / IMAGES;
            let mut sums = [4, 5, 6].map(|at| vec![0.0f32; whole[at].len()]);
            for (rank, of_rank) in found.iter().enumerate() {
                let share = share(rank);
                assert_close(&of_rank[1], &whole[1], &name("mean"));
                assert_close(&of_rank[2], &whole[2], &name("variance"));
                assert_eq!(of_rank[1..3], found[0][1..3], "all have the same bits");
                if share.is_empty() {
                    continue;
                }
                let of_whole =
                    |at: usize, each: usize| &whole[at][share.start * each..share.end * each];
                assert_close(&of_rank[0], of_whole(0, outputs), &name("output"));
                let weight = share.len() as f32;
                let input: Vec<f32> = of_rank[3].iter().map(|value| value * weight).collect();
                assert_close(&input, of_whole(3, VALUES), &name("gradient of the input"));
                for (sum, at) in sums.iter_mut().zip([4, 5, 6]) {
                    let pairs = sum.iter_mut().zip(&of_rank[at]);
                    pairs.for_each(|(sum, value)| *sum += value * weight);
                }
            }
            for (sum, at) in sums.iter().zip([4, 5, 6]) {
                assert_close(sum, &whole[at], &name("gradient"));
            }
        }
    }
}

#[test]
fn without_other_parts_nothing_is_exchanged_and_a_part_ends_with_its_guard() {
    let before = Layer::Block.run(0..IMAGES, 1.0);
    let alone = |mine: &[f64]| vec![mine.to_vec()];
    let guard = BatchPart::new(Arc::new(alone), Some(1.0)).scoped();
    assert!(BatchPart::is_in_use());
    let within = Layer::Block.run(0..IMAGES, 1.0);
    drop(guard);
    assert!(!BatchPart::is_in_use());
    assert!(before == within, "the only part has the bits of the whole");
}
