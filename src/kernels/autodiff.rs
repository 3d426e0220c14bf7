//! The kernels with their gradients: the rules for Burn's autodiff over flex.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Flex};
use burn::tensor::DType;

use super::flex::{
    BlockForward, BlockState, FastBackend, Pair, Parameters, by_dtype, contiguous, geometry,
    new_tensor, sizes, values,
};
use super::{Activation, AdamStep, Geometry, Pool, SgdStep, block, conv, linear, pool};

/// Hands a gradient on to the node that wants it.
fn register(grads: &mut Gradients, node: Option<NodeId>, gradient: Option<FlexTensor>) {
    if let (Some(node), Some(gradient)) = (node, gradient) {
        grads.register::<Flex>(node, gradient);
    }
}

#[derive(Debug)]
struct ConvBackward;

#[derive(Clone, Debug)]
struct ConvState {
    geometry: Geometry,
    input: FlexTensor,
    weight: FlexTensor,
    /// The output, where ReLU cut it.
    relu: Option<FlexTensor>,
}

impl Backward<Flex, 3> for ConvBackward {
    type State = ConvState;

    fn backward(
        self,
        ops: Ops<ConvState, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [input, weight, bias] = ops.parents;
        let output = contiguous(grads.consume::<Flex>(&ops.node));
        let state = ops.state;
        let geometry = state.geometry;
        by_dtype!(state.input, T => {
            // The bias has no say in the gradients.
            let branch = conv::Branch { geometry, weight: values::<T>(&state.weight), bias: &[] };
            let mut gradients = conv::backward(
                &[branch],
                values(&state.input),
                values(&output),
                state.relu.as_ref().map(values),
                conv::Wanted { input: input.is_some(), weight: weight.is_some() || bias.is_some() },
            );
            let gradients = gradients.remove(0);
            let tensors = [
                (input, gradients.input.map(|g| new_tensor(g, &geometry.input_shape()))),
                (weight, Some(new_tensor(gradients.weight, &geometry.weight_shape()))),
                (bias, Some(new_tensor(gradients.bias, &[geometry.outputs]))),
            ];
            tensors.into_iter().for_each(|(node, tensor)| register(grads, node.map(|node| node.id), tensor));
        });
    }
}

#[derive(Debug)]
struct PairBackward;

#[derive(Clone, Debug)]
struct PairState {
    input: FlexTensor,
    pair: Pair,
    output: FlexTensor,
}

impl Backward<Flex, 5> for PairBackward {
    type State = PairState;

    fn backward(
        self,
        ops: Ops<PairState, 5>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [input, parameters @ ..] = ops.parents;
        let gradient = contiguous(grads.consume::<Flex>(&ops.node));
        let PairState {
            input: image,
            pair,
            output,
        } = ops.state;
        by_dtype!(image, T => {
            let gradients = conv::backward::<T>(
                &pair.branches(),
                values(&image),
                values(&gradient),
                Some(values(&output)),
                conv::Wanted { input: input.is_some(), weight: parameters.iter().any(Option::is_some) },
            );
            let mut parameters = parameters.into_iter();
            for (found, geometry) in gradients.into_iter().zip(pair.geometries) {
                if let Some(gradient) = found.input {
                    let node = input.as_ref().map(|node| node.id);
                    register(grads, node, Some(new_tensor(gradient, &geometry.input_shape())));
                }
                let tensors = [
                    new_tensor(found.weight, &geometry.weight_shape()),
                    new_tensor(found.bias, &[geometry.outputs]),
                ];
                for (node, tensor) in parameters.by_ref().take(2).zip(tensors) {
                    register(grads, node.map(|node| node.id), Some(tensor));
                }
            }
        });
    }
}

#[derive(Debug)]
struct PoolBackward;

#[derive(Clone, Debug)]
struct PoolState {
    windows: pool::Windows,
    input: FlexTensor,
    output: FlexTensor,
}

impl Backward<Flex, 1> for PoolBackward {
    type State = PoolState;

