//! Attributes that a file leaves at their defaults, written out for readers that expect them.

use std::cell::Cell;
use std::io;

use super::fields::{attribute, graph, model, operator};
use super::read::MAX_FIELDS;
use super::wire::{Fields, Message, ReadAt, Span, Value};

/// Attributes of a two-dimensional convolution with their defaults. `kernel_shape` is that of the weights by default.
const DEFAULTS: [(&str, &[i64]); 3] = [
    ("dilations", &[1, 1]),
    ("strides", &[1, 1]),
    ("pads", &[0, 0, 0, 0]),
];

/// An attribute and its values.
type Integers = (&'static str, &'static [i64]);

/// The bytes of a model whose convolutions all have strides, dilations and pads, which the crate rten expects where `kernel_shape` is
/// missing. Bytes that are not those of a model stay as they are.
pub fn with_convolution_defaults(bytes: Vec<u8>) -> Vec<u8> {
    // Whoever reads broken bytes next says what is wrong with them.
    let changed = completed(&bytes).ok().flatten();
    changed.unwrap_or(bytes)
}

/// The changed bytes; `None` if nothing is missing.
fn completed(bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let read_at = |start: u64, count: u64| {
        let part = part(bytes, start, start.saturating_add(count));
        let part = part.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        Ok(part.to_vec())
    };
    let file = File {
        bytes,
        read_at: &read_at,
        left: Cell::new(MAX_FIELDS),
    };
    let whole = Span {
        start: 0,
        length: bytes.len() as u64,
    };
    file.replaced(whole, model::GRAPH, |graph| {
        file.replaced(graph, graph::OPERATORS, |node| file.completed_node(node))
    })
}

fn part(bytes: &[u8], start: u64, end: u64) -> Option<&[u8]> {
    bytes.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
}

/// A file in memory.
struct File<'a> {
    bytes: &'a [u8],
    read_at: ReadAt<'a>,
    left: Cell<usize>,
}

impl File<'_> {
    fn fields(&self, message: Span) -> Fields<'_> {
        Fields::new(self.read_at, message, &self.left)
    }

    fn part(&self, start: u64, end: u64) -> &[u8] {
        part(self.bytes, start, end).unwrap_or_default()
    }

    /// A message with some of its fields of one number replaced; `None` if none is.
    fn replaced(
        &self,
        message: Span,
        number: u32,
        replacement: impl Fn(Span) -> Result<Option<Vec<u8>>, String>,
    ) -> Result<Option<Vec<u8>>, String> {
        let mut fields = self.fields(message);
        let mut out = Vec::new();
        let (mut copied, mut start) = (message.start, message.start);
        while let Some((found, value)) = fields.next()? {
            if let (true, Value::Bytes(content)) = (found == number, value)
                && let Some(content) = replacement(content)?
            {
                out.extend_from_slice(self.part(copied, start));
                let mut field = Message::default();
                field.bytes(number, &content);
                out.extend_from_slice(field.as_bytes());
                copied = fields.position();
            }
            start = fields.position();
        }
        if copied == message.start {
            return Ok(None);
        }
        out.extend_from_slice(self.part(copied, start));
        Ok(Some(out))
    }

    /// A convolution with the attributes that it lacks; `None` if it lacks none, and for other operators.
    fn completed_node(&self, node: Span) -> Result<Option<Vec<u8>>, String> {
        let missing = self.missing(node)?;
        if missing.is_empty() {
            return Ok(None);
        }
        let mut added = Message::default();
        for integers in missing {
            added.message(operator::ATTRIBUTES, &attribute_of(integers));
        }
        let own = self.part(node.start, node.start + node.length);
        Ok(Some([own, added.as_bytes()].concat()))
    }

    /// The attributes that a convolution lacks.
    fn missing(&self, node: Span) -> Result<Vec<Integers>, String> {
        let mut fields = self.fields(node);
        let (mut is_convolution, mut names) = (false, Vec::new());
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (operator::KIND, Value::Bytes(kind)) => {
                    is_convolution = fields.bytes(kind)? == b"Conv";
                }
                (operator::ATTRIBUTES, Value::Bytes(attribute)) => {
                    names.extend(self.name_of(attribute)?);
                }
                _ => {}
            }
        }
        let has = |name: &str| names.iter().any(|own| own == name.as_bytes());
        if !is_convolution || has("kernel_shape") {
            return Ok(Vec::new());
        }
        // `auto_pad` takes the place of `pads`.
        let is_missing = |(name, _): &Integers| !(has(name) || *name == "pads" && has("auto_pad"));
        Ok(DEFAULTS.into_iter().filter(is_missing).collect())
    }

    fn name_of(&self, attribute: Span) -> Result<Option<Vec<u8>>, String> {
        let mut fields = self.fields(attribute);
        while let Some((number, value)) = fields.next()? {
            if let (attribute::NAME, Value::Bytes(name)) = (number, value) {
                return fields.bytes(name).map(Some);
            }
        }
        Ok(None)
    }
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
