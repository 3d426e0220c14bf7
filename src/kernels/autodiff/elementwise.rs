//! Operations value by value under Burn's autodiff over flex, and their gradients.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};

use super::gradients::register;
use crate::kernels::activation::{Activation, input_gradient};
use crate::kernels::flex::{ElementwiseBackend, by_dtype, contiguous, new_tensor, values};

impl<C: CheckpointStrategy> ElementwiseBackend for Autodiff<Flex, C> {
    fn fast_activation(values: FloatTensor<Self>, activation: Activation) -> FloatTensor<Self> {
        let prepared = ActivationBackward
            .prepare::<C>([values.node()])
            .compute_bound()
            .stateful();
        let input = contiguous(values.into_primitive());
        match prepared {
            OpsKind::Tracked(prepared) => {
                let output = Flex::fast_activation(input.clone(), activation);
                prepared.finish(ActivationState { input, activation }, output)
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(Flex::fast_activation(input, activation))
            }
        }
    }
}

/// The backward pass of `fast_activation`.
#[derive(Debug)]
struct ActivationBackward;

#[derive(Clone, Debug)]
struct ActivationState {
    input: FlexTensor,
    activation: Activation,
}

impl Backward<Flex, 1> for ActivationBackward {
    type State = ActivationState;

    fn backward(
        self,
        ops: Ops<ActivationState, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [node] = ops.parents;
        let gradient = contiguous(grads.consume::<Flex>(&ops.node));
        let ActivationState { input, activation } = ops.state;
        let found = by_dtype!(input, T => {
            let found = input_gradient::<T>(values(&input), values(&gradient), activation);
            new_tensor(found, input.layout().shape())
        });
        register(grads, node.map(|node| node.id), Some(found));
    }
}
