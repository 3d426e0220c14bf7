//! The operations on flex: tensors in, tensors out.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::ops::ModuleOps;

use super::extension::FastBackend;
use super::layers::{BlockForward, Pair, Parameters};
use super::tensors::{
    assert_channels, assert_same_shape, by_dtype, change, contiguous, geometry, new_tensor, sizes,
    values, values_mut,
};
use crate::kernels::activation::{Activation, activate};
use crate::kernels::block::{self, Pool};
use crate::kernels::branches;
use crate::kernels::linear;
use crate::kernels::pool::{self, PoolOptions};
use crate::kernels::step::{self, AdamStep, SgdStep};

impl FastBackend for Flex {
    fn fast_conv2d(
        input: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        stride: usize,
        padding: usize,
        relu: bool,
    ) -> FlexTensor {
        let (input, weight, bias) = (contiguous(input), contiguous(weight), contiguous(bias));
        let geometry = geometry(&input, &weight, stride, padding);
        assert_channels(&bias, geometry.outputs, "bias");
        by_dtype!(input, T => {
            let (weight, bias) = (values::<T>(&weight), values(&bias));
            let branch = branches::Branch { geometry, weight, bias };
            let output = branches::forward(&[branch], values(&input), relu);
            new_tensor(output, &geometry.output_shape())
        })
    }

    fn fast_conv2d_pair(
        input: FlexTensor,
        weight_1: FlexTensor,
        bias_1: FlexTensor,
        weight_2: FlexTensor,
        bias_2: FlexTensor,
    ) -> FlexTensor {
        let input = contiguous(input);
        let pair = Pair::new(&input, [weight_1, bias_1, weight_2, bias_2]);
        by_dtype!(input, T => {
            let output = branches::forward(&pair.branches::<T>(), values(&input), true);
            new_tensor(output, &pair.output_shape())
        })
    }

    fn fast_max_pool2d(input: FlexTensor, options: PoolOptions) -> FlexTensor {
        let input = contiguous(input);
        let windows = pool::Windows::new(&input.layout().shape()[..], options);
        by_dtype!(input, T => {
            let output = pool::forward::<T>(&windows, values(&input));
            new_tensor(output, &windows.output_shape())
        })
    }

    fn fast_conv_block(
        input: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        padding: usize,
        pool: Pool,
        epsilon: f64,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let parameters = Parameters::new([weight, bias, gamma, beta], epsilon);
        let forward = BlockForward::new(contiguous(input), parameters, padding, pool);
        (forward.output, forward.state.mean, forward.state.variance)
    }

    fn fast_fixed_conv_block(
        input: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        mean: FlexTensor,
        variance: FlexTensor,
        padding: usize,
        pool: Pool,
        epsilon: f64,
    ) -> FlexTensor {
        let input = contiguous(input);
        let parameters = Parameters::new([weight, bias, gamma, beta], epsilon);
        let (mean, variance) = (contiguous(mean), contiguous(variance));
        let geometry = geometry(&input, &parameters.weight, 1, padding);
        assert_channels(&mean, geometry.outputs, "mean");
        assert_channels(&variance, geometry.outputs, "variance");
        by_dtype!(input, T => {
            let (mean, variance) = (values::<T>(&mean), values(&variance));
            let input = values(&input);
            let output = block::infer(&geometry, pool, input, parameters.values(), mean, variance);
            new_tensor(output, &pool.output_shape(&geometry))
        })
    }

    fn fast_linear(
        input: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        activation: Activation,
    ) -> FlexTensor {
        let (input, weight, bias) = (contiguous(input), contiguous(weight), contiguous(bias));
        let sizes = sizes(&input, &weight);
        assert_channels(&bias, sizes.outputs, "bias");
        if !sizes.fit_the_cache() {
            let mut output = Flex::linear(input, weight, Some(bias));
            by_dtype!(output, T => activate(values_mut::<T>(&mut output), activation));
            return output;
        }
        by_dtype!(input, T => {
            let (input, weight, bias) = (values::<T>(&input), values(&weight), values(&bias));
            let output = linear::forward(sizes, input, weight, bias, activation);
            new_tensor(output, &[sizes.batch, sizes.outputs])
        })
    }

    fn fast_adam_step(
        parameter: FlexTensor,
        gradient: FlexTensor,
        moment_1: FlexTensor,
        moment_2: FlexTensor,
        step: AdamStep,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let gradient = contiguous(gradient);
        assert_same_shape(&[&parameter, &gradient, &moment_1, &moment_2]);
        let [p, mut m, mut v] = [parameter, moment_1, moment_2].map(contiguous);
        let p = by_dtype!(p, T => change::<T>(p, |p| {
            let (m, v) = (values_mut::<T>(&mut m), values_mut(&mut v));
            step::adam(p, values(&gradient), m, v, step);
        }));
        (p, m, v)
    }

    fn fast_sgd_step(
        parameter: FlexTensor,
        gradient: FlexTensor,
        velocity: FlexTensor,
        step: SgdStep,
    ) -> (FlexTensor, FlexTensor) {
        let gradient = contiguous(gradient);
        assert_same_shape(&[&parameter, &gradient, &velocity]);
        let [p, mut w] = [parameter, velocity].map(contiguous);
        let p = by_dtype!(p, T => change::<T>(p, |p| {
            step::sgd(p, values(&gradient), values_mut(&mut w), step);
        }));
        (p, w)
    }
}
