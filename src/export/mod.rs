//! Networks for other programs: ONNX, PyTorch code, and weights alone.
//!
//! `description` says what a stranger needs to know, `onnx` and `python` make files of the layers of a network, and [`export`]
//! writes them.

mod description;
mod onnx;
mod python;
mod to_file;

pub use description::Description;
pub use onnx::{GraphOptions, to_model};
pub use python::to_python;
pub use to_file::{export, outputs};
