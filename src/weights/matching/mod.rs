//! Which tensors of a file are those of a network.

pub mod choose;
mod exceptions;
pub mod fit;
mod patterns;
mod proposals;
mod propose;
pub mod refusal;
pub mod settings;
mod views;
