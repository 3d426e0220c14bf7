//! Attributes that a file leaves at their defaults, written out for readers that expect them.

use super::fields::{attribute, graph, model, operator};
use super::wire::{Message, number_at};

/// Attributes of a two-dimensional convolution with their defaults. `kernel_shape` is that of the weights by default.
const DEFAULTS: [(&str, &[i64]); 3] = [
    ("dilations", &[1, 1]),
    ("strides", &[1, 1]),
    ("pads", &[0, 0, 0, 0]),
];

/// An attribute and its values.
type Integers = (&'static str, &'static [i64]);

/// Fields of a message: their numbers, their encodings, and their contents if they are bytes.
type Field<'a> = (u32, &'a [u8], Option<&'a [u8]>);

/// The bytes of a model whose convolutions all have strides, dilations and pads, which the crate rten expects where `kernel_shape` is
/// missing; `None` if nothing is missing, or if these are not the bytes of a model.
pub fn with_convolution_defaults(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut is_changed = false;
    let mut whole = Vec::with_capacity(bytes.len());
    for (number, encoded, content) in fields(bytes)? {
        match content.filter(|_| number == model::GRAPH) {
            Some(content) => {
                let mut inside = Vec::with_capacity(content.len());
                is_changed |= copy_graph(content, &mut inside)?;
                put(&mut whole, number, &inside);
            }
            None => whole.extend_from_slice(encoded),
        }
    }
    is_changed.then_some(whole)
}

fn copy_graph(bytes: &[u8], out: &mut Vec<u8>) -> Option<bool> {
    let mut is_changed = false;
    for (number, encoded, content) in fields(bytes)? {
        let missing = match content.filter(|_| number == graph::OPERATORS) {
            Some(content) => missing(content)?,
            None => Vec::new(),
        };
        match content.filter(|_| !missing.is_empty()) {
            Some(content) => {
                let mut node = content.to_vec();
                for integers in missing {
                    put(
                        &mut node,
                        operator::ATTRIBUTES,
                        attribute_of(integers).as_bytes(),
                    );
                }
                put(out, number, &node);
                is_changed = true;
            }
            None => out.extend_from_slice(encoded),
        }
    }
    Some(is_changed)
}

/// The attributes that a convolution lacks.
fn missing(node: &[u8]) -> Option<Vec<Integers>> {
    let fields = fields(node)?;
    let is_convolution = fields
        .iter()
        .any(|field| field.0 == operator::KIND && field.2 == Some(b"Conv"));
    if !is_convolution {
        return Some(Vec::new());
    }
    let mut names = Vec::new();
    for (number, _, content) in &fields {
        if let Some(content) = content.filter(|_| *number == operator::ATTRIBUTES) {
            let name = self::fields(content)?;
            names.extend(name.iter().find(|field| field.0 == attribute::NAME)?.2);
        }
    }
    let has = |name: &str| names.contains(&name.as_bytes());
    if has("kernel_shape") {
        return Some(Vec::new());
    }
    // `auto_pad` takes the place of `pads`.
    let is_missing = |(name, _): &Integers| !(has(name) || *name == "pads" && has("auto_pad"));
    Some(DEFAULTS.into_iter().filter(is_missing).collect())
}

/// An attribute as a message.
fn attribute_of((name, values): Integers) -> Message {
    let mut message = Message::default();
    message.text(attribute::NAME, name);
    for &value in values {
        message.integer(attribute::INTEGERS, value);
    }
    message.number(attribute::KIND, attribute::kind::INTEGERS);
    message
}

fn put(out: &mut Vec<u8>, field: u32, content: &[u8]) {
    let mut message = Message::default();
    message.bytes(field, content);
    out.extend_from_slice(message.as_bytes());
}

/// The fields of a message; `None` if the bytes are not one.
fn fields(mut bytes: &[u8]) -> Option<Vec<Field<'_>>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let (tag, start) = number_at(bytes)?;
        // The encodings: a number of variable length, eight bytes, bytes with their length, four bytes.
        let (end, content) = match tag & 7 {
            0 => (start + number_at(bytes.get(start..)?)?.1, None),
            1 => (start.checked_add(8)?, None),
            2 => {
                let (length, size) = number_at(bytes.get(start..)?)?;
                let from = start + size;
                let to = from.checked_add(usize::try_from(length).ok()?)?;
                (to, Some(bytes.get(from..to)?))
            }
            5 => (start.checked_add(4)?, None),
            _ => return None,
        };
        fields.push((u32::try_from(tag >> 3).ok()?, bytes.get(..end)?, content));
        bytes = &bytes[end..];
    }
    Some(fields)
}
