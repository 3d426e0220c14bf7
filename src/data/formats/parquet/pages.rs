//! The pages of a column: headers, compression, levels and values.
//!
//! Described in `Encodings.md`, `Compression.md` and `parquet.thrift` of Apache Parquet. Sizes are checked before anything is allocated or
//! unpacked.

use std::io::{Read, Seek, SeekFrom};

use flate2::read::MultiGzDecoder;

use super::footer::{Chunk, Column, Physical};
use super::runs;
use super::thrift::Reader;
use crate::error::io_problem;

/// Largest page, packed or not; writers aim at 1 MB, but a page holds at least one whole image, and often a whole row group.
const MAX_PAGE: u64 = 512 << 20;
/// How far a page may expand if it has more than [`SMALL_PAGE`] bytes; images are compressed already.
const MAX_EXPANSION: u64 = 200;
const SMALL_PAGE: u64 = 16 << 20;
/// Longest header of a page: it may hold the least and the greatest image as statistics.
const MAX_HEADER: u64 = 64 << 20;

/// Most values of a page: of equal ones, a million take ten bytes.
const MAX_VALUES: u64 = 16 << 20;

// `PageType`.
const DATA: i64 = 0;
const DICTIONARY: i64 = 2;
const DATA_V2: i64 = 3;

// `Encoding`.
const PLAIN: i64 = 0;
const PLAIN_DICTIONARY: i64 = 2;
const RLE_DICTIONARY: i64 = 8;

/// One value of a column that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// An integer of 32 or 64 bits.
    Integer(i64),
    /// Bytes or a text.
    Bytes(&'a [u8]),
}

#[derive(Debug, Default)]
struct Header {
    kind: i64,
    unpacked: u64,
    packed: u64,
    values: u64,
    encoding: i64,
    /// Bytes of the levels in front of a page of version 2, which are not compressed.
    levels: u64,
    definition: u64,
    is_compressed: bool,
}

