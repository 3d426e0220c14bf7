//! Checks gradients against differences of the loss: whether autodiff, kiln's kernels and the loss agree.
//!
//! A [`Subject`] is the network and the loss of an experiment on a synthetic batch, in 64-bit floats. It needs no data files, but a
//! process of its own: the float type of a device is set once.

mod compare;
mod report;
mod subject;

pub use compare::{Options, Progress, check};
pub use report::{Entry, Report, TensorReport};
pub use subject::{Slopes, Subject, Variable};
