//! The footer of a Parquet file: its columns, where their pages are, and the texts that writers attach.
//!
//! Numbers of fields are those of `parquet.thrift` of Apache Parquet.

use std::io::{Read, Seek, SeekFrom};

use super::thrift::Reader;
use crate::error::io_problem;
use crate::files::EMPTY;

/// The first and last bytes of a file.
const MARK: &[u8; 4] = b"PAR1";
/// The same of a file with an encrypted footer.
const ENCRYPTED: &[u8; 4] = b"PARE";
/// Bytes after the footer: its length, and the mark.
const TAIL: u64 = 8;
/// Longest footer; that of a shard of images has some 10 kB.
const MAX_FOOTER: u64 = 16 << 20;

/// The types of values that are read (`Type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Physical {
    /// 32-bit integers.
    Int32,
    /// 64-bit integers.
    Int64,
    /// Bytes of any number.
    Bytes,
}

/// A column of values, which may lie in structures but not in lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, with those of the structures around it: `image.bytes`.
    pub path: String,
    /// Type of its values; `None` for one that is not read.
    pub physical: Option<Physical>,
    /// The number of that type (`Type`).
    kind: i64,
    /// How many of its own and its structures may be null: the level of a value that is there.
    pub depth: u32,
    /// Whether it is in a list.
    pub is_repeated: bool,
}

impl Column {
    /// What it holds, in words.
    pub fn holds(&self) -> &'static str {
        match self.kind {
            _ if self.is_repeated => "lists",
            0 => "booleans",
            1 | 2 => "integers",
            3 => "times of 96 bits",
            4 | 5 => "floating-point numbers",
            6 => "bytes or texts",
            7 => "bytes of a fixed number",
            _ => "values of an unknown type",
        }
    }
}

/// The pages of a column for some rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chunk {
    /// Place of its first page.
    pub start: u64,
    /// Bytes of all its pages.
    pub bytes: u64,
    /// Number of values.
    pub values: u64,
    /// How its pages are compressed (`CompressionCodec`).
    pub codec: i64,
    path: String,
}

/// What a footer says.
#[derive(Debug, Clone, Default)]
pub struct Footer {
    /// Its columns.
    pub columns: Vec<Column>,
    /// The row groups: their rows, and a chunk for each column.
    pub groups: Vec<(u64, Vec<Chunk>)>,
    /// Texts by name.
    pub texts: Vec<(String, String)>,
}

impl Footer {
    /// Reads the footer of a file.
    ///
    /// # Errors
    /// No Parquet file, an encrypted or a damaged one; one problem without the file's name.
    pub fn read(mut file: impl Read + Seek) -> Result<Self, String> {
        let failed = |error: std::io::Error| io_problem(&error);
        let length = file.seek(SeekFrom::End(0)).map_err(failed)?;
        if length == 0 {
            return Err(EMPTY.into());
        }
        let mut tail = [0; TAIL as usize];
        if length < TAIL + MARK.len() as u64 {
            return Err("is not a Parquet file: it is too short".into());
        }
        file.seek(SeekFrom::Start(length - TAIL)).map_err(failed)?;
        file.read_exact(&mut tail).map_err(failed)?;
        let ([size @ .., _, _, _, _], mark) = (&tail, &tail[4..]);
        if mark == ENCRYPTED {
            return Err("is encrypted; write it without encryption".into());
        }
        if mark != MARK {
            return Err("is not a Parquet file, or was cut off: it does not end with PAR1".into());
        }
        let size = u64::from(u32::from_le_bytes([size[0], size[1], size[2], size[3]]));
        if size > MAX_FOOTER || size + TAIL > length {
            return Err(format!("claims a footer of {size} bytes"));
        }
        file.seek(SeekFrom::Start(length - TAIL - size))
            .map_err(failed)?;
        let footer = parse(std::io::BufReader::new(file.take(size)))?;
        footer.check(length)?;
        Ok(footer)
    }

    /// The place of a column by its name.
    pub fn column(&self, path: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.path == path)
    }

    fn check(&self, length: u64) -> Result<(), String> {
        for (rows, chunks) in &self.groups {
            let matches = |(chunk, column): (&Chunk, &Column)| chunk.path == column.path;
            if chunks.len() != self.columns.len() || !chunks.iter().zip(&self.columns).all(matches)
            {
                return Err("has a row group with other columns than the file".into());
            }
            let mut flat = chunks
                .iter()
                .zip(&self.columns)
                .filter(|(_, column)| !column.is_repeated);
            if let Some((chunk, _)) = flat.find(|(chunk, _)| chunk.values != *rows) {
                return Err(format!(
                    "has a row group of {rows} rows with {} values of {}",
                    chunk.values, chunk.path
                ));
            }
            let ends = |chunk: &Chunk| chunk.start.checked_add(chunk.bytes);
            if chunks
                .iter()
                .any(|c| ends(c).is_none_or(|end| end > length))
            {
                return Err("claims pages beyond its end; it was cut off".into());
            }
        }
        Ok(())
    }
}

