//! Functions of each value.

use burn::prelude::*;
use burn::tensor::activation;

use crate::models::layer_list::Function;

/// Slope and offset of hard sigmoid (Howard et al. 2019): `x / 6 + 1 / 2`.
const HARD_SIGMOID: (f64, f64) = (1.0 / 6.0, 0.5);

/// Applies a function to each value.
pub fn apply<const D: usize>(function: Function, values: Tensor<D>) -> Tensor<D> {
    match function {
        Function::Relu => activation::relu(values),
        Function::Relu6 => activation::relu6(values),
        Function::LeakyRelu { slope } => activation::leaky_relu(values, slope),
        Function::Gelu => activation::gelu(values),
        Function::Silu => activation::silu(values),
        Function::Hardswish => {
            let (slope, offset) = HARD_SIGMOID;
            values.clone() * activation::hard_sigmoid(values, slope, offset)
        }
        Function::Hardsigmoid => {
            let (slope, offset) = HARD_SIGMOID;
            activation::hard_sigmoid(values, slope, offset)
        }
        Function::Sigmoid => activation::sigmoid(values),
        Function::Tanh => activation::tanh(values),
    }
}
