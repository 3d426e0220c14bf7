//! ONNX files as data: graphs of operators with their tensors, written and read.
//!
//! An ONNX file is a protocol buffer (<https://protobuf.dev/programming-guides/encoding/>) of the messages in
//! <https://github.com/onnx/onnx/blob/v1.17.0/onnx/onnx.proto>. `wire` knows the encoding, `fields` the numbers of the fields,
//! `graph` the parts that kiln uses, `write` puts them into a file, and `read` finds with `tensors` and `ports` the tensors of
//! any file, and what its graph takes, does and gives.

mod defaults;
mod fields;
mod graph;
mod ports;
mod read;
mod tensors;
mod text;
mod wire;
mod write;

pub use defaults::with_convolution_defaults;
pub use graph::{Attribute, Dimension, Elements, Graph, Model, Operator, Tensor, ValueInfo};
pub use ports::{Port, StoredOperator};
pub use read::{Contents, read};
pub use tensors::{Numbers, StoredTensor, number_type};
pub use wire::{ReadAt, Span};
pub use write::{PRODUCER, TensorBytes, write};
