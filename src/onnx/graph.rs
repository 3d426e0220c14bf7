//! The parts of an ONNX file.

/// A file: a graph and what is said about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The graph.
    pub graph: Graph,
    /// Name and version of the program that made the file.
    pub producer: (String, String),
    /// What people should know about the file.
    pub doc: String,
    /// Keys and values, in this order.
    pub metadata: Vec<(String, String)>,
}

/// Operators in the order of their execution.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// Its name.
    pub name: String,
    /// First operator first.
    pub operators: Vec<Operator>,
    /// Weights and other constants.
    pub tensors: Vec<Tensor>,
    /// What the graph takes.
    pub inputs: Vec<ValueInfo>,
    /// What the graph gives.
    pub outputs: Vec<ValueInfo>,
}

/// An operator of ONNX's standard set.
#[derive(Debug, Clone, PartialEq)]
pub struct Operator {
    /// Its name, unique in the graph.
    pub name: String,
    /// Its kind: `Conv`.
    pub kind: &'static str,
    /// Names of the values and tensors that it takes.
    pub inputs: Vec<String>,
    /// Names of the values that it gives.
    pub outputs: Vec<String>,
    /// Its settings.
    pub attributes: Vec<(&'static str, Attribute)>,
}

/// The value of an operator's setting.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// An integer.
    Integer(i64),
    /// A list of integers.
    Integers(Vec<i64>),
    /// A float.
    Float(f32),
    /// A text.
    Text(&'static str),
}

/// The type of a tensor's numbers, with its number in ONNX.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Elements {
    /// 32-bit floats.
    Float32 = 1,
    /// Bytes.
    Uint8 = 2,
    /// 64-bit integers.
    Int64 = 7,
}

impl Elements {
    /// Bytes of a number.
    pub fn size(self) -> usize {
        match self {
            Elements::Uint8 => 1,
            Elements::Float32 => 4,
            Elements::Int64 => 8,
        }
    }
}

/// A constant of a graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// Its shape; empty for a single number.
    pub dimensions: Vec<usize>,
    /// The type of its numbers.
    pub elements: Elements,
    /// Its numbers row by row, little-endian; `None` for a tensor whose bytes are asked for by name when they are written.
    pub bytes: Option<Vec<u8>>,
}

impl Tensor {
    /// Length of its numbers in bytes, or `None` if `usize` does not hold it.
    pub fn byte_length(&self) -> Option<usize> {
        let mut sides = self.dimensions.iter();
        sides.try_fold(self.elements.size(), |all, &side| all.checked_mul(side))
    }
}

/// Name and type of what a graph takes or gives.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueInfo {
    /// Its name.
    pub name: String,
    /// The type of its numbers.
    pub elements: Elements,
    /// Its shape.
    pub dimensions: Vec<Dimension>,
}

/// A side of a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// Always the same.
    Size(usize),
    /// Any size, under a name.
    Symbol(&'static str),
}
