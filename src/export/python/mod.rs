//! Networks as PyTorch code.
//!
//! `layers` writes the layers and `forward` of the network, `text` knows how Python writes values, and `module` puts the file
//! together, with the functions in `code/` around the network. `module_name` refuses names that Python can't import.

mod layers;
mod module;
mod module_name;
mod text;

pub use module::to_python;
pub use module_name::problem as name_problem;
