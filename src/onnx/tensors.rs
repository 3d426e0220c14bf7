//! The tensors of an ONNX file that any program wrote.

use super::fields::tensor;
use super::text::{MAX_NAME_BYTES, text};
use super::wire::{Fields, Span, Value, numbers};

/// Maximum number of a tensor's dimensions.
const MAX_DIMENSIONS: usize = 16;

/// Maximum number of bytes of numbers that are not stored as they are in memory. Files of programs in use have none.
const MAX_UNPACKED_BYTES: u64 = 64 << 20;

/// Types of numbers (`TensorProto.DataType`).
pub mod number_type {
    #![allow(missing_docs)] // The names are the types.
    pub const FLOAT: u64 = 1;
    pub const UINT8: u64 = 2;
    pub const INT8: u64 = 3;
    pub const UINT16: u64 = 4;
    pub const INT16: u64 = 5;
    pub const INT32: u64 = 6;
    pub const INT64: u64 = 7;
    pub const TEXT: u64 = 8;
    pub const BOOL: u64 = 9;
    pub const FLOAT16: u64 = 10;
    pub const DOUBLE: u64 = 11;
    pub const UINT32: u64 = 12;
    pub const UINT64: u64 = 13;
    pub const BFLOAT16: u64 = 16;
}

/// A tensor of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTensor {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// The type of its numbers, one of [`number_type`] or a later one.
    pub elements: u64,
    /// Its numbers.
    pub numbers: Numbers,
}

/// Where the numbers of a tensor are: row by row, little-endian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Numbers {
    /// In the file.
    Stored(Span),
    /// Here: in the file they have another form.
    Unpacked(Vec<u8>),
    /// In another file.
    External,
    /// Only some are stored.
    Sparse,
}

/// What has been found of a tensor's numbers.
#[derive(Default)]
struct Found {
    /// As they are in memory, in pieces.
    stored: Vec<Span>,
    /// As numbers of variable length.
    integers: Vec<u64>,
    is_external: bool,
}

/// The tensor in a field.
pub fn read_tensor(mut fields: Fields) -> Result<StoredTensor, String> {
    let (mut name, mut shape, mut elements) = (String::new(), Vec::new(), 0);
    let mut found = Found::default();
    while let Some((field, value)) = fields.next()? {
        match (field, value) {
            (tensor::NAME, Value::Bytes(span)) => name = text(&fields, span, MAX_NAME_BYTES)?,
            (tensor::ELEMENTS, Value::Number(value)) => elements = value,
            (tensor::LOCATION, Value::Number(value)) => {
                found.is_external = value == tensor::EXTERNAL;
            }
            (tensor::DIMENSIONS, Value::Number(value)) => shape.push(value),
            (tensor::DIMENSIONS, Value::Bytes(span)) => {
                shape.extend(packed(&fields, span, MAX_NAME_BYTES)?);
            }
            (tensor::INTEGERS, Value::Number(value)) => found.integers.push(value),
            (tensor::INTEGERS, Value::Bytes(span)) => {
                let integers = packed(&fields, span, MAX_UNPACKED_BYTES)?;
                found.integers.extend(integers);
            }
            (tensor::RAW_BYTES | tensor::FLOATS | tensor::DOUBLES, Value::Bytes(span))
            | (tensor::FLOATS, Value::Fixed32(span))
            | (tensor::DOUBLES, Value::Fixed64(span)) => found.stored.push(span),
            _ => {}
        }
        if shape.len() > MAX_DIMENSIONS {
            return Err(format!("{name} has more than {MAX_DIMENSIONS} dimensions"));
        }
    }
    let shape = shape.into_iter().map(usize::try_from);
    let shape = shape.collect::<Result<_, _>>();
    let shape = shape.map_err(|_| format!("{name} has a dimension that is too large"))?;
    let numbers =
        joined(&fields, found, elements).map_err(|problem| format!("{name}: {problem}"))?;
    Ok(StoredTensor {
        name,
        shape,
        elements,
        numbers,
    })
}

/// Numbers of variable length in a field.
fn packed(fields: &Fields, span: Span, most: u64) -> Result<Vec<u64>, String> {
    if span.length > most {
        return Err(format!(
            "a list has {} bytes; the maximum is {most}",
            span.length
        ));
    }
    numbers(&fields.bytes(span)?).ok_or_else(|| format!("a broken list at byte {}", span.start))
}

/// The numbers in one place.
fn joined(fields: &Fields, found: Found, elements: u64) -> Result<Numbers, String> {
    if found.is_external {
        return Ok(Numbers::External);
    }
    let half = [number_type::FLOAT16, number_type::BFLOAT16].contains(&elements);
    match found.stored.as_slice() {
        [] if half => {
            // 16 bits each, as integers.
            let bits = found
                .integers
                .into_iter()
                .map(|bits| (bits as u16).to_le_bytes());
            Ok(Numbers::Unpacked(bits.flatten().collect()))
        }
        [] => Ok(Numbers::Unpacked(Vec::new())),
        [span] => Ok(Numbers::Stored(*span)),
        pieces => {
            let length: u64 = pieces.iter().map(|piece| piece.length).sum();
            if length > MAX_UNPACKED_BYTES {
                return Err(format!("its numbers are in {} pieces", pieces.len()));
            }
            let mut bytes = Vec::new();
            for piece in pieces {
                bytes.extend(fields.bytes(*piece)?);
            }
            Ok(Numbers::Unpacked(bytes))
        }
    }
}
