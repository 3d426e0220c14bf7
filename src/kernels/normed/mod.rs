//! Convolution, batch norm, an optional residual and a non-linearity as one operation, channels last, on slices.
//!
//! In training the statistics of a part of an image are computed while its convolution is in the cache, and the norm, the residual
//! and the non-linearity take one more pass. The backward pass goes over the values twice: once for the sums, once for the
//! gradient with respect to the convolution's output, from which those of the input and of the weights are computed at once. In inference the norm is
//! folded into the weights.

mod backward;
mod forward;
mod moments;
mod norm;
mod passes;
mod period;

pub(super) use backward::{Trace, backward, plain_backward};
pub(super) use forward::{BatchNorm, fixed, infer, plain, train};
pub(super) use norm::{Norm, Statistics};
pub(super) use passes::add_and_activate;
