//! Names of a file mapped to those of a network by the order and shapes of the layers.

mod apart;
mod layers;
mod patterns;
mod proposals;
mod propose;

pub use proposals::Proposals;
