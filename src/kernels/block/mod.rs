//! Convolution, batch norm, ReLU and optionally 2x2 max pool as one operation, channels last, on slices.
//!
//! In training the statistics of an image, or of a part of one, are computed while its convolution is in the cache, and the gradient with respect
//! to the convolution's output is written into what the weights' and the input's gradients are computed from; it is never a tensor. In
//! inference the norm is folded into the weights, and a few rows at a time are convolved and pooled.

mod backward;
mod forward;
mod infer;
mod norm;
mod passes;
mod pool;

pub(super) use backward::{Trace, backward};
pub(super) use forward::forward;
pub(super) use infer::{infer, relu_pool};
pub(super) use norm::Parameters;
pub use pool::Pool;
