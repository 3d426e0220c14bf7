//! Convolutions of any stride and number of groups, with what follows them, against Burn's operators.

use burn::prelude::*;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions as BurnsOptions;
use kiln::kernels::{self, Activation, ConvOptions, NormedConv};

use super::{activated, gradient_sums_differ, sums_differ, tensor, values};

/// Tolerance: sums of up to a few thousand products, whose order differs, divided by deviations that are as well.
const CLOSE: f32 = 1e-4;

const EPSILON: f64 = 1e-5;

/// A convolution, what is behind it and its sizes.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub batch: usize,
    pub inputs: usize,
    pub outputs: usize,
    pub size: [usize; 2],
    pub kernel: usize,
    pub options: ConvOptions,
    pub with_residual: bool,
    pub activation: Activation,
}

impl Case {
    fn new(batch: usize, [inputs, outputs]: [usize; 2], size: [usize; 2]) -> Self {
        Case {
            batch,
            inputs,
            outputs,
            size,
            kernel: 3,
            options: ConvOptions {
                stride: 1,
                padding: 1,
                groups: 1,
            },
            with_residual: false,
            activation: Activation::Identity,
        }
    }

    fn strided(self, kernel: usize, stride: usize, padding: usize) -> Self {
        let options = ConvOptions {
            stride,
            padding,
            ..self.options
        };
        Case {
            kernel,
            options,
            ..self
        }
    }

    fn depthwise(mut self) -> Self {
        self.options.groups = self.inputs;
        self
    }

    fn with(self, with_residual: bool, activation: Activation) -> Self {
        Case {
            with_residual,
            activation,
            ..self
        }
    }

    fn input(&self) -> [usize; 4] {
        let [height, width] = self.size;
        [self.batch, self.inputs, height, width]
    }

    fn weight(&self) -> [usize; 4] {
        let inputs = self.inputs / self.options.groups;
        [self.outputs, inputs, self.kernel, self.kernel]
    }

    fn output(&self) -> [usize; 4] {
        let ConvOptions {
            stride, padding, ..
        } = self.options;
        let [rows, columns] = self
            .size
            .map(|side| (side + 2 * padding - self.kernel) / stride + 1);
        [self.batch, self.outputs, rows, columns]
    }
}

/// Leaves of a graph.
struct Leaves {
    input: Tensor<4>,
    weight: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    residual: Tensor<4>,
}

fn leaves(case: &Case) -> Leaves {
    let device = Device::flex().autodiff();
    Leaves {
        input: tensor(case.input(), 1, &device).require_grad(),
        weight: tensor(case.weight(), 2, &device).require_grad(),
        gamma: tensor([case.outputs], 3, &device).require_grad(),
        beta: tensor([case.outputs], 4, &device).require_grad(),
        residual: tensor(case.output(), 5, &device).require_grad(),
    }
}

/// With the statistics of the batch: output, mean and variance.
fn on_kernels(case: &Case, leaves: &Leaves) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    let layer = NormedConv {
        weight: leaves.weight.clone(),
        bias: None,
        options: case.options,
        gamma: leaves.gamma.clone(),
        beta: leaves.beta.clone(),
        epsilon: EPSILON,
    };
    let residual = case
        .with_residual
        .then(|| kernels::channels_last(leaves.residual.clone()));
    let input = kernels::channels_last(leaves.input.clone());
    let (output, mean, variance) = kernels::conv_norm(input, layer, residual, case.activation);
    (kernels::channels_first(output), mean, variance)
}

fn convolved(case: &Case, leaves: &Leaves) -> Tensor<4> {
    let ConvOptions {
        stride,
        padding,
        groups,
    } = case.options;
    let options = BurnsOptions::new([stride; 2], [padding; 2], [1; 2], groups);
    conv2d(leaves.input.clone(), leaves.weight.clone(), None, options)
}

/// Before the function: values, mean and variance.
fn by_burn(case: &Case, leaves: &Leaves) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    let convolved = convolved(case, leaves);
    let per_channel = |values: Tensor<1>| values.reshape([1, case.outputs, 1, 1]);
    let mean = |values: Tensor<4>| values.mean_dim(0).mean_dim(2).mean_dim(3);
    let means = mean(convolved.clone());
    let distances = convolved - means.clone();
    let variance = mean(distances.clone().powf_scalar(2.0));
    let scale = per_channel(leaves.gamma.clone()) / (variance.clone() + EPSILON).sqrt();
    let mut sum = distances * scale + per_channel(leaves.beta.clone());
    if case.with_residual {
        sum = sum + leaves.residual.clone();
    }
    let flat = |values: Tensor<4>| values.reshape([case.outputs]);
    (sum, flat(means), flat(variance))
}

/// The largest difference of outputs, statistics and gradients from Burn's; gradients of those outputs that `counts` of the function's
/// arguments is 1 for.
pub fn worst(case: &Case, counts: impl Fn(&[f32]) -> Vec<f32>) -> f32 {
    let (ours, burns) = (leaves(case), leaves(case));
    let (y1, mean1, variance1) = on_kernels(case, &ours);
    let (before, mean2, variance2) = by_burn(case, &burns);
    let statistics = sums_differ(&values(mean1), &values(mean2))
        .max(sums_differ(&values(variance1), &values(variance2)));
    statistics.max(apart(case, (&ours, y1), (&burns, before), counts))
}

