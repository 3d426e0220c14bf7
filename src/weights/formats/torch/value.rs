//! What a pickle describes: values that refer to each other, none of which is executed.

use std::sync::Arc;

use burn::tensor::DType;

use super::limits::{MAX_INSTRUCTIONS, too_long};
use crate::weights::formats::saved::Unreadable;

/// The place of a value.
pub type Id = u32;

/// A value of a pickle.
#[derive(Debug)]
pub enum Value {
    /// None, numbers with a fraction, and others that don't matter.
    Plain,
    Bool(bool),
    Integer(i64),
    /// A number of more than 64 bits, little-endian.
    Long(Vec<u8>),
    Text(String),
    Bytes(Arc<[u8]>),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    /// Keys and values in the order in which they were added.
    Dict(Vec<(Id, Id)>),
    /// The full name of a class or function.
    Global(String),
    Object(Box<Object>),
    Storage(Box<Storage>),
    Tensor(Box<View>),
    Unreadable(Unreadable),
}

/// An object of a class that is not looked at.
#[derive(Debug, Default)]
pub struct Object {
    /// Its attributes: a dictionary, or several in a tuple.
    pub state: Option<Id>,
    /// What it holds if its class is a kind of dictionary.
    pub items: Vec<(Id, Id)>,
}

/// A piece of memory that tensors lie in.
#[derive(Debug, Clone)]
pub struct Storage {
    pub place: Place,
    pub element: Element,
    /// Number of elements.
    pub count: usize,
    /// Elements that a view of it leaves out at the start.
    pub skipped: usize,
}

/// Where a storage's bytes are.
#[derive(Debug, Clone)]
pub enum Place {
    /// In the file, under this name.
    Key(String),
    /// In a file that stands inside the pickle.
    Packed(Arc<[u8]>),
}

/// The type of a storage's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    Known(DType),
    /// Bytes; the tensor says what they mean.
    Untyped,
    /// A type that kiln does not read, and its size in bytes.
    Unreadable(Unreadable, usize),
}

impl Element {
    /// Size in bytes.
    pub fn size(self) -> usize {
        match self {
            Element::Known(dtype) => dtype.size(),
            Element::Untyped => 1,
            Element::Unreadable(_, size) => size,
        }
    }
}

/// A tensor in a storage.
#[derive(Debug)]
pub struct View {
    /// A value that is a storage.
    pub storage: Id,
    /// The type of its numbers, where that is not the storage's.
    pub element: Option<Element>,
    /// Elements of the storage before the first one.
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

/// All values of the pickles in a file.
#[derive(Debug, Default)]
pub struct Values {
    values: Vec<Value>,
    instructions: usize,
}

impl Values {
    /// Counts an instruction, up to the limit.
    pub fn count_instruction(&mut self) -> Result<(), String> {
        self.instructions += 1;
        if self.instructions > MAX_INSTRUCTIONS {
            return Err(too_long());
        }
        Ok(())
    }

    pub fn add(&mut self, value: Value) -> Id {
        self.values.push(value);
        (self.values.len() - 1) as Id
    }

    pub fn get(&self, id: Id) -> &Value {
        self.values.get(id as usize).unwrap_or(&Value::Plain)
    }

    pub fn get_mut(&mut self, id: Id) -> Option<&mut Value> {
        self.values.get_mut(id as usize)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Value> {
        self.values.iter()
    }

    /// The items of a tuple or a list.
    pub fn items(&self, id: Id) -> Option<&[Id]> {
        match self.get(id) {
            Value::Tuple(items) | Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// A whole number of 0 or more.
    pub fn size(&self, id: Id) -> Option<usize> {
        match self.get(id) {
            Value::Integer(number) => usize::try_from(*number).ok(),
            _ => None,
        }
    }

    /// A text, or a number as text: PyTorch uses both for the names of storages.
    pub fn text(&self, id: Id) -> Option<String> {
        match self.get(id) {
            Value::Text(text) => Some(text.clone()),
            Value::Integer(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// The full name of a class or function.
    pub fn global(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Value::Global(name) => Some(name),
            _ => None,
        }
    }

    /// The value of a dictionary for a text.
    pub fn entry(&self, dict: Id, key: &str) -> Option<Id> {
        let Value::Dict(items) = self.get(dict) else {
            return None;
        };
        let mut found = items
            .iter()
            .rev()
            .filter(|(name, _)| matches!(self.get(*name), Value::Text(name) if name == key));
        found.next().map(|&(_, value)| value)
    }
}
