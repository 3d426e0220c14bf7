//! An ONNX file that any program wrote: its tensors with their names, shapes and where their numbers are, its operators, and what it
//! takes and gives. Errors are one problem without the file's name.

use std::cell::Cell;

use super::fields::{self, tensor};
use super::ports::{Port, StoredOperator, operator, port};
use super::text::{MAX_NAME_BYTES, text};
use super::wire::{Fields, ReadAt, Span, Value, numbers};

/// Maximum number of fields that are looked at: a network of 8,192 layers has about ten for each.
pub(super) const MAX_FIELDS: usize = 1 << 20;

/// Maximum number of a tensor's dimensions.
const MAX_DIMENSIONS: usize = 16;

/// Maximum length of the metadata's keys and values.
const MAX_TEXT_BYTES: u64 = 16 << 20;

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

/// What a file holds.
#[derive(Debug, Default)]
pub struct Contents {
    /// The program that wrote it.
    pub producer: String,
    /// Keys and values, in the order of the file.
    pub metadata: Vec<(String, String)>,
    /// The tensors of the graph that have names, in the order of the file.
    pub tensors: Vec<StoredTensor>,
    /// The operators of the graph, first to last.
    pub operators: Vec<StoredOperator>,
    /// What the graph takes. Older files list tensors there as well.
    pub inputs: Vec<Port>,
    /// What the graph gives.
    pub outputs: Vec<Port>,
}

impl Contents {
    /// Whether no tensor has its numbers in another file.
    pub fn is_complete(&self) -> bool {
        let mut numbers = self.tensors.iter().map(|tensor| &tensor.numbers);
        numbers.all(|numbers| *numbers != Numbers::External)
    }
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

/// Finds the tensors of a file of `length` bytes. Reads descriptions only; numbers are passed over, unless their form differs
/// from that in memory.
pub fn read(read_at: ReadAt, length: u64) -> Result<Contents, String> {
    let left = Cell::new(MAX_FIELDS);
    let whole = Span { start: 0, length };
    let mut fields = Fields::new(read_at, whole, &left);
    let mut contents = Contents::default();
    let mut has_graph = false;
    while let Some((field, value)) = fields.next()? {
        match (field, value) {
            (fields::model::PRODUCER_NAME, Value::Bytes(span)) => {
                contents.producer = text(&fields, span, MAX_NAME_BYTES)?;
            }
            (fields::model::METADATA, Value::Bytes(span)) => {
                contents.metadata.push(entry(fields.inside(span))?);
            }
            (fields::model::GRAPH, Value::Bytes(span)) => {
                has_graph = true;
                read_graph(fields.inside(span), &mut contents)?;
            }
            _ => {}
        }
    }
    if has_graph {
        Ok(contents)
    } else {
        Err("it has no graph".into())
    }
}

/// Key and value of an entry of the metadata.
fn entry(mut fields: Fields) -> Result<(String, String), String> {
    let (mut key, mut content) = (String::new(), String::new());
    while let Some((field, value)) = fields.next()? {
        match (field, value) {
            (fields::entry::KEY, Value::Bytes(span)) => key = text(&fields, span, MAX_NAME_BYTES)?,
            (fields::entry::VALUE, Value::Bytes(span)) => {
                content = text(&fields, span, MAX_TEXT_BYTES)?;
            }
            _ => {}
        }
    }
    Ok((key, content))
}

fn read_graph(mut graph: Fields, contents: &mut Contents) -> Result<(), String> {
    while let Some((field, value)) = graph.next()? {
        match (field, value) {
            (fields::graph::OPERATORS, Value::Bytes(span)) => {
                contents.operators.push(operator(graph.inside(span))?);
            }
            (fields::graph::INPUTS, Value::Bytes(span)) => {
                contents.inputs.push(port(graph.inside(span))?);
            }
            (fields::graph::OUTPUTS, Value::Bytes(span)) => {
                contents.outputs.push(port(graph.inside(span))?);
            }
            (fields::graph::TENSORS, Value::Bytes(span)) => {
                let tensor = read_tensor(graph.inside(span))?;
                let has_name = !tensor.name.is_empty();
                contents.tensors.extend(has_name.then_some(tensor));
            }
            (fields::graph::SPARSE_TENSORS, Value::Bytes(span)) => {
                let mut sparse = graph.inside(span);
                while let Some((field, value)) = sparse.next()? {
                    if let (fields::sparse_tensor::VALUES, Value::Bytes(span)) = (field, value) {
                        let values = read_tensor(sparse.inside(span))?;
                        contents.tensors.push(StoredTensor {
                            numbers: Numbers::Sparse,
                            ..values
                        });
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
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

fn read_tensor(mut fields: Fields) -> Result<StoredTensor, String> {
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
