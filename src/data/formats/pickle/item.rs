//! The values of a pickle.

use std::borrow::Cow;

use crate::data::formats::numbers::ByteOrder;

/// Where a value is in the list of all.
pub type Id = usize;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Item<'a> {
    /// None, a boolean, a number with a fraction: nothing that an image needs.
    Other,
    /// A whole number.
    Integer(i64),
    /// Bytes or a text.
    Bytes(Cow<'a, [u8]>),
    /// A list or a tuple.
    List(Vec<Id>),
    /// A dictionary: keys and values.
    Dict(Vec<(Id, Id)>),
    /// Something with a name, such as a function.
    Global(String),
    /// The type of an array's values: a letter and a width, such as `u1`.
    Dtype {
        /// The letter and the width.
        code: String,
        /// The order of the bytes of a value.
        order: ByteOrder,
    },
    /// An array, after its state is known.
    Array(Option<Stored>),
}

/// The parts of an array.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// A list of lengths.
    pub shape: Id,
    /// The type of the values.
    pub dtype: Id,
    /// Whether the first index varies fastest.
    pub is_fortran: bool,
    /// The values.
    pub bytes: Id,
}
