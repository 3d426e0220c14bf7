//! A model as an ONNX file. Tensors are written one by one, so that a file of a gigabyte needs no second gigabyte of memory.

use std::io::{self, Write};

use super::fields::{self, attribute, operator, tensor, tensor_type, value};
use super::graph::{Attribute, Dimension, Graph, Model, Operator, Tensor, ValueInfo};
use super::wire::Message;

/// The version of the file format that belongs to [`OPERATOR_SET`] (onnx/docs/Versioning.md).
const IR_VERSION: u64 = 8;

/// The version of ONNX's operators that files use: the first with layer normalization, understood by every runtime since 2022.
const OPERATOR_SET: u64 = 17;

/// The producer of files that kiln writes.
pub const PRODUCER: &str = "kiln";

/// Maximum length of a file: a protocol buffer may not be longer.
const MAX_BYTES: usize = i32::MAX as usize;

/// Looks up the bytes of a tensor that has none, by its name.
pub type TensorBytes<'a> = &'a dyn Fn(&str) -> io::Result<Vec<u8>>;

/// Writes a model. The bytes of tensors without any come from `bytes_of`.
///
/// # Errors
/// `out` or `bytes_of` fails, a tensor's bytes don't have the length of its shape, or the file would have more than 2 GiB.
pub fn write(model: &Model, bytes_of: TensorBytes, out: &mut impl Write) -> io::Result<()> {
    let graph = encoded_graph(&model.graph);
    let tensors: Vec<(&Tensor, Message, usize)> = model
        .graph
        .tensors
        .iter()
        .map(|tensor| {
            let length = tensor.byte_length().ok_or_else(|| too_long("it"))?;
            Ok((tensor, tensor_start(tensor, length), length))
        })
        .collect::<io::Result<_>>()?;
    let length = tensors
        .iter()
        .try_fold(graph.len(), |sum, (_, start, length)| {
            sum.checked_add(start.len())?.checked_add(*length)
        });
    let head = encoded_head(model);
    let length = length
        .filter(|length| length.saturating_add(head.len()) <= MAX_BYTES)
        .ok_or_else(|| too_long("the file"))?;
    out.write_all(head.as_bytes())?;
    let mut start = Message::default();
    start.start(fields::model::GRAPH, length);
    out.write_all(start.as_bytes())?;
    out.write_all(graph.as_bytes())?;
    for (tensor, start, length) in tensors {
        out.write_all(start.as_bytes())?;
        match &tensor.bytes {
            Some(bytes) => write_values(bytes, length, tensor, out)?,
            None => write_values(&bytes_of(&tensor.name)?, length, tensor, out)?,
        }
    }
    Ok(())
}

fn too_long(what: &str) -> io::Error {
    let problem =
        format!("{what} would be longer than {MAX_BYTES} bytes, the maximum of the format");
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

fn write_values(
    bytes: &[u8],
    length: usize,
    tensor: &Tensor,
    out: &mut impl Write,
) -> io::Result<()> {
    if bytes.len() != length {
        let (name, found) = (&tensor.name, bytes.len());
        let problem = format!("{name} has {found} bytes instead of {length}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
    }
    out.write_all(bytes)
}

/// Everything but the graph.
fn encoded_head(model: &Model) -> Message {
    let mut head = Message::default();
    head.number(fields::model::IR_VERSION, IR_VERSION);
    head.text(fields::model::PRODUCER_NAME, &model.producer.0);
    head.text(fields::model::PRODUCER_VERSION, &model.producer.1);
    head.text(fields::model::DOC, &model.doc);
    let mut operators = Message::default();
    operators.number(fields::operator_set::VERSION, OPERATOR_SET);
    head.message(fields::model::OPERATOR_SETS, &operators);
    for (key, value) in &model.metadata {
        let mut entry = Message::default();
        entry.text(fields::entry::KEY, key);
        entry.text(fields::entry::VALUE, value);
        head.message(fields::model::METADATA, &entry);
    }
    head
}

/// A graph without its tensors.
fn encoded_graph(graph: &Graph) -> Message {
    let mut message = Message::default();
    for operator in &graph.operators {
        message.message(fields::graph::OPERATORS, &encoded_operator(operator));
    }
    message.text(fields::graph::NAME, &graph.name);
    for input in &graph.inputs {
        message.message(fields::graph::INPUTS, &encoded_value(input));
    }
    for output in &graph.outputs {
        message.message(fields::graph::OUTPUTS, &encoded_value(output));
    }
    message
}

fn encoded_operator(node: &Operator) -> Message {
    let mut message = Message::default();
    for input in &node.inputs {
        message.text(operator::INPUTS, input);
    }
    for output in &node.outputs {
        message.text(operator::OUTPUTS, output);
    }
    message.text(operator::NAME, &node.name);
    message.text(operator::KIND, node.kind);
    for (name, value) in &node.attributes {
        message.message(operator::ATTRIBUTES, &encoded_attribute(name, value));
    }
    message
}

fn encoded_attribute(name: &str, value: &Attribute) -> Message {
    let mut message = Message::default();
    message.text(attribute::NAME, name);
    let kind = match value {
        Attribute::Integer(value) => {
            message.integer(attribute::INTEGER, *value);
            attribute::kind::INTEGER
        }
        Attribute::Integers(values) => {
            for value in values {
                message.integer(attribute::INTEGERS, *value);
            }
            attribute::kind::INTEGERS
        }
        Attribute::Float(value) => {
            message.float(attribute::FLOAT, *value);
            attribute::kind::FLOAT
        }
        Attribute::Text(value) => {
            message.text(attribute::TEXT, value);
            attribute::kind::TEXT
        }
    };
    message.number(attribute::KIND, kind);
    message
}

fn encoded_value(info: &ValueInfo) -> Message {
    let mut shape = Message::default();
    for dimension in &info.dimensions {
        let mut side = Message::default();
        match dimension {
            Dimension::Size(size) => side.number(tensor_type::SIZE, *size as u64),
            Dimension::Symbol(name) => side.text(tensor_type::SYMBOL, name),
        }
        shape.message(tensor_type::DIMENSIONS_OF_SHAPE, &side);
    }
    let mut of_tensor = Message::default();
    of_tensor.number(tensor_type::ELEMENTS, info.elements as u64);
    of_tensor.message(tensor_type::SHAPE, &shape);
    let mut kind = Message::default();
    kind.message(tensor_type::IN_TYPE, &of_tensor);
    let mut message = Message::default();
    message.text(value::NAME, &info.name);
    message.message(value::TYPE, &kind);
    message
}

/// The start of a graph's field with a tensor, up to its numbers, `length` bytes.
fn tensor_start(constant: &Tensor, length: usize) -> Message {
    let mut about = Message::default();
    for &side in &constant.dimensions {
        about.number(tensor::DIMENSIONS, side as u64);
    }
    about.number(tensor::ELEMENTS, constant.elements as u64);
    about.text(tensor::NAME, &constant.name);
    about.start(tensor::RAW_BYTES, length);
    let mut start = Message::default();
    start.start(fields::graph::TENSORS, about.len().saturating_add(length));
    start.append(&about);
    start
}
