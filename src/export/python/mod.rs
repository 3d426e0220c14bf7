//! Networks as PyTorch code.
//!
//! `layers` writes the layers and `forward` of the network, `text` knows how Python writes values, and `module` puts the file
//! together, with the functions in `code/` around the network.

mod layers;
mod module;
mod text;

pub use module::to_python;
