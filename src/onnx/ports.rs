//! The operators of a graph that any program wrote, and what the graph takes and gives.

use super::fields::{self, attribute, tensor_type, value};
use super::tensors::{StoredTensor, read_tensor};
use super::text::{MAX_NAME_BYTES, text};
use super::wire::{Fields, Value};

/// The setting of a `Constant` that is its tensor.
const VALUE: &str = "value";

/// Maximum number of dimensions of what a graph takes or gives.
const MAX_DIMENSIONS: usize = 16;

/// An operator as a file has it, with those of its settings that say what its tensors are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredOperator {
    /// Its kind: `Conv`.
    pub kind: String,
    /// Who defines it; empty for ONNX itself.
    pub domain: String,
    /// Names of the values and tensors that it takes.
    pub inputs: Vec<String>,
    /// Names of the values that it gives.
    pub outputs: Vec<String>,
    /// Its settings that are whole numbers.
    pub integers: Vec<(String, i64)>,
    /// Its setting `value` where that is a tensor: what a `Constant` gives.
    pub value: Option<StoredTensor>,
}

impl StoredOperator {
    /// Whether it is an operator of ONNX itself.
    pub fn is(&self, kind: &str) -> bool {
        self.kind == kind && ["", "ai.onnx"].contains(&self.domain.as_str())
    }

    /// A setting that is a whole number.
    pub fn integer(&self, name: &str) -> Option<i64> {
        let mut settings = self.integers.iter();
        settings
            .find(|(known, _)| known == name)
            .map(|&(_, value)| value)
    }
}

/// What a graph takes or gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// The type of its numbers, one of [`number_type`](super::number_type) or a later one; `None` if it is not a tensor.
    pub elements: Option<u64>,
    /// Its shape, with `None` for a side of any length; `None` if the file does not say.
    pub dimensions: Option<Vec<Option<usize>>>,
}

/// The operator in a field.
pub fn operator(mut fields: Fields) -> Result<StoredOperator, String> {
    let mut operator = StoredOperator::default();
    while let Some((field, content)) = fields.next()? {
        let Value::Bytes(span) = content else {
            continue;
        };
        let name = || text(&fields, span, MAX_NAME_BYTES);
        match field {
            fields::operator::KIND => operator.kind = name()?,
            fields::operator::DOMAIN => operator.domain = name()?,
            fields::operator::INPUTS => operator.inputs.push(name()?),
            fields::operator::OUTPUTS => operator.outputs.push(name()?),
            fields::operator::ATTRIBUTES => attribute(fields.inside(span), &mut operator)?,
            _ => {}
        }
    }
    Ok(operator)
}

/// Adds the setting in a field.
fn attribute(mut fields: Fields, operator: &mut StoredOperator) -> Result<(), String> {
    let (mut name, mut integer, mut value) = (String::new(), None, None);
    while let Some((field, content)) = fields.next()? {
        match (field, content) {
            (attribute::NAME, Value::Bytes(span)) => name = text(&fields, span, MAX_NAME_BYTES)?,
            (attribute::INTEGER, Value::Number(number)) => integer = Some(number as i64),
            (attribute::TENSOR, Value::Bytes(span)) => value = Some(span),
            _ => {}
        }
    }
    if let Some(span) = value.filter(|_| name == VALUE) {
        operator.value = Some(read_tensor(fields.inside(span))?);
    }
    operator
        .integers
        .extend(integer.map(|integer| (name, integer)));
    Ok(())
}

/// The input or output in a field.
pub fn port(mut fields: Fields) -> Result<Port, String> {
    let mut port = Port::default();
    while let Some((field, content)) = fields.next()? {
        match (field, content) {
            (value::NAME, Value::Bytes(span)) => port.name = text(&fields, span, MAX_NAME_BYTES)?,
            (value::TYPE, Value::Bytes(span)) => {
                let mut kind = fields.inside(span);
                while let Some((field, content)) = kind.next()? {
                    if let (tensor_type::IN_TYPE, Value::Bytes(span)) = (field, content) {
                        read_type(kind.inside(span), &mut port)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(port)
}

fn read_type(mut fields: Fields, port: &mut Port) -> Result<(), String> {
    // A tensor, of numbers that are not named yet.
    port.elements.get_or_insert(0);
    while let Some((field, content)) = fields.next()? {
        match (field, content) {
            (tensor_type::ELEMENTS, Value::Number(elements)) => port.elements = Some(elements),
            (tensor_type::SHAPE, Value::Bytes(span)) => {
                let mut shape = fields.inside(span);
                let mut sides = Vec::new();
                while let Some((field, content)) = shape.next()? {
                    if let (tensor_type::DIMENSIONS_OF_SHAPE, Value::Bytes(span)) = (field, content)
                    {
                        sides.push(side(shape.inside(span))?);
                    }
                    if sides.len() > MAX_DIMENSIONS {
                        let name = &port.name;
                        return Err(format!("{name} has more than {MAX_DIMENSIONS} dimensions"));
                    }
                }
                port.dimensions = Some(sides);
            }
            _ => {}
        }
    }
    Ok(())
}

/// A side of a shape. Programs write 0 and -1, too, for one of any length.
fn side(mut fields: Fields) -> Result<Option<usize>, String> {
    let mut size = None;
    while let Some((field, content)) = fields.next()? {
        if let (tensor_type::SIZE, Value::Number(found)) = (field, content) {
            let found = i64::try_from(found).ok();
            size = found.and_then(|found| usize::try_from(found).ok());
        }
    }
    Ok(size.filter(|&size| size > 0))
}
