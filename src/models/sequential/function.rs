//! Functions of each value.

use burn::prelude::*;
use burn::tensor::activation;

use crate::models::layer_list::Function;

/// Applies a function to each value.
pub fn apply<const D: usize>(function: Function, values: Tensor<D>) -> Tensor<D> {
    match function {
        Function::Relu => activation::relu(values),
        Function::Relu6 => activation::relu6(values),
        Function::LeakyRelu { slope } => activation::leaky_relu(values, slope),
        Function::Gelu => activation::gelu(values),
        Function::Silu => activation::silu(values),
        Function::Hardswish => values.clone() * hard_sigmoid(values),
        Function::Hardsigmoid => hard_sigmoid(values),
        Function::Sigmoid => activation::sigmoid(values),
        Function::Tanh => activation::tanh(values),
    }
}

/// Hard sigmoid (Howard et al. 2019). Burn's own computes in 32-bit floats wherever gradients are recorded, also those of a check in
/// 64 bits.
fn hard_sigmoid<const D: usize>(values: Tensor<D>) -> Tensor<D> {
    values.mul_scalar(1.0 / 6.0).add_scalar(0.5).clamp(0.0, 1.0)
}
