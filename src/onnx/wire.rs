//! The encoding of protocol buffers: fields with a number and one of several forms.

/// The form of a field: a number of variable length, a length and bytes, or 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Form {
    Number = 0,
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

    /// The fields of another message, behind its own.
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