    fn backward(
        self,
        ops: Ops<PoolState, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [input] = ops.parents;
        let gradient = contiguous(grads.consume::<Flex>(&ops.node));
        let state = ops.state;
        let found = by_dtype!(state.input, T => {
            let (input, output) = (values::<T>(&state.input), values(&state.output));
            let found = pool::backward(&state.windows, input, output, values(&gradient));
            new_tensor(found, &state.windows.input_shape())
        });
        register(grads, input.map(|node| node.id), Some(found));
    }
}

#[derive(Debug)]
struct BlockBackward;

impl Backward<Flex, 5> for BlockBackward {
    type State = BlockState;

    fn backward(
        self,
        ops: Ops<BlockState, 5>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [input, weight, bias, gamma, beta] = ops.parents;
        let output = contiguous(grads.consume::<Flex>(&ops.node));
        let state = ops.state;
        let geometry = state.geometry;
        by_dtype!(state.input, T => {
            let trace = block::Trace {
                input: values(&state.input),
                convolved: values(&state.convolved),
                mean: values(&state.mean),
                variance: values(&state.variance),
                origin: values(&state.origin),
            };
            let gradients = block::backward::<T>(
                &geometry,
                state.pool,
                trace,
                state.parameters.values(),
                values(&output),
                conv::Wanted { input: input.is_some(), weight: weight.is_some() },
            );
            let channels = [geometry.outputs];
            let conv = gradients.conv;
            let tensors = [
                (input, conv.input.map(|g| new_tensor(g, &geometry.input_shape()))),
                (weight, Some(new_tensor(conv.weight, &geometry.weight_shape()))),
                (bias, Some(new_tensor(conv.bias, &channels))),
                (gamma, Some(new_tensor(gradients.gamma, &channels))),
                (beta, Some(new_tensor(gradients.beta, &channels))),
            ];
            tensors.into_iter().for_each(|(node, tensor)| register(grads, node.map(|node| node.id), tensor));
        });
    }
}

#[derive(Debug)]
struct LinearBackward;

#[derive(Clone, Debug)]
struct LinearState {
    input: FlexTensor,
    weight: FlexTensor,
    output: FlexTensor,
    activation: Activation,
}

impl Backward<Flex, 3> for LinearBackward {
    type State = LinearState;

    fn backward(
        self,
        ops: Ops<LinearState, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [input, weight, bias] = ops.parents;
        let gradient = contiguous(grads.consume::<Flex>(&ops.node));
        let state = ops.state;
        let outputs = sizes(&state.input, &state.weight).outputs;
        let (slopes, bias_gradient) = by_dtype!(state.input, T => {
            let (slopes, bias) = linear::activation_gradient::<T>(
                outputs,
                values(&state.output),
                values(&gradient),
                state.activation,
            );
            let shape: Vec<usize> = gradient.layout().shape().to_vec();
            (new_tensor(slopes, &shape), new_tensor(bias, &[outputs]))
        });
        if let Some(node) = bias {
            grads.register::<Flex>(node.id, bias_gradient);
        }
        if let Some(node) = weight {
            let input = Flex::float_transpose(state.input);
            grads.register::<Flex>(node.id, Flex::float_matmul(input, slopes.clone()));
        }
        if let Some(node) = input {
            let weight = Flex::float_transpose(state.weight);
            grads.register::<Flex>(node.id, Flex::float_matmul(slopes, weight));
        }
    }
}

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

    fn fast_max_pool2d(
        input: FloatTensor<Self>,
        kernel: usize,
        stride: usize,
    ) -> FloatTensor<Self> {
        let prepared = PoolBackward
            .prepare::<C>([input.node()])
            .compute_bound()
            .stateful();
        let input = contiguous(input.into_primitive());
        let output = Flex::fast_max_pool2d(input.clone(), kernel, stride);
        match prepared {
            OpsKind::Tracked(prepared) => {
                let state = PoolState {
                    windows: pool::Windows::new(&input.layout().shape()[..], kernel, stride),
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
        let output = Flex::fast_linear(input.clone(), weight.clone(), bias, activation);
        match prepared {
            OpsKind::Tracked(prepared) => {
                let state = LinearState {
                    input,
                    weight,
                    output: output.clone(),
                    activation,
                };
                prepared.finish(state, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(output),
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
