//! The gradients of convolutions.

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;

use super::gradients::register;
use crate::kernels::branches;
use crate::kernels::conv::{self, Geometry};
use crate::kernels::flex::{Pair, by_dtype, contiguous, new_tensor, values};

/// The backward pass of `fast_conv2d`.
#[derive(Debug)]
pub(super) struct ConvBackward;

/// What the backward pass of a convolution needs.
#[derive(Clone, Debug)]
pub(super) struct ConvState {
    pub geometry: Geometry,
    pub input: FlexTensor,
    pub weight: FlexTensor,
    /// The output, where ReLU cut it.
    pub relu: Option<FlexTensor>,
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
            // Gradients do not depend on the bias.
            let branch = branches::Branch { geometry, weight: values::<T>(&state.weight), bias: &[] };
            let mut gradients = branches::backward(
                &[branch],
                values(&state.input),
                values(&output),
                state.relu.as_ref().map(values),
                conv::Needed { input: input.is_some(), weight: weight.is_some() || bias.is_some() },
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

/// The backward pass of `fast_conv2d_pair`.
#[derive(Debug)]
pub(super) struct PairBackward;

/// What the backward pass of a pair of convolutions needs.
#[derive(Clone, Debug)]
pub(super) struct PairState {
    pub input: FlexTensor,
    pub pair: Pair,
    pub output: FlexTensor,
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
            let gradients = branches::backward::<T>(
                &pair.branches(),
                values(&image),
                values(&gradient),
                Some(values(&output)),
                conv::Needed { input: input.is_some(), weight: parameters.iter().any(Option::is_some) },
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
