//! Networks as ONNX graphs.
//!
//! `layers` goes through the layers in order; `functions`, `maps`, `pools` and `sequences` have one function for each kind of
//! layer. Tensors have kiln's names, values between operators the name of their layer and the operator's kind: `features.0/Conv`.

mod builder;
mod functions;
mod graph;
mod layers;
mod maps;
mod pools;
mod sequences;

pub use graph::{GraphOptions, to_model};
