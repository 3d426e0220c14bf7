//! The bytes of a pickle, read one argument after the other.

use super::limits::{MAX_BYTES, too_long};

/// A pickle, or several in a row.
pub struct Program<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether there are more bytes than these, beyond the limit.
    is_cut: bool,
}

impl<'a> Program<'a> {
    /// The pickles at the start of `bytes`; what lies beyond the limit is not looked at.
    pub fn new(bytes: &'a [u8]) -> Self {
        let limit = MAX_BYTES as usize;
        Self {
            bytes: bytes.get(..limit).unwrap_or(bytes),
            at: 0,
            is_cut: bytes.len() > limit,
        }
    }

    /// Number of bytes read.
    pub fn position(&self) -> usize {
        self.at
    }

    pub fn slice(&mut self, length: u64) -> Result<&'a [u8], String> {
        let end = usize::try_from(length).ok();
        let end = end.and_then(|length| self.at.checked_add(length));
        let part = end.and_then(|end| self.bytes.get(self.at..end));
        match part {
            Some(part) => {
                self.at += part.len();
                Ok(part)
            }
            None => Err(self.end()),
        }
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let part = self.slice(N as u64)?;
        part.try_into().map_err(|_| self.end())
    }

    pub fn byte(&mut self) -> Result<u8, String> {
        Ok(self.array::<1>()?[0])
    }

    /// The text up to the next line feed, which is skipped.
    pub fn line(&mut self) -> Result<&'a str, String> {
        let line = std::str::from_utf8(self.line_bytes()?);
        line.map_err(|_| "a line of the pickle is not UTF-8 text".into())
    }

    /// The same of a text in Python's `raw-unicode-escape`, as protocol 0 has it: Latin-1, and `\uXXXX` or `\UXXXXXXXX` for other
    /// characters.
    pub fn escaped_line(&mut self) -> Result<String, String> {
        let mut rest = self.line_bytes()?;
        let mut text = String::new();
        while let Some((&byte, after)) = rest.split_first() {
            let digits = match (byte, after.first()) {
                (b'\\', Some(b'u')) => after.get(1..5),
                (b'\\', Some(b'U')) => after.get(1..9),
                _ => None,
            };
            let number = digits.and_then(|digits| std::str::from_utf8(digits).ok());
            let number = number.and_then(|digits| u32::from_str_radix(digits, 16).ok());
            match (digits, number.and_then(char::from_u32)) {
                (Some(digits), Some(letter)) => {
                    text.push(letter);
                    rest = after.get(1 + digits.len()..).unwrap_or_default();
                }
                _ => {
                    text.push(char::from(byte));
                    rest = after;
                }
            }
        }
        Ok(text)
    }

    fn line_bytes(&mut self) -> Result<&'a [u8], String> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(length) = rest.iter().position(|&byte| byte == b'\n') else {
            return Err(self.end());
        };
        self.at += length + 1;
        Ok(&rest[..length])
    }

    fn end(&self) -> String {
        if self.is_cut {
            too_long()
        } else {
            "it ends within a pickle".into()
        }
    }
}