/// [`worst`] of the convolution with fixed statistics.
pub fn fixed_worst(case: &Case, counts: impl Fn(&[f32]) -> Vec<f32>) -> f32 {
    let (ours, burns) = (leaves(case), leaves(case));
    let device = ours.input.device();
    let mean = tensor([case.outputs], 7, &device);
    let variance = tensor([case.outputs], 8, &device).abs() + 0.1;
    let layer = NormedConv {
        weight: ours.weight.clone(),
        bias: None,
        options: case.options,
        gamma: ours.gamma.clone(),
        beta: ours.beta.clone(),
        epsilon: EPSILON,
    };
    let residual = case
        .with_residual
        .then(|| kernels::channels_last(ours.residual.clone()));
    let y1 = kernels::fixed_conv_norm(
        kernels::channels_last(ours.input.clone()),
        layer,
        mean.clone(),
        variance.clone(),
        residual,
        case.activation,
    );
    let per_channel = |values: Tensor<1>| values.reshape([1, case.outputs, 1, 1]);
    let scale = per_channel(burns.gamma.clone()) / per_channel(variance + EPSILON).sqrt();
    let mut before =
        (convolved(case, &burns) - per_channel(mean)) * scale + per_channel(burns.beta.clone());
    if case.with_residual {
        before = before + burns.residual.clone();
    }
    apart(
        case,
        (&ours, kernels::channels_first(y1)),
        (&burns, before),
        counts,
    )
}

/// The largest difference of outputs and gradients: ours, and Burn's before the function.
fn apart(
    case: &Case,
    (ours, y1): (&Leaves, Tensor<4>),
    (burns, before): (&Leaves, Tensor<4>),
    counts: impl Fn(&[f32]) -> Vec<f32>,
) -> f32 {
    let counts = TensorData::new(counts(&values(before.clone())), case.output());
    let y2 = activated(before, case.activation);
    assert_eq!(y1.dims(), y2.dims(), "{case:?}");
    let device = y1.device();
    let weights = tensor(case.output(), 6, &device) * Tensor::from_data(counts, &device);
    let grads_1 = (y1.clone() * weights.clone()).sum().backward();
    let grads_2 = (y2.clone() * weights).sum().backward();
    let grads = (&grads_1, &grads_2);
    let mut worst = sums_differ(&values(y1), &values(y2))
        .max(gradient_sums_differ(&ours.input, &burns.input, grads))
        .max(gradient_sums_differ(&ours.weight, &burns.weight, grads))
        .max(gradient_sums_differ(&ours.gamma, &burns.gamma, grads))
        .max(gradient_sums_differ(&ours.beta, &burns.beta, grads));
    if case.with_residual {
        worst = worst.max(gradient_sums_differ(&ours.residual, &burns.residual, grads));
    }
    worst
}

/// Those of the networks that people fine-tune, smaller: images that fill one part or many, and many that share one; sums of
/// weight gradients that fit a cache or don't.
fn cases() -> Vec<Case> {
    vec![
        Case::new(2, [32, 48], [28, 29]).with(true, Activation::Relu),
        Case::new(1, [64, 64], [57, 30]).with(false, Activation::Relu),
        Case::new(9, [64, 32], [7, 7]).with(true, Activation::Relu),
        Case::new(5, [32, 64], [3, 4]).with(false, Activation::Silu),
        Case::new(3, [128, 160], [9, 6]).with(true, Activation::Identity),
        Case::new(17, [160, 128], [4, 3]).with(false, Activation::Relu),
        Case::new(4, [32, 32], [1, 9]),
        Case::new(3, [64, 128], [13, 12]).strided(3, 2, 1),
        Case::new(2, [128, 48], [7, 7]).strided(3, 2, 1),
        Case::new(3, [96, 33], [14, 13]).strided(1, 1, 0),
        Case::new(5, [160, 576], [7, 5]).strided(1, 1, 0),
        Case::new(2, [64, 128], [14, 14]).strided(1, 2, 0),
        Case::new(2, [3, 64], [31, 34]).strided(7, 2, 3),
        Case::new(2, [40, 40], [15, 14]).depthwise(),
        Case::new(2, [24, 24], [15, 14])
            .strided(5, 2, 2)
            .depthwise(),
        Case::new(2, [48, 48], [13, 28]).depthwise(),
        Case::new(2, [16, 16], [9, 180]).depthwise(),
        Case::new(1, [48, 48], [40, 60])
            .strided(5, 2, 2)
            .depthwise(),
        Case::new(3, [80, 80], [7, 8]).strided(3, 2, 0).depthwise(),
        Case::new(2, [32, 32], [9, 21]).strided(5, 1, 2).depthwise(),
    ]
}

#[test]
fn a_convolution_with_batch_norm_residual_and_non_linearity_is_burns_and_so_are_its_gradients() {
    for case in cases() {
        let worst = worst(&case, |arguments| vec![1.0; arguments.len()]);
        assert!(worst < CLOSE, "{case:?}: {worst}");
    }
}

#[test]
fn convolutions_with_batch_norm_have_the_same_bits_on_any_number_of_threads() {
    let bits = || -> Vec<u32> {
        let of = |case: &Case| {
            let leaves = leaves(case);
            let (output, mean, variance) = on_kernels(case, &leaves);
            let weights = tensor(case.output(), 6, &output.device());
            let grads = (output.clone() * weights).sum().backward();
            [
                values(output),
                values(mean),
                values(variance),
                values(leaves.input.grad(&grads).unwrap()),
                values(leaves.weight.grad(&grads).unwrap()),
                values(leaves.gamma.grad(&grads).unwrap()),
            ]
            .concat()
        };
        let all = cases().iter().map(of).collect::<Vec<_>>().concat();
        all.into_iter().map(f32::to_bits).collect()
    };
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(bits)
    };
    let expected = on(1);
    for threads in [1, 2, 3, 7] {
        assert!(on(threads) == expected, "{threads} threads");
    }
}