/// An element of the schema, which lists the tree in depth-first order.
#[derive(Default)]
struct Element {
    name: String,
    kind: Option<i64>,
    /// 0: required, 1: optional, 2: repeated.
    repetition: i64,
    children: usize,
}

fn parse(stream: impl Read) -> Result<Footer, String> {
    let mut footer = Footer::default();
    let mut elements = Vec::new();
    Reader::new(stream).structure(|reader, field| {
        match field.id {
            2 => elements = reader.items(element)?,
            4 => footer.groups = reader.items(group)?,
            5 => footer.texts = reader.items(text)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    footer.columns = columns(&elements)?;
    Ok(footer)
}

fn element<R: Read>(reader: &mut Reader<R>) -> Result<Element, String> {
    let mut element = Element::default();
    reader.structure(|reader, field| {
        match field.id {
            1 => element.kind = Some(reader.number()?),
            3 => element.repetition = reader.number()?,
            4 => element.name = reader.text()?,
            5 => element.children = usize::try_from(reader.number()?).unwrap_or(0),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(element)
}

fn text<R: Read>(reader: &mut Reader<R>) -> Result<(String, String), String> {
    let mut pair = (String::new(), String::new());
    reader.structure(|reader, field| {
        match field.id {
            1 => pair.0 = reader.text()?,
            2 => pair.1 = reader.text()?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(pair)
}

fn group<R: Read>(reader: &mut Reader<R>) -> Result<(u64, Vec<Chunk>), String> {
    let mut group = (0, Vec::new());
    reader.structure(|reader, field| {
        match field.id {
            1 => group.1 = reader.items(chunk)?,
            3 => group.0 = unsigned(reader)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(group)
}

fn unsigned<R: Read>(reader: &mut Reader<R>) -> Result<u64, String> {
    let number = reader.number()?;
    u64::try_from(number).map_err(|_| format!("has the number {number} where a size belongs"))
}

fn chunk<R: Read>(reader: &mut Reader<R>) -> Result<Chunk, String> {
    let mut chunk = Chunk::default();
    reader.structure(|reader, field| {
        if field.id != 3 {
            return Ok(false);
        }
        let mut dictionary = None;
        reader.structure(|reader, field| {
            match field.id {
                3 => chunk.path = reader.items(Reader::text)?.join("."),
                4 => chunk.codec = reader.number()?,
                5 => chunk.values = unsigned(reader)?,
                7 => chunk.bytes = unsigned(reader)?,
                9 => chunk.start = unsigned(reader)?,
                11 => dictionary = Some(unsigned(reader)?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        // The dictionary comes first. Some writers say 0 where there is none.
        if let Some(place) = dictionary.filter(|&place| place > 0) {
            chunk.start = chunk.start.min(place);
        }
        Ok(true)
    })?;
    Ok(chunk)
}

/// The leaves of the tree.
fn columns(elements: &[Element]) -> Result<Vec<Column>, String> {
    let mut columns = Vec::new();
    // Of each open structure: its name, the children to come, its depth, and whether it is in a list.
    let mut open: Vec<(String, usize, u32, bool)> = Vec::new();
    for (place, element) in elements.iter().enumerate() {
        if place == 0 {
            open.push((String::new(), element.children, 0, false));
            continue;
        }
        while open.last().is_some_and(|(_, left, ..)| *left == 0) {
            open.pop();
        }
        let (parent, left, depth, is_repeated) =
            open.last_mut().ok_or("has a schema that does not add up")?;
        *left -= 1;
        let path = if parent.is_empty() {
            element.name.clone()
        } else {
            format!("{parent}.{}", element.name)
        };
        let depth = *depth + u32::from(element.repetition != 0);
        let is_repeated = *is_repeated || element.repetition == 2;
        match element.kind {
            Some(kind) if element.children == 0 => columns.push(Column {
                path,
                physical: match kind {
                    1 => Some(Physical::Int32),
                    2 => Some(Physical::Int64),
                    6 => Some(Physical::Bytes),
                    _ => None,
                },
                kind,
                depth,
                is_repeated,
            }),
            _ => open.push((path, element.children, depth, is_repeated)),
        }
        if open.len() > 64 || columns.len() > 10_000 {
            return Err("has a schema that is too large".into());
        }
    }
    Ok(columns)
}
