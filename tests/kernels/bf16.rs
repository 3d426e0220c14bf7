//! Convolutions and their gradients in bfloat16.

use burn::prelude::*;
use kiln::kernels::{self, ComputePrecision, ConvOptions, Pool};
use proptest::prelude::*;

use super::random::cases::{Conv, dense, for_each};
use super::random::{CLOSE, WORK};
use super::{block, difference, numbers, sums_differ, tensor, values};

/// Tolerance of values that bfloat16 has; of Winograd's method, whose transformed values are rounded.
const EXACT: f32 = 2e-6;
const TRANSFORMED: f32 = 2e-2;

const PRECISIONS: [ComputePrecision; 2] = [ComputePrecision::Bf16, ComputePrecision::F32];

const CASES: [Conv; 11] = [
    case([4, 10], [9, 7], 3, 1, 1),
    case([64, 48], [6, 5], 1, 1, 0),
    case([18, 33], [8, 9], 3, 2, 1),
    case([2, 16], [11, 11], 7, 2, 3),
    case([16, 20], [7, 6], 1, 2, 0),
    case([6, 5], [5, 5], 5, 1, 2),
    case([3, 20], [11, 10], 7, 2, 3),
    case([5, 16], [6, 8], 1, 2, 0),
    case([130, 36], [4, 4], 3, 1, 0),
    case([32, 48], [9, 8], 3, 1, 1),
    case([256, 256], [4, 5], 3, 1, 1),
];

const fn case(
    channels: [usize; 2],
    size: [usize; 2],
    kernel: usize,
    stride: usize,
    padding: usize,
) -> Conv {
    Conv {
        batch: 3,
        inputs: channels[0],
        outputs: channels[1],
        size,
        kernel,
        stride,
        padding,
        groups: 1,
    }
}

/// Whether it is computed by Winograd's method.
fn is_transformed(conv: &Conv) -> bool {
    let is_wide = |channels: usize| channels >= 32 && channels.is_multiple_of(16);
    let is_three = [conv.kernel, conv.stride, conv.padding] == [3, 1, 1];
    is_three && is_wide(conv.inputs) && is_wide(conv.outputs)
}

