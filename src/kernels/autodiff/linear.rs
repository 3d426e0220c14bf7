//! The gradients of fully connected layers.

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::backend::ops::FloatTensorOps;

use crate::kernels::activation::Activation;
use crate::kernels::flex::{by_dtype, contiguous, new_tensor, sizes, values};
use crate::kernels::linear;

/// The backward pass of `fast_linear`.
#[derive(Debug)]
pub(super) struct LinearBackward;

/// What the backward pass of a fully connected layer needs.
#[derive(Clone, Debug)]
pub(super) struct LinearState {
    pub input: FlexTensor,
    pub weight: FlexTensor,
    /// The output, or what the non-linearity was applied to; see `linear::activation_gradient`.
    pub values: FlexTensor,
    pub activation: Activation,
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
                values(&state.values),
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
