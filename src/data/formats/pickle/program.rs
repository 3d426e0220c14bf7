//! The bytes of a pickle, one instruction after the other, and the values that need no others.

use std::borrow::Cow;

use super::item::Item;

/// A pickle that is being read.
pub struct Program<'a> {
    rest: &'a [u8],
}

impl<'a> Program<'a> {
    /// At its start.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next bytes.
    pub fn slice(&mut self, length: u64) -> Result<&'a [u8], String> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let (part, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or("is not a complete pickle: it ends early")?;
        self.rest = rest;
        Ok(part)
    }

    /// The next byte.
    pub fn byte(&mut self) -> Result<u8, String> {
        let part = self.slice(1)?;
        Ok(part.first().copied().unwrap_or_default())
    }

    /// A whole number of so many bytes, the lowest first; of eight at most.
    pub fn unsigned(&mut self, bytes: u64) -> Result<u64, String> {
        let part = self.slice(bytes)?;
        let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Ok(part.iter().rev().fold(0, join))
    }

    /// A text up to the end of the line.
    pub fn line(&mut self) -> Result<&'a str, String> {
        let end = self.rest.iter().position(|&byte| byte == b'\n');
        let end = end.ok_or("is not a complete pickle: it ends early")?;
        let line = self.slice(end as u64)?;
        self.slice(1)?;
        std::str::from_utf8(line).map_err(|_| "has a line that is not UTF-8".into())
    }

    /// The value of an instruction that needs no others, if it is one.
    pub fn value(&mut self, code: u8) -> Result<Option<Item<'a>>, String> {
        Ok(Some(match code {
            // NONE, BINFLOAT, FLOAT
            b'N' => Item::Other,
            b'G' => {
                self.slice(8)?;
                Item::Other
            }
            b'F' => {
                self.line()?;
                Item::Other
            }
            // NEWTRUE, NEWFALSE: 1 and 0, as in Python
            0x88 => Item::Integer(1),
            0x89 => Item::Integer(0),
            b'I' | b'L' => {
                let digits = self.line()?.trim_end_matches('L');
                digits.parse().map_or(Item::Other, Item::Integer)
            }
            b'J' => Item::Integer((self.unsigned(4)? as u32 as i32).into()),
            b'K' => Item::Integer(self.unsigned(1)? as i64),
            b'M' => Item::Integer(self.unsigned(2)? as i64),
            // LONG1
            0x8a => {
                let length = self.unsigned(1)?;
                long(self.slice(length)?)
            }
            // UNICODE and STRING as lines
            b'V' => Item::Bytes(Cow::Borrowed(self.line()?.as_bytes())),
            b'S' => {
                let text = self.line()?.trim_matches(['\'', '"']);
                Item::Bytes(Cow::Borrowed(text.as_bytes()))
            }
            // The forms of str, bytes and bytearray with a length of one, four or eight bytes
            b'U' | b'C' | 0x8c => self.counted(1)?,
            b'T' | b'B' | b'X' => self.counted(4)?,
            0x8d | 0x8e | 0x96 => self.counted(8)?,
            b')' | b']' => Item::List(Vec::new()),
            b'}' => Item::Dict(Vec::new()),
            // GLOBAL
            b'c' => {
                let module = self.line()?;
                Item::Global(format!("{module}.{}", self.line()?))
            }
            _ => return Ok(None),
        }))
    }

    fn counted(&mut self, width: u64) -> Result<Item<'a>, String> {
        let length = self.unsigned(width)?;
        Ok(Item::Bytes(Cow::Borrowed(self.slice(length)?)))
    }
}

/// A whole number in two's complement, the lowest byte first.
fn long<'a>(bytes: &[u8]) -> Item<'a> {
    if bytes.len() > 8 {
        return Item::Other;
    }
    let is_negative = bytes.last().is_some_and(|last| last & 0x80 != 0);
    let start = if is_negative { -1i64 } else { 0 };
    let number = bytes
        .iter()
        .rev()
        .fold(start, |n, &byte| n << 8 | i64::from(byte));
    Item::Integer(number)
}
