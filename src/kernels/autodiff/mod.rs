//! The kernels with their gradients: the rules for Burn's autodiff over flex.

mod block;
mod channels;
mod convolution;
mod convolutions;
mod elementwise;
mod gradients;
mod linear;
mod normed;
mod operations;
mod pool;
