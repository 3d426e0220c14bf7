//! An ONNX file that any program wrote: its tensors with their names, shapes and where their numbers are, its operators, and what it
//! takes and gives. Errors are one problem without the file's name.

use std::cell::Cell;

use super::fields;
use super::ports::{Port, StoredOperator, operator, port};
use super::tensors::{Numbers, StoredTensor, read_tensor};
use super::text::{MAX_NAME_BYTES, text};
use super::wire::{Fields, ReadAt, Span, Value};

/// Maximum number of fields that are looked at: a network of 8,192 layers has about ten for each.
pub(super) const MAX_FIELDS: usize = 1 << 20;

/// Maximum length of the metadata's keys and values.
const MAX_TEXT_BYTES: u64 = 16 << 20;

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
