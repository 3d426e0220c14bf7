//! Files of weights, read: which tensors a file has, under which names, and what other files are.

pub mod foreign;
mod onnx;
pub mod read;
mod safetensors;
pub mod saved;
pub mod source;
pub mod tensor;
mod torch;
