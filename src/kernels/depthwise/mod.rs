//! Depthwise convolutions, channels last, on slices: each channel is convolved by a kernel of its own.
//!
//! A few neighbouring positions of a register of channels are summed at a time over the kernel's taps; of an image in strips, in the forward
//! pass of the usual kernels. The input's gradient is
//! the same operation on the output's gradient, phase by phase of the stride.

mod forward;
mod strips;
mod tiles;
mod transposed;
mod weight_gradient;

pub(super) use forward::Kernels;
pub(super) use transposed::Transposed;
pub(super) use weight_gradient::WeightSums;