/// Passes every value of a column's chunk to `take`, in order; `None` for a null.
///
/// # Errors
/// Damaged pages, encodings or compressions that are not read, pages that are too large; what `take` returns.
pub fn each<E: From<String>>(
    mut file: impl Read + Seek,
    column: &Column,
    chunk: &Chunk,
    take: &mut dyn FnMut(Option<Value<'_>>) -> Result<(), E>,
) -> Result<(), E> {
    let physical = column
        .physical
        .filter(|_| !column.is_repeated)
        .ok_or_else(|| format!("holds {}, which are not read", column.holds()))?;
    let place = file.seek(SeekFrom::Start(chunk.start));
    place.map_err(|error| io_problem(&error))?;
    let mut stream = std::io::BufReader::new(file.take(chunk.bytes));
    let (mut done, mut dictionary) = (0, None);
    while done < chunk.values {
        let header = header(&mut stream)?;
        check(&header)?;
        if header.kind != DICTIONARY && header.values > chunk.values - done {
            return Err(
                format!("has more values than the {} of its row group", chunk.values).into(),
            );
        }
        let mut packed = Vec::new();
        let read = (&mut stream).take(header.packed).read_to_end(&mut packed);
        if read.map_err(|error| io_problem(&error))? as u64 != header.packed {
            return Err("ends within a page".to_string().into());
        }
        let page = unpacked(&header, packed, chunk.codec)?;
        match header.kind {
            DICTIONARY => dictionary = Some(entries(page, header.values, physical)?),
            DATA | DATA_V2 => {
                let page = Page {
                    header: &header,
                    bytes: &page,
                    physical,
                    depth: column.depth,
                };
                page.each(dictionary.as_ref(), take)?;
                done += header.values;
            }
            _ => {}
        }
    }
    Ok(())
}

fn header(stream: impl Read) -> Result<Header, String> {
    let mut header = Header {
        is_compressed: true,
        ..Header::default()
    };
    let mut reader = Reader::new(stream.take(MAX_HEADER));
    reader.structure(|reader, field| {
        match field.id {
            1 => header.kind = reader.number()?,
            2 => header.unpacked = size(reader)?,
            3 => header.packed = size(reader)?,
            5 | 7 => reader.structure(|reader, field| {
                match field.id {
                    1 => header.values = size(reader)?,
                    2 => header.encoding = reader.number()?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?,
            8 => reader.structure(|reader, field| {
                match field.id {
                    1 => header.values = size(reader)?,
                    4 => header.encoding = reader.number()?,
                    5 => header.definition = size(reader)?,
                    6 => header.levels = size(reader)?,
                    7 => header.is_compressed = field.boolean(),
                    _ => return Ok(false),
                }
                // A boolean has no bytes to be skipped either.
                Ok(true)
            })?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    header.levels += header.definition;
    Ok(header)
}

fn size<R: Read>(reader: &mut Reader<R>) -> Result<u64, String> {
    let number = reader.number()?;
    let size = u64::try_from(number)
        .ok()
        .filter(|&size| size <= i32::MAX as u64);
    size.ok_or_else(|| format!("has a page with the size {number}"))
}

fn check(header: &Header) -> Result<(), String> {
    let Header {
        packed, unpacked, ..
    } = *header;
    if packed > MAX_PAGE || unpacked > MAX_PAGE {
        return Err(format!(
            "has a page of {} bytes; at most {MAX_PAGE} are read",
            packed.max(unpacked)
        ));
    }
    if unpacked > SMALL_PAGE && unpacked / MAX_EXPANSION > packed {
        return Err(format!(
            "has a page of {packed} bytes that expands to {unpacked}; this is not plausible for images"
        ));
    }
    if header.levels > packed || header.levels > unpacked || header.values > MAX_VALUES {
        return Err(format!(
            "has a page of {unpacked} bytes that claims {} values",
            header.values
        ));
    }
    Ok(())
}

/// The bytes of a page, decompressed except for the levels of version 2.
fn unpacked(header: &Header, packed: Vec<u8>, codec: i64) -> Result<Vec<u8>, String> {
    let is_packed = codec != 0 && header.is_compressed;
    if !is_packed {
        return Ok(packed);
    }
    let (levels, packed) = packed.split_at(header.levels as usize);
    let size = header.unpacked as usize - levels.len();
    let damaged = |error: &dyn std::fmt::Display| format!("has a damaged page ({error})");
    let mut page = levels.to_vec();
    if size == 0 && packed.is_empty() {
        return Ok(page);
    }
    match codec {
        1 => {
            let claimed = snap::raw::decompress_len(packed).map_err(|error| damaged(&error))?;
            if claimed != size {
                return Err(format!(
                    "has a page of {claimed} bytes; its header says {size}"
                ));
            }
            let unpacked = snap::raw::Decoder::new().decompress_vec(packed);
            page.extend(unpacked.map_err(|error| damaged(&error))?);
        }
        2 => limited(MultiGzDecoder::new(packed), size, &mut page)?,
        6 => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(packed);
            limited(decoder.map_err(|error| damaged(&error))?, size, &mut page)?;
        }
        other => {
            let name = ["", "", "", "LZO", "Brotli", "LZ4", "", "LZ4"].get(other as usize);
            return Err(format!(
                "is compressed with {}; write it with compression=\"zstd\" or \"snappy\"",
                name.unwrap_or(&"an unknown method")
            ));
        }
    }
    if page.len() != header.unpacked as usize {
        return Err(format!(
            "has a page of {} bytes; its header says {}",
            page.len(),
            header.unpacked
        ));
    }
    Ok(page)
}

/// Decompresses no more than a byte too many.
fn limited(stream: impl Read, size: usize, page: &mut Vec<u8>) -> Result<(), String> {
    let read = stream.take(size as u64 + 1).read_to_end(page);
    read.map(|_| ())
        .map_err(|error| format!("has a damaged page ({error})"))
}

/// The values of a dictionary.
enum Dictionary {
    Integers(Vec<i64>),
    /// The bytes of all, and where each is.
    Bytes(Vec<u8>, Vec<std::ops::Range<usize>>),
}

fn entries(page: Vec<u8>, count: u64, physical: Physical) -> Result<Dictionary, String> {
    let mut plain = Plain::new(&page, physical);
    if physical == Physical::Bytes {
        let mut places = Vec::new();
        for _ in 0..count {
            places.push(plain.bytes()?);
        }
        return Ok(Dictionary::Bytes(page, places));
    }
    let mut values = Vec::new();
    for _ in 0..count {
        values.push(plain.integer()?);
    }
    Ok(Dictionary::Integers(values))
}

impl Dictionary {
    fn get(&self, index: usize) -> Result<Value<'_>, String> {
        let value = match self {
            Self::Integers(values) => values.get(index).map(|&value| Value::Integer(value)),
            Self::Bytes(page, places) => places
                .get(index)
                .and_then(|place| Some(Value::Bytes(page.get(place.clone())?))),
        };
        value.ok_or_else(|| format!("has the index {index} beyond its dictionary"))
    }
}

/// Values one after the other.
struct Plain<'a> {
    page: &'a [u8],
    at: usize,
    physical: Physical,
}

impl<'a> Plain<'a> {
    fn new(page: &'a [u8], physical: Physical) -> Self {
        Self {
            page,
            at: 0,
            physical,
        }
    }

    fn take(&mut self, count: usize) -> Result<std::ops::Range<usize>, String> {
        let end = self.at.checked_add(count);
        let end = end.filter(|&end| end <= self.page.len());
        let place = self.at..end.ok_or("has a page that ends within a value")?;
        self.at = place.end;
        Ok(place)
    }

    fn integer(&mut self) -> Result<i64, String> {
        let width = if self.physical == Physical::Int32 {
            4
        } else {
            8
        };
        let place = self.take(width)?;
        let bytes = &self.page[place];
        let unsigned = bytes
            .iter()
            .rev()
            .fold(0u64, |n, &byte| n << 8 | u64::from(byte));
        Ok(if width == 4 {
            i64::from(unsigned as u32 as i32)
        } else {
            unsigned as i64
        })
    }

    fn bytes(&mut self) -> Result<std::ops::Range<usize>, String> {
        let place = self.take(4)?;
        let length = self.page[place].iter().rev();
        let length = length.fold(0usize, |n, &byte| n << 8 | usize::from(byte));
        self.take(length)
    }

    fn next(&mut self) -> Result<Value<'a>, String> {
        Ok(if self.physical == Physical::Bytes {
            let place = self.bytes()?;
            Value::Bytes(&self.page[place])
        } else {
            Value::Integer(self.integer()?)
        })
    }
}

/// A page of values.
struct Page<'a> {
    header: &'a Header,
    bytes: &'a [u8],
    physical: Physical,
    depth: u32,
}

impl Page<'_> {
    fn each<E: From<String>>(
        &self,
        dictionary: Option<&Dictionary>,
        take: &mut dyn FnMut(Option<Value<'_>>) -> Result<(), E>,
    ) -> Result<(), E> {
        let count = self.header.values as usize;
        let (levels, values) = self.levels()?;
        let width = runs::width(self.depth);
        let levels = if self.depth == 0 {
            vec![0; count]
        } else {
            runs::read(levels, width, count)?
        };
        let is_there = |level: &u32| *level == self.depth;
        let present = levels.iter().filter(|level| is_there(level)).count();
        let mut plain = Plain::new(values, self.physical);
        let indices = match self.header.encoding {
            PLAIN => None,
            PLAIN_DICTIONARY | RLE_DICTIONARY => {
                let dictionary =
                    dictionary.ok_or_else(|| "has no dictionary before its page".to_string())?;
                let (width, runs) = match values.split_first() {
                    Some((&width, runs)) => (u32::from(width), runs),
                    None => (0, values),
                };
                let indices = runs::read(runs, width, present)?;
                Some((dictionary, indices.into_iter()))
            }
            other => {
                return Err(format!(
                    "has the encoding {other}; write it with pyarrow's or pandas' defaults"
                )
                .into());
            }
        };
        let mut indices = indices;
        for level in &levels {
            if !is_there(level) {
                take(None)?;
                continue;
            }
            let value = match &mut indices {
                None => plain.next()?,
                Some((dictionary, indices)) => {
                    dictionary.get(indices.next().unwrap_or(u32::MAX) as usize)?
                }
            };
            take(Some(value))?;
        }
        Ok(())
    }

    /// The definition levels, and the values after them.
    fn levels(&self) -> Result<(&[u8], &[u8]), String> {
        if self.header.kind == DATA_V2 {
            let (levels, values) = self.bytes.split_at(self.header.levels as usize);
            let repetition = levels.len() - self.header.definition as usize;
            return Ok((&levels[repetition..], values));
        }
        if self.depth == 0 {
            return Ok((&[], self.bytes));
        }
        let cut = || "has a page that ends within its levels".to_string();
        let (length, rest) = self.bytes.split_first_chunk::<4>().ok_or_else(cut)?;
        let length = u32::from_le_bytes(*length) as usize;
        rest.split_at_checked(length).ok_or_else(cut)
    }
}
