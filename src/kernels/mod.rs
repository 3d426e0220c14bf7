//! Kernels: fast operations for training and inference on flex, with their gradients.
//!
//! Burn's flex computes the weight gradient of a convolution as a convolution by the output gradient, a shape that suits it
//! badly, and batch norm, ReLU and pooling as separate passes over memory. Here the convolution is direct or by
//! Winograd's method, forward and backward, and what follows it is done while an image is in the cache. The operations are an extension of
//! Burn's backends (`backend_extension`, with the autodiff rules): the layers call [`conv2d`] and [`conv_block`] where [`supported`] says so,
//! and Burn's operators on every other backend. Images are channels last, `[batch, rows, columns, channels]`.
//!
//! All sums run in an order that depends on shapes alone, so any number of threads gives the same bits. The arithmetic
//! (`conv`, `depthwise`, `engine`, `bf16`, `block`, `branches`, `normed`, `linear`, `pool`, `step`) works on slices and knows nothing of
//! Burn, so that it could go upstream.

// Gradients and steps are for training, which is not part of the reader alone.
#![cfg_attr(not(feature = "app"), allow(dead_code, unused_imports))]

mod activation;
#[cfg(feature = "app")]
mod autodiff;
mod batch_part;
mod bf16;
mod block;
mod branches;
mod channels;
mod conv;
mod depthwise;
mod dropout;
mod engine;
mod flex;
pub mod inference;
mod linear;
#[cfg(all(feature = "app", not(target_family = "wasm")))]
pub mod machine;
mod memory;
mod moments;
mod normed;
mod operations;
mod operators;
mod pool;
mod simd;
mod special;
mod step;
mod threads;

pub use activation::Activation;
pub use batch_part::{BatchPart, Exchange};
pub use block::Pool;
pub use conv::ConvOptions;
pub use dropout::dropout_mask;
pub use operations::{
    ConvNorm, NormedConv, activate, adam_step, channel_means, channels_first, channels_last,
    conv_block, conv_norm, conv2d, conv2d_pair, convolution, fixed_conv_block, fixed_conv_norm,
    gelu, linear, max_pool2d, scale_channels, sgd_step, with_values,
};
pub use operators::{ComputePrecision, Operators, Scoped, supported};
pub use pool::PoolOptions;
pub use step::{AdamStep, SgdStep};
pub use threads::in_pool;
