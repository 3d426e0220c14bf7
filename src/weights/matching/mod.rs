//! Which tensors of a file are those of a network.

pub mod choose;
mod exceptions;
pub mod fit;
mod mapping;
pub mod refusal;
mod reparametrized;
mod rivals;
pub mod settings;
mod single;
mod views;
