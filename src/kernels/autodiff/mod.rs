//! The kernels with their gradients: the rules for Burn's autodiff over flex.

mod block;
mod convolution;
mod gradients;
mod linear;
mod operations;
mod pool;
