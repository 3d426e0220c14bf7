//! The operations under Burn's autodiff over flex.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::ops::{Backward, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Flex};

use super::block::BlockBackward;
use super::convolution::{ConvBackward, ConvState, PairBackward, PairState};
use super::linear::{LinearBackward, LinearState};
use super::pool::{PoolBackward, PoolState};
use crate::kernels::activation::Activation;
use crate::kernels::block::Pool;
use crate::kernels::flex::{
    BlockForward, ElementwiseBackend, FastBackend, Pair, Parameters, contiguous, geometry,
};
use crate::kernels::pool::{PoolOptions, Windows};
use crate::kernels::step::{AdamStep, SgdStep};

impl<C: CheckpointStrategy> FastBackend for Autodiff<Flex, C> {
    fn fast_conv2d(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
        padding: usize,
        relu: bool,
    ) -> FloatTensor<Self> {
        let prepared = ConvBackward
            .prepare::<C>([input.node(), weight.node(), bias.node()])
            .compute_bound()
            .stateful();
        let input = contiguous(input.into_primitive());
        let weight = contiguous(weight.into_primitive());
        let mut state = ConvState {
            geometry: geometry(&input, &weight, stride, padding),
            input: input.clone(),
            weight: weight.clone(),
            relu: None,
        };
        let output = Flex::fast_conv2d(input, weight, bias.into_primitive(), stride, padding, relu);
        match prepared {
            OpsKind::Tracked(prepared) => {
                state.relu = relu.then(|| output.clone());
                prepared.finish(state, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }

    fn fast_conv2d_pair(
        input: FloatTensor<Self>,
        weight_1: FloatTensor<Self>,
        bias_1: FloatTensor<Self>,
        weight_2: FloatTensor<Self>,
        bias_2: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let prepared = PairBackward
            .prepare::<C>([
                input.node(),
                weight_1.node(),
                bias_1.node(),
                weight_2.node(),
                bias_2.node(),
            ])
            .compute_bound()
            .stateful();
        let input = contiguous(input.into_primitive());
        let parameters = [weight_1, bias_1, weight_2, bias_2].map(|tensor| tensor.into_primitive());
        let pair = Pair::new(&input, parameters.clone());
        let [weight_1, bias_1, weight_2, bias_2] = parameters;
        let output = Flex::fast_conv2d_pair(input.clone(), weight_1, bias_1, weight_2, bias_2);
        match prepared {
            OpsKind::Tracked(prepared) => {
                let state = PairState {
                    input,
                    pair,
                    output: output.clone(),
                };
                prepared.finish(state, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }

    fn fast_max_pool2d(input: FloatTensor<Self>, options: PoolOptions) -> FloatTensor<Self> {
        let prepared = PoolBackward
            .prepare::<C>([input.node()])
            .compute_bound()
            .stateful();
        let input = contiguous(input.into_primitive());
        let output = Flex::fast_max_pool2d(input.clone(), options);
        match prepared {
            OpsKind::Tracked(prepared) => {
                let state = PoolState {
                    windows: Windows::new(&input.layout().shape()[..], options),
                    input,
                    output: output.clone(),
                };
                prepared.finish(state, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }

    fn fast_conv_block(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        padding: usize,
        pool: Pool,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let prepared = BlockBackward
            .prepare::<C>([
                input.node(),
                weight.node(),
                bias.node(),
                gamma.node(),
                beta.node(),
            ])
            .compute_bound()
            .stateful();
        let parameters = [weight, bias, gamma, beta].map(|tensor| tensor.into_primitive());
        let parameters = Parameters::new(parameters, epsilon);
        let forward = BlockForward::new(
            contiguous(input.into_primitive()),
            parameters,
            padding,
            pool,
        );
        let mean = Self::from_inner(forward.state.mean.clone());
        let variance = Self::from_inner(forward.state.variance.clone());
        let output = match prepared {
            OpsKind::Tracked(prepared) => prepared.finish(forward.state, forward.output),
            OpsKind::UnTracked(prepared) => prepared.finish(forward.output),
        };
        (output, mean, variance)
    }

    fn fast_fixed_conv_block(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        padding: usize,
        pool: Pool,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        Self::from_inner(Flex::fast_fixed_conv_block(
            input.into_primitive(),
            weight.into_primitive(),
            bias.into_primitive(),
            gamma.into_primitive(),
            beta.into_primitive(),
            mean.into_primitive(),
            variance.into_primitive(),
            padding,
            pool,
            epsilon,
        ))
    }

    fn fast_linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        let prepared = LinearBackward
            .prepare::<C>([input.node(), weight.node(), bias.node()])
            .compute_bound()
            .stateful();
        let input = contiguous(input.into_primitive());
        let weight = contiguous(weight.into_primitive());
        let bias = bias.into_primitive();
        let in_output = activation.slope_is_of_output();
        let fused = match &prepared {
            OpsKind::Tracked(_) if !in_output => Activation::Identity,
            _ => activation,
        };
        let values = Flex::fast_linear(input.clone(), weight.clone(), bias, fused);
        match prepared {
            OpsKind::Tracked(prepared) => {
                let output = if in_output {
                    values.clone()
                } else {
                    Flex::fast_activation(values.clone(), activation)
                };
                let state = LinearState {
                    input,
                    weight,
                    values,
                    activation,
                };
                prepared.finish(state, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(values),
        }
    }

    fn fast_adam_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        moment_1: FloatTensor<Self>,
        moment_2: FloatTensor<Self>,
        step: AdamStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (parameter, moment_1, moment_2) = Flex::fast_adam_step(
            parameter.into_primitive(),
            gradient.into_primitive(),
            moment_1.into_primitive(),
            moment_2.into_primitive(),
            step,
        );
        (
            Self::from_inner(parameter),
            Self::from_inner(moment_1),
            Self::from_inner(moment_2),
        )
    }

    fn fast_sgd_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        velocity: FloatTensor<Self>,
        step: SgdStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (parameter, velocity) = Flex::fast_sgd_step(
            parameter.into_primitive(),
            gradient.into_primitive(),
            velocity.into_primitive(),
            step,
        );
        (Self::from_inner(parameter), Self::from_inner(velocity))
    }
}
