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
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(length) = rest.iter().position(|&byte| byte == b'\n') else {
            return Err(self.end());
        };
        self.at += length + 1;
        let line = std::str::from_utf8(&rest[..length]);
        line.map_err(|_| "a line of the pickle is not UTF-8 text".into())
    }

    fn end(&self) -> String {
        if self.is_cut {
            too_long()
        } else {
            "it ends within a pickle".into()
        }
    }
}
