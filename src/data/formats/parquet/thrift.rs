//! Thrift's compact protocol, in which Parquet writes its footers and page headers. Fields that aren't asked for are skipped.
//!
//! Described in `thrift-compact-protocol.md` of Apache Thrift.

use std::io::Read;

use super::varint::varint;
use crate::error::io_problem;

/// Deepest nesting of what is skipped.
const MAX_DEPTH: usize = 16;
/// Most items of a list, and longest text in bytes; a footer lists its columns for every row group.
const MAX_ITEMS: u64 = 1 << 20;
const MAX_TEXT: u64 = 16 << 20;

// Types of fields.
const BOOL_TRUE: u8 = 1;
const BOOL_FALSE: u8 = 2;
const BYTE: u8 = 3;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;

/// A field of a structure: its type and its number.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    kind: u8,
    /// Its number in the structure's definition.
    pub id: i16,
}

impl Field {
    /// The value of a boolean, which is in its type.
    pub fn boolean(self) -> bool {
        self.kind == BOOL_TRUE
    }
}

/// Reads values one after the other, and counts the bytes.
pub struct Reader<R> {
    stream: R,
    /// Bytes read so far.
    pub read: u64,
}

impl<R: Read> Reader<R> {
    /// Starts at the first byte of a structure.
    pub fn new(stream: R) -> Self {
        Self { stream, read: 0 }
    }

    fn byte(&mut self) -> Result<u8, String> {
        let mut byte = [0];
        self.stream
            .read_exact(&mut byte)
            .map_err(|_| "ends within its metadata")?;
        self.read += 1;
        Ok(byte[0])
    }

    fn unsigned(&mut self) -> Result<u64, String> {
        varint(|| self.byte())
    }

    /// A number of 16 to 64 bits (zigzag).
    pub fn number(&mut self) -> Result<i64, String> {
        let value = self.unsigned()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// Bytes or a string.
    pub fn text(&mut self) -> Result<String, String> {
        let length = self.unsigned()?;
        if length > MAX_TEXT {
            return Err(format!("has a string of {length} bytes in its metadata"));
        }
        let mut bytes = Vec::new();
        let read = (&mut self.stream)
            .take(length)
            .read_to_end(&mut bytes)
            .map_err(|error| io_problem(&error))?;
        self.read += read as u64;
        if (read as u64) < length {
            return Err("ends within its metadata".into());
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The length of a list, and the type of its items.
    fn list(&mut self) -> Result<(u64, u8), String> {
        let head = self.byte()?;
        let length = match head >> 4 {
            15 => self.unsigned()?,
            short => short.into(),
        };
        if length > MAX_ITEMS {
            return Err(format!("has a list of {length} items in its metadata"));
        }
        Ok((length, head & 15))
    }

    /// Each item of a list through `item`.
    pub fn items<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let (length, _) = self.list()?;
        let mut items = Vec::new();
        for _ in 0..length {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// Each field of a structure through `take`, which reads it, or returns false to have it skipped.
    pub fn structure(
        &mut self,
        mut take: impl FnMut(&mut Self, Field) -> Result<bool, String>,
    ) -> Result<(), String> {
        let mut id = 0i16;
        while let Some(field) = self.field(id)? {
            id = field.id;
            if !take(self, field)? {
                self.skip(field.kind, true, 0)?;
            }
        }
        Ok(())
    }

    fn field(&mut self, last: i16) -> Result<Option<Field>, String> {
        let head = self.byte()?;
        if head == 0 {
            return Ok(None);
        }
        let id = match head >> 4 {
            0 => self.number()? as i16,
            step => last.wrapping_add(step.into()),
        };
        Ok(Some(Field {
            kind: head & 15,
            id,
        }))
    }

    /// Passes over a value. A boolean field has no bytes, an item of a list one.
    fn skip(&mut self, kind: u8, is_field: bool, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err(format!("has metadata nested more than {MAX_DEPTH} deep"));
        }
        match kind {
            BOOL_TRUE | BOOL_FALSE if is_field => {}
            BOOL_TRUE | BOOL_FALSE | BYTE => {
                self.byte()?;
            }
            4..=I64 => {
                self.unsigned()?;
            }
            DOUBLE => {
                for _ in 0..8 {
                    self.byte()?;
                }
            }
            BINARY => {
                self.text()?;
            }
            LIST | SET => {
                let (length, kind) = self.list()?;
                for _ in 0..length {
                    self.skip(kind, false, depth + 1)?;
                }
            }
            MAP => {
                let length = self.unsigned()?.min(MAX_ITEMS);
                let kinds = if length > 0 { self.byte()? } else { 0 };
                for _ in 0..length {
                    self.skip(kinds >> 4, false, depth + 1)?;
                    self.skip(kinds & 15, false, depth + 1)?;
                }
            }
            STRUCT => {
                let mut id = 0;
                while let Some(field) = self.field(id)? {
                    id = field.id;
                    self.skip(field.kind, true, depth + 1)?;
                }
            }
            other => return Err(format!("has metadata of unknown type {other}")),
        }
        Ok(())
    }
}
