//! Which tensors of a file are those of a network.

pub mod choose;
pub mod fit;
mod patterns;
mod proposals;
mod propose;
mod refusal;
pub mod settings;
mod views;
