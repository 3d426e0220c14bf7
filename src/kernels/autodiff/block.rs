//! The gradients of blocks.

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};

use super::gradients::register;
use crate::kernels::block;
use crate::kernels::conv;
use crate::kernels::flex::{BlockState, by_dtype, contiguous, new_tensor, values};

/// The backward pass of `fast_conv_block`.
#[derive(Debug)]
pub(super) struct BlockBackward;

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
                whole: &state.whole,
            };
            let gradients = block::backward::<T>(
                &geometry,
                state.pool,
                trace,
                state.parameters.values(),
                values(&output),
                conv::Needed { input: input.is_some(), weight: weight.is_some() },
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