/// The nearest value of 8 bits of precision.
fn rounded(value: f64) -> f32 {
    let bits = (value as f32).to_bits();
    f32::from_bits((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
}

/// Numbers that bfloat16 has.
fn short<const D: usize>(shape: [usize; D], salt: u64, device: &Device) -> Tensor<D> {
    let numbers = numbers(shape.iter().product(), salt);
    let values: Vec<f32> = numbers.into_iter().map(rounded).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Draws a tensor of a shape from a seed.
type Draw<const D: usize> = fn([usize; D], u64, &Device) -> Tensor<D>;

/// Output, and gradients of input and weights, of a convolution, for random gradients of the output.
fn passes(conv: &Conv, precision: ComputePrecision, draw: Draw<4>) -> [Vec<f32>; 3] {
    let device = Device::flex().autodiff();
    let [batch, inputs, height, width] = conv.input();
    let input = draw([batch, height, width, inputs], 1, &device).require_grad();
    let weight = draw(conv.weight(), 2, &device).require_grad();
    let options = ConvOptions {
        stride: conv.stride,
        padding: conv.padding,
        groups: conv.groups,
    };
    let output = {
        let _precision = precision.scoped();
        kernels::convolution(input.clone(), weight.clone(), None, options)
    };
    let slopes = draw(output.dims(), 3, &device);
    let gradients = (output.clone() * slopes).sum().backward();
    [
        values(output),
        values(input.grad(&gradients).expect("a gradient")),
        values(weight.grad(&gradients).expect("a gradient")),
    ]
}

#[test]
fn of_values_that_bfloat16_has_convolutions_and_gradients_are_those_in_32_bits() {
    for case in CASES {
        let found = passes(&case, ComputePrecision::Bf16, short);
        let expected = passes(&case, ComputePrecision::F32, short);
        let bound = if is_transformed(&case) {
            TRANSFORMED
        } else {
            EXACT
        };
        for (found, expected) in found.iter().zip(&expected) {
            let difference = difference(found, expected);
            assert!(difference < bound, "{case:?}: {difference}");
        }
    }
}

#[test]
fn random_convolutions_of_values_that_bfloat16_has_are_those_in_32_bits() {
    for_each(300, dense(), |conv| {
        // Values are taken two at a time.
        let inputs = conv.inputs.next_multiple_of(2);
        let conv = Conv { inputs, ..conv }.at_most(WORK);
        let [found, expected] = PRECISIONS.map(|precision| passes(&conv, precision, short));
        let bound = if is_transformed(&conv) {
            TRANSFORMED
        } else {
            CLOSE
        };
        for (found, expected) in found.iter().zip(&expected) {
            let difference = sums_differ(found, expected);
            prop_assert!(difference < bound, "{conv:?}: {difference}");
        }
        let [found, expected] = PRECISIONS.map(|precision| passes(&conv, precision, tensor));
        prop_assert!(found[0] != expected[0], "{conv:?} is in 32 bits");
        Ok(())
    });
}

#[test]
fn other_values_are_rounded_to_8_bits_of_precision() {
    for case in CASES {
        let found = passes(&case, ComputePrecision::Bf16, tensor);
        let expected = passes(&case, ComputePrecision::F32, tensor);
        for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let difference = difference(found, expected);
            // The input's gradient is summed over output channels, two at a time.
            if index == 1 && case.outputs % 2 == 1 {
                assert!(difference == 0.0, "{case:?}: {difference}");
            } else {
                assert!((1e-5..2e-2).contains(&difference), "{case:?}: {difference}");
            }
        }
    }
}

#[test]
fn other_layers_stay_in_32_bits() {
    // An odd number of channels.
    let odd = case([3, 8], [6, 6], 3, 1, 1);
    let found = passes(&odd, ComputePrecision::Bf16, tensor);
    assert_eq!(found, passes(&odd, ComputePrecision::F32, tensor));
}

/// Channels in and out of a block: of one that is computed directly in 32 bits, and one that is by Winograd's method there.
const BLOCKS: [[usize; 2]; 2] = [[16, 24], [32, 48]];

/// Output and gradients of a block of convolution, norm, rectifier and pool.
fn block_passes(precision: ComputePrecision, [inputs, outputs]: [usize; 2]) -> Vec<Vec<f32>> {
    let device = Device::flex().autodiff();
    let (_, _, parameters) = block(inputs, outputs, &device);
    let weight = parameters.weight.clone().require_grad();
    let parameters = kernels::ConvNorm {
        weight: weight.clone(),
        ..parameters
    };
    let input = tensor([5, 12, 10, inputs], 1, &device).require_grad();
    let output = {
        let _precision = precision.scoped();
        kernels::conv_block(input.clone(), parameters, 1, Pool::Halve).0
    };
    let gradients = output.clone().powf_scalar(2.0).sum().backward();
    vec![
        values(output),
        values(input.grad(&gradients).expect("a gradient")),
        values(weight.grad(&gradients).expect("a gradient")),
    ]
}

#[test]
fn a_block_with_norm_and_pool_stays_near() {
    for channels in BLOCKS {
        let found = block_passes(ComputePrecision::Bf16, channels);
        let expected = block_passes(ComputePrecision::F32, channels);
        for (found, expected) in found.iter().zip(expected) {
            let count = expected.len() as f32;
            let mean = expected.iter().map(|value| value.abs()).sum::<f32>() / count;
            let apart = found.iter().zip(&expected).map(|(a, b)| (a - b).abs());
            let apart = apart.sum::<f32>() / count;
            // A pool may choose another of two values that are nearly equal.
            assert!(apart < 0.05 * mean && apart > 0.0, "{apart} of {mean}");
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let all = || {
        let of_case = |case: &Conv| passes(case, ComputePrecision::Bf16, tensor).concat();
        let mut all: Vec<Vec<f32>> = CASES.iter().map(of_case).collect();
        all.extend(BLOCKS.map(|channels| block_passes(ComputePrecision::Bf16, channels).concat()));
        all
    };
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().expect("a pool").install(all)
    };
    let one = on(1);
    for threads in [2, 3, 7] {
        assert!(on(threads) == one, "{threads} threads");
    }
}
