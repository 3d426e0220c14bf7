//! The gradients of convolutions with their norms, and of plain ones.

use burn::backend::Flex;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;

use super::gradients::register;
use crate::kernels::conv::{Geometry, Needed};
use crate::kernels::flex::{NormedState, by_dtype, contiguous, new_tensor, values};
use crate::kernels::normed::{self, Norm, Statistics, Trace};

/// The backward pass of `fast_convolution`.
#[derive(Debug)]
pub(super) struct ConvolutionBackward;

/// What the backward pass of a convolution needs.
#[derive(Clone, Debug)]
pub(super) struct ConvolutionState {
    pub geometry: Geometry,
    pub input: FlexTensor,
    pub weight: FlexTensor,
}

impl Backward<Flex, 3> for ConvolutionBackward {
    type State = ConvolutionState;

    fn backward(
        self,
        ops: Ops<ConvolutionState, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [input, weight, bias] = ops.parents;
        let gradient = contiguous(grads.consume::<Flex>(&ops.node));
        let state = ops.state;
        let g = state.geometry;
        let needed = Needed {
            input: input.is_some(),
            weight: weight.is_some(),
        };
        by_dtype!(state.input, T => {
            let (image, kernels) = (values::<T>(&state.input), values(&state.weight));
            let found = normed::plain_backward(&g, image, kernels, values(&gradient), needed);
            let tensors = [
                (input, found.input.map(|values| new_tensor(values, &g.input_shape()))),
                (weight, found.weight.map(|values| new_tensor(values, &g.weight_shape()))),
                (bias, Some(new_tensor(found.bias, &[g.outputs]))),
            ];
            tensors.into_iter().for_each(|(node, tensor)| register(grads, node.map(|node| node.id), tensor));
        });
    }
}

/// The backward pass of `fast_conv_norm`: of input, weight, gamma, beta and residual.
#[derive(Debug)]
pub(super) struct ConvNormBackward;

impl Backward<Flex, 5> for ConvNormBackward {
    type State = NormedState;

    fn backward(
        self,
        ops: Ops<NormedState, 5>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [input, weight, gamma, beta, residual] =
            ops.parents.map(|node| node.map(|node| node.id));
        let gradient = grads.consume::<Flex>(&ops.node);
        let nodes = Nodes {
            input,
            weight,
            mean: None,
            scale: gamma,
            beta,
            residual,
        };
        nodes.register(&ops.state, gradient, grads);
    }
}

/// The backward pass of `fast_fixed_conv_norm`: of input, weight, mean, scale, beta and residual.
#[derive(Debug)]
pub(super) struct FixedConvNormBackward;

impl Backward<Flex, 6> for FixedConvNormBackward {
    type State = NormedState;

    fn backward(
        self,
        ops: Ops<NormedState, 6>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [input, weight, mean, scale, beta, residual] =
            ops.parents.map(|node| node.map(|node| node.id));
        let gradient = grads.consume::<Flex>(&ops.node);
        let nodes = Nodes {
            input,
            weight,
            mean,
            scale,
            beta,
            residual,
        };
        nodes.register(&ops.state, gradient, grads);
    }
}

/// The nodes that get gradients.
struct Nodes {
    input: Option<NodeId>,
    weight: Option<NodeId>,
    mean: Option<NodeId>,
    scale: Option<NodeId>,
    beta: Option<NodeId>,
    residual: Option<NodeId>,
}

impl Nodes {
    /// Computes the gradients, from that of the output, and passes them on.
    fn register(self, state: &NormedState, gradient: FlexTensor, grads: &mut Gradients) {
        let gradient = contiguous(gradient);
        let layer = &state.layer;
        let g = layer.geometry;
        let needed = Needed {
            input: self.input.is_some(),
            weight: self.weight.is_some(),
        };
        by_dtype!(layer.input, T => {
            let trace = Trace {
                input: values::<T>(&layer.input),
                weight: values(&layer.weight),
                convolved: values(&state.convolved),
                norm: Norm {
                    statistics: match &state.sigma {
                        Some((sigma, whole)) => Statistics::Batch { sigma: values(sigma), whole },
                        None => Statistics::Fixed,
                    },
                    mean: values(&state.mean),
                    scale: values(&state.scale),
                    shift: values(&state.shift),
                },
                residual: layer.residual(),
                activation: layer.activation,
            };
            let found = normed::backward(&g, trace, values(&gradient), needed);
            let channels = [g.outputs];
            // Behind the identity, the residual's gradient is the output's.
            let residual = match found.residual {
                Some(values) => new_tensor(values, &g.output_shape()),
                None => gradient.clone(),
            };
            let tensors = [
                (self.input, found.input.map(|values| new_tensor(values, &g.input_shape()))),
                (self.weight, found.weight.map(|values| new_tensor(values, &g.weight_shape()))),
                (self.mean, Some(new_tensor(found.mean, &channels))),
                (self.scale, Some(new_tensor(found.scale, &channels))),
                (self.beta, Some(new_tensor(found.beta, &channels))),
                (self.residual, Some(residual)),
            ];
            tensors.into_iter().for_each(|(node, tensor)| register(grads, node, tensor));
        });
    }
}
