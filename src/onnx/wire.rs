//! The encoding of protocol buffers: fields with a number and one of several forms.

use std::cell::Cell;
use std::io;

/// The form of a field: a number of variable length, 64 bits, a length and bytes, or 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Form {
    Number = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}

/// Bits of a byte of a number of variable length that belong to the number; the eighth says that more bytes follow.
const BITS: u32 = 7;
const MORE: u8 = 1 << BITS;

/// Bits of a field's tag that tell its form; the others are its number.
const FORM_BITS: u32 = 3;

/// A message that is being written: its fields, encoded.
#[derive(Debug, Clone, Default)]
pub struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// A field with a number that is not negative.
    pub fn number(&mut self, field: u32, value: u64) {
        self.tag(field, Form::Number);
        push_number(&mut self.bytes, value);
    }

    /// A field with a number; negative ones take ten bytes, as their 64 bits.
    pub fn integer(&mut self, field: u32, value: i64) {
        self.number(field, value as u64);
    }

    /// A field with a 32-bit float.
    pub fn float(&mut self, field: u32, value: f32) {
        self.tag(field, Form::Fixed32);
        self.bytes.extend(value.to_le_bytes());
    }

    /// A field with a text.
    pub fn text(&mut self, field: u32, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    /// A field with bytes.
    pub fn bytes(&mut self, field: u32, bytes: &[u8]) {
        self.start(field, bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    /// A field with a message.
    pub fn message(&mut self, field: u32, message: &Message) {
        self.bytes(field, &message.bytes);
    }

    /// The start of a field with this many bytes, which follow elsewhere.
    pub fn start(&mut self, field: u32, length: usize) {
        self.tag(field, Form::Bytes);
        push_number(&mut self.bytes, length as u64);
    }

    /// The fields of another message, after its own.
    pub fn append(&mut self, other: &Message) {
        self.bytes.extend_from_slice(&other.bytes);
    }

    fn tag(&mut self, field: u32, form: Form) {
        push_number(&mut self.bytes, u64::from(field) << FORM_BITS | form as u64);
    }

    /// The encoded fields.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Length of the encoded fields.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }
}

fn push_number(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= u64::from(MORE) {
        bytes.push(value as u8 | MORE);
        value >>= BITS;
    }
    bytes.push(value as u8);
}

/// Maximum length of a number of variable length.
const MAX_NUMBER_BYTES: usize = 10;

/// A number of variable length at the start of `bytes`, and its length; `None` if there is none.
pub fn number_at(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut number = 0;
    for (index, byte) in bytes.iter().take(MAX_NUMBER_BYTES).enumerate() {
        number |= u64::from(byte & !MORE) << (BITS * index as u32);
        if byte & MORE == 0 {
            return Some((number, index + 1));
        }
    }
    None
}

/// All numbers of variable length in `bytes`; `None` if they don't end with one.
pub fn numbers(mut bytes: &[u8]) -> Option<Vec<u64>> {
    let mut numbers = Vec::new();
    while !bytes.is_empty() {
        let (number, length) = number_at(bytes)?;
        numbers.push(number);
        bytes = &bytes[length..];
    }
    Some(numbers)
}

/// Where bytes come from: `count` bytes from `start` on, or an error if there are fewer.
pub type ReadAt<'a> = &'a dyn Fn(u64, u64) -> io::Result<Vec<u8>>;

/// A part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first byte.
    pub start: u64,
    /// Its length in bytes.
    pub length: u64,
}

/// The content of a field that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Number(u64),
    /// 64 bits.
    Fixed64(Span),
    /// Text, bytes or a message, which has not been read.
    Bytes(Span),
    /// 32 bits.
    Fixed32(Span),
}

/// The fields of a message, one after another, read when they are asked for. Bytes are passed over.
pub struct Fields<'a> {
    read_at: ReadAt<'a>,
    at: u64,
    end: u64,
    /// How many more fields of all messages of the file may be read.
    left: &'a Cell<usize>,
}

impl<'a> Fields<'a> {
    /// Of a message.
    pub fn new(read_at: ReadAt<'a>, message: Span, left: &'a Cell<usize>) -> Self {
        Self {
            read_at,
            at: message.start,
            end: message.start.saturating_add(message.length),
            left,
        }
    }

    /// Of a message in a field of this one.
    pub fn inside(&self, message: Span) -> Fields<'a> {
        Fields::new(self.read_at, message, self.left)
    }

    /// The bytes of a field.
    pub fn bytes(&self, span: Span) -> Result<Vec<u8>, String> {
        (self.read_at)(span.start, span.length).map_err(|error| error.to_string())
    }

    /// Where the next field begins.
    pub fn position(&self) -> u64 {
        self.at
    }

    /// The next field's number and content.
    pub fn next(&mut self) -> Result<Option<(u32, Value)>, String> {
        if self.at >= self.end {
            return Ok(None);
        }
        let left = self
            .left
            .get()
            .checked_sub(1)
            .ok_or("it has too many fields")?;
        self.left.set(left);
        let count = (self.end - self.at).min(2 * MAX_NUMBER_BYTES as u64);
        let span = Span {
            start: self.at,
            length: count,
        };
        let head = self.bytes(span)?;
        let at = self.at;
        let broken = || format!("it is damaged: there is no field at byte {at}");
        let cut = || format!("it is cut short or damaged: the field at byte {at} has no end");
        let (tag, length) = number_at(&head).ok_or_else(broken)?;
        let field = u32::try_from(tag >> FORM_BITS).map_err(|_| broken())?;
        let start = self.at + length as u64;
        let span = |start: u64, length: u64| {
            let end = start.checked_add(length);
            let fits = end.is_some_and(|end| end <= self.end);
            fits.then_some(Span { start, length }).ok_or_else(cut)
        };
        let number = || number_at(&head[length..]).ok_or_else(cut);
        let form = (tag & ((1 << FORM_BITS) - 1)) as u8;
        let (value, end) = match form {
            form if form == Form::Number as u8 => {
                let (value, taken) = number()?;
                (Value::Number(value), start + taken as u64)
            }
            form if form == Form::Fixed64 as u8 => (Value::Fixed64(span(start, 8)?), start + 8),
            form if form == Form::Fixed32 as u8 => (Value::Fixed32(span(start, 4)?), start + 4),
            form if form == Form::Bytes as u8 => {
                let (bytes, taken) = number()?;
                let span = span(start + taken as u64, bytes)?;
                (Value::Bytes(span), span.start + span.length)
            }
            _ => return Err(broken()),
        };
        if end > self.end {
            return Err(cut());
        }
        self.at = end;
        Ok(Some((field, value)))
    }
}
