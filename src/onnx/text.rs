//! Strings in the fields of an ONNX file.

use super::wire::{Fields, Span};

/// Maximum length of a name.
pub const MAX_NAME_BYTES: u64 = 4096;

/// A string of at most `most` bytes.
pub fn text(fields: &Fields, span: Span, most: u64) -> Result<String, String> {
    if span.length > most {
        return Err(format!(
            "a string has {} bytes; the maximum is {most}",
            span.length
        ));
    }
    Ok(String::from_utf8_lossy(&fields.bytes(span)?).into_owned())
}
