//! The gradient of the max pool.

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;

use super::gradients::register;
use crate::kernels::flex::{by_dtype, contiguous, new_tensor, values};
use crate::kernels::pool;

/// The backward pass of `fast_max_pool2d`.
#[derive(Debug)]
pub(super) struct PoolBackward;

/// What the backward pass of a max pool needs.
#[derive(Clone, Debug)]
pub(super) struct PoolState {
    pub windows: pool::Windows,
    pub input: FlexTensor,
    pub output: FlexTensor,
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
