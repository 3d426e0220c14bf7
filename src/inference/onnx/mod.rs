//! ONNX models, kiln's own and other people's, as classifiers of image files.
//!
//! `interface` reads from a file which images it takes and what it gives, `preparation` says how images become its input, and
//! `engine` runs it with the crate rten (cargo feature `onnx`).

mod classifier;
mod engine;
mod interface;
mod preparation;
mod scores;
mod settings;

pub use classifier::{OnnxClassifier, is_onnx};
pub use settings::{OnnxSettings, Size};
