//! Convolutions of one input, a single one or several whose output channels lie side by side, each plus bias and perhaps through ReLU.
//! 3x3 convolutions that gain by it are computed by Winograd's algorithm, the others directly, an image at a time.

mod backward;
mod branch;
mod forward;

pub(super) use backward::backward;
pub(super) use branch::Branch;
pub(super) use forward::forward;
