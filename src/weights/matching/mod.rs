//! Which tensors of a file are those of a network.

mod apart;
pub mod choose;
mod exceptions;
pub mod fit;
mod layers;
mod patterns;
mod proposals;
mod propose;
pub mod refusal;
mod reparametrized;
mod rivals;
pub mod settings;
mod views;
