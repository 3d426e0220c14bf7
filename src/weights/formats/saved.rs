//! What a file holds: its tensors by name, and the dictionaries that they are in.

use super::tensor::FileTensor;

/// A tensor of a file, or why there are no numbers to read.
#[derive(Debug, Clone)]
pub enum Stored {
    Tensor(FileTensor),
    /// A tensor of a kind that kiln does not read.
    Unreadable(Unreadable),
}

/// Kinds of tensors that a file can hold and kiln can't read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    Sparse,
    Quantized,
    Nested,
    /// On PyTorch's `meta` device.
    WithoutValues,
    Complex,
    Float8,
    Numpy,
    /// A subclass that rebuilds itself.
    Subclass,
    /// Of an ONNX model, with its numbers in another file, not all of them stored, or in another form.
    Onnx,
}

/// The tensors of a file.
#[derive(Debug, Default)]
pub struct Saved {
    /// Full names of the dictionaries and modules that hold tensors; the empty name is the whole file.
    pub dictionaries: Vec<String>,
    /// Full names and tensors.
    pub tensors: Vec<(String, Stored)>,
    /// Whether the tensors are in the order in which the network's layers were defined.
    pub in_order: bool,
}
