//! What a file holds: its tensors by name, and the dictionaries that they are in.

use std::collections::HashSet;

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
    /// Of an ONNX model, with its numbers in another file.
    OnnxOutside,
    /// Of an ONNX model, with not all of its numbers stored, or in a form that kiln does not know.
    Onnx,
}

/// How the names of what PyTorch's batch norms count besides the statistics end; kiln's don't use it.
pub const COUNTER: &str = "num_batches_tracked";

/// How Python reads a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reader {
    /// Whether it is a pickle that `torch.load` does not take.
    pub is_plain_pickle: bool,
    /// Whether it holds objects of classes, which `torch.load` makes only when it is told to.
    pub has_objects: bool,
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
    /// Full names of tensors that are shown as PyTorch has them, but transposed in the file.
    pub transposed: HashSet<String>,
    /// How Python reads the file.
    pub reader: Reader,
    /// Whether modules of PyTorch's quantization are in it, whose weights can't be found.
    pub is_quantized: bool,
}
