//! Numbers of the fields of ONNX's messages (onnx.proto), one module for each message.

pub mod model {
    pub const IR_VERSION: u32 = 1;
    pub const PRODUCER_NAME: u32 = 2;
    pub const PRODUCER_VERSION: u32 = 3;
    pub const DOC: u32 = 6;
    pub const GRAPH: u32 = 7;
    pub const OPERATOR_SETS: u32 = 8;
    pub const METADATA: u32 = 14;
}

pub mod operator_set {
    pub const VERSION: u32 = 2;
}

/// A tensor of which only some values are stored: the first field is a tensor with them, whose name is that of the whole.
pub mod sparse_tensor {
    pub const VALUES: u32 = 1;
}

/// An entry of the metadata.
pub mod entry {
    pub const KEY: u32 = 1;
    pub const VALUE: u32 = 2;
}

pub mod graph {
    pub const OPERATORS: u32 = 1;
    pub const NAME: u32 = 2;
    pub const TENSORS: u32 = 5;
    pub const INPUTS: u32 = 11;
    pub const OUTPUTS: u32 = 12;
    pub const SPARSE_TENSORS: u32 = 15;
}

pub mod operator {
    pub const INPUTS: u32 = 1;
    pub const OUTPUTS: u32 = 2;
    pub const NAME: u32 = 3;
    pub const KIND: u32 = 4;
    pub const ATTRIBUTES: u32 = 5;
    pub const DOMAIN: u32 = 7;
}

pub mod attribute {
    pub const NAME: u32 = 1;
    pub const FLOAT: u32 = 2;
    pub const INTEGER: u32 = 3;
    pub const TEXT: u32 = 4;
    pub const TENSOR: u32 = 5;
    pub const INTEGERS: u32 = 8;
    pub const KIND: u32 = 20;

    /// Values of the field `KIND`.
    pub mod kind {
        pub const FLOAT: u64 = 1;
        pub const INTEGER: u64 = 2;
        pub const TEXT: u64 = 3;
        pub const INTEGERS: u64 = 7;
    }
}

pub mod tensor {
    pub const DIMENSIONS: u32 = 1;
    pub const ELEMENTS: u32 = 2;
    pub const FLOATS: u32 = 4;
    pub const INTEGERS: u32 = 5;
    pub const NAME: u32 = 8;
    pub const RAW_BYTES: u32 = 9;
    pub const DOUBLES: u32 = 10;
    pub const LOCATION: u32 = 14;

    /// Value of `LOCATION`: the numbers are in another file.
    pub const EXTERNAL: u64 = 1;
}

pub mod value {
    pub const NAME: u32 = 1;
    pub const TYPE: u32 = 2;
}

/// The type of a value that is a tensor: the only field of a `TypeProto` that kiln uses, and its parts.
pub mod tensor_type {
    pub const IN_TYPE: u32 = 1;
    pub const ELEMENTS: u32 = 1;
    pub const SHAPE: u32 = 2;
    pub const DIMENSIONS_OF_SHAPE: u32 = 1;
    pub const SIZE: u32 = 1;
    pub const SYMBOL: u32 = 2;
}
