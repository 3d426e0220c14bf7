//! Functions of each value, as kernels know them.

use crate::kernels::Activation;
use crate::models::layer_list::Function;

/// The kernels' name of a function.
pub fn activation(function: Function) -> Activation {
    match function {
        Function::Relu => Activation::Relu,
        Function::Relu6 => Activation::Relu6,
        Function::LeakyRelu { slope } => Activation::LeakyRelu { slope },
        Function::Gelu => Activation::Gelu,
        Function::Silu => Activation::Silu,
        Function::Hardswish => Activation::Hardswish,
        Function::Hardsigmoid => Activation::Hardsigmoid,
        Function::Sigmoid => Activation::Sigmoid,
        Function::Tanh => Activation::Tanh,
    }
}
