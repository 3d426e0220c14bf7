//! Which tensors of a file are those of a network.

pub mod choose;
pub mod fit;
mod propose;
mod views;
