//! Arrays of any number of dimensions in a MATLAB v5 file, also inside of structures: `dataset.train.images`.
//!
//! A structure is read as a stream, so that of a large one only the wanted array is held in memory.

use std::cell::Cell;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::ZlibDecoder;

use super::MAX_FILE_BYTES;
use super::elements::{
    ByteOrder, MI_INT8, MI_INT32, MI_MATRIX, MI_UINT32, TAG_BYTES, Variable, byte_order,
    class_name, scan,
};
use crate::data::DataError;
use crate::data::formats::ArraysFile;
use crate::data::formats::array::{self, Array, Values};
use crate::data::formats::numbers::{self, Kind};
use crate::files;

// Array classes, table 1-3 of the format.
const MX_STRUCT: u8 = 2;
const MX_CHAR: u8 = 4;
const MX_NUMERIC: std::ops::RangeInclusive<u8> = 6..=15;
/// Deepest nesting of structures; EMNIST's has three.
const MAX_DEPTH: usize = 8;
/// Most fields of a structure and arrays of a file.
const MAX_FIELDS: usize = 1_000;
const MAX_ARRAYS: usize = 10_000;
/// Longest flags, dimensions or names in bytes.
const MAX_PART: usize = 1 << 16;

/// A MATLAB file as a set of named arrays.
struct MatArrays {
    bytes: Vec<u8>,
    order: ByteOrder,
    variables: Vec<Variable>,
    names: Vec<String>,
}

/// Opens a file.
///
/// # Errors
/// Missing, larger than [`MAX_FILE_BYTES`], no MATLAB v5 file, or a damaged one; with the file's name.
pub fn open(path: &Path) -> Result<Box<dyn ArraysFile>, DataError> {
    let bytes = files::read(path, MAX_FILE_BYTES).map_err(|error| DataError::io(path, error))?;
    from_bytes(bytes).map_err(|problem| DataError::format(path, problem))
}

/// A file in memory.
///
/// # Errors
/// Those of [`open`], without the file's name.
pub fn from_bytes(bytes: Vec<u8>) -> Result<Box<dyn ArraysFile>, String> {
    let order = byte_order(&bytes)?;
    let variables = scan(&bytes, order)?;
    let mut file = MatArrays {
        bytes,
        order,
        variables,
        names: Vec::new(),
    };
    let mut names = Vec::new();
    for variable in &file.variables {
        if variable.class == MX_STRUCT {
            names.extend(file.walk(variable, None)?.names);
        } else if !variable.name.is_empty() {
            names.push(variable.name.clone());
        }
        if names.len() > MAX_ARRAYS {
            return Err(format!("has more than {MAX_ARRAYS} arrays"));
        }
    }
    file.names = names;
    Ok(Box::new(file))
}

impl ArraysFile for MatArrays {
    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn array(&self, name: &str) -> Result<Array, String> {
        let (first, _) = name.split_once('.').unwrap_or((name, ""));
        let variable = self.variables.iter().find(|v| v.name == first);
        let variable = variable.ok_or_else(|| format!("has no variable {first}"))?;
        let found = self.walk(variable, Some(name))?.array;
        found.ok_or_else(|| format!("has no variable {name}"))
    }
}

impl MatArrays {
    /// Goes through a variable: the names of its arrays, and the wanted one.
    fn walk(&self, variable: &Variable, wanted: Option<&str>) -> Result<Walked, String> {
        let packed = self.bytes.get(variable.body.clone()).unwrap_or_default();
        let mut stream: Box<dyn Read + '_> = if variable.compressed {
            Box::new(ZlibDecoder::new(packed))
        } else {
            Box::new(packed)
        };
        let mut walk = Walk {
            stream: &mut *stream,
            order: self.order,
            wanted,
            read: Cell::new(0),
            found: Walked::default(),
        };
        let size = if variable.compressed {
            match walk.tag()? {
                (MI_MATRIX, size, None) => size as u64,
                _ => {
                    return Err(format!(
                        "{}: compressed data that is not an array",
                        variable.name
                    ));
                }
            }
        } else {
            packed.len() as u64
        };
        let named = |problem| format!("{}: {problem}", wanted.unwrap_or(&variable.name));
        walk.matrix("", size, 0).map_err(named)?;
        let found = walk.found;
        // At the end, the decompressor compares its checksum.
        io::copy(&mut stream, &mut io::sink()).map_err(|error| named(damaged(error)))?;
        Ok(found)
    }
}

#[derive(Default)]
struct Walked {
    names: Vec<String>,
    array: Option<Array>,
}

struct Walk<'a> {
    stream: &'a mut dyn Read,
    order: ByteOrder,
    wanted: Option<&'a str>,
    /// Bytes read so far.
    read: Cell<u64>,
    found: Walked,
}

fn damaged(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "truncated".into(),
        _ => format!("damaged data ({error})"),
    }
}

impl Walk<'_> {
    fn bytes(&mut self, count: usize) -> Result<Vec<u8>, String> {
        if count > MAX_PART {
            return Err(format!(
                "is damaged: {count} bytes where a name or dimensions should be"
            ));
        }
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).map_err(damaged)?;
        self.read.set(self.read.get() + count as u64);
        Ok(bytes)
    }

    fn skip(&mut self, count: u64) -> Result<(), String> {
        let mut part = (&mut self.stream).take(count);
        let skipped = io::copy(&mut part, &mut io::sink()).map_err(damaged)?;
        self.read.set(self.read.get() + skipped);
        // The last padding of a file may be missing.
        if skipped + (TAG_BYTES as u64) < count {
            return Err("truncated".into());
        }
        Ok(())
    }

    /// A part's type and size, and its bytes if they are in the tag itself.
    fn tag(&mut self) -> Result<(u32, usize, Option<Vec<u8>>), String> {
        let tag = self.bytes(TAG_BYTES)?;
        let (Some(first), Some(second)) = (self.order.word(&tag, 0), self.order.word(&tag, 4))
        else {
            return Err("truncated".into());
        };
        let small = (first >> 16) as usize;
        match small {
            0 => Ok((first, second as usize, None)),
            1..=4 => Ok((first & 0xffff, small, Some(tag[4..4 + small].to_vec()))),
            _ => Err(format!(
                "is damaged: a small data element of {small} bytes (at most 4)"
            )),
        }
    }

    /// A part of one of the given types, with its padding.
    fn part(&mut self, kinds: &[u32], what: &str) -> Result<Vec<u8>, String> {
        let (kind, size, inside) = self.tag()?;
        if !kinds.contains(&kind) {
            return Err(format!("has no {what}"));
        }
        match inside {
            Some(bytes) => Ok(bytes),
            None => {
                let bytes = self.bytes(size)?;
                self.skip((size.next_multiple_of(TAG_BYTES) - size) as u64)?;
                Ok(bytes)
            }
        }
    }

    /// Goes through an array of `size` bytes, whose tag is read.
    fn matrix(&mut self, parent: &str, size: u64, depth: usize) -> Result<(), String> {
        if size == 0 {
            return Ok(());
        }
        let end = self.read.get() + size;
        let flags = self.part(&[MI_UINT32], "array flags")?;
        let flags = self.order.word(&flags, 0).ok_or("has no array flags")?;
        let dimensions = self.part(&[MI_INT32], "dimensions")?;
        let words = (0..dimensions.len() / 4).filter_map(|i| self.order.word(&dimensions, 4 * i));
        let dimensions: Vec<usize> = words.map(|word| word as usize).collect();
        let name = self.part(&[MI_INT8], "name")?;
        let name = String::from_utf8_lossy(&name).into_owned();
        let path: &str = if parent.is_empty() { &name } else { parent };
        let class = (flags & 0xff) as u8;
        let is_wanted = self.wanted == Some(path);
        match class {
            MX_STRUCT if dimensions.iter().product::<usize>() == 1 => {
                self.fields(path, depth)?;
            }
            _ if !is_wanted => self.found.names.push(path.into()),
            _ if MX_NUMERIC.contains(&class) => {
                if flags & super::elements::COMPLEX_FLAG != 0 {
                    return Err("is complex; expected real numbers".into());
                }
                self.found.array = Some(self.numbers(dimensions)?);
            }
            MX_CHAR => self.found.array = Some(self.texts(&dimensions)?),
            _ => {
                return Err(format!(
                    "is {}; expected numbers or strings",
                    class_name(class)
                ));
            }
        }
        let rest = end.checked_sub(self.read.get());
        self.skip(
            rest.ok_or("is damaged: its elements are longer than the array that contains them")?,
        )
    }

    fn fields(&mut self, path: &str, depth: usize) -> Result<(), String> {
        if depth >= MAX_DEPTH {
            return Err(format!("has structures {MAX_DEPTH} levels deep"));
        }
        let length = self.part(&[MI_INT32], "length of field names")?;
        let length = self.order.word(&length, 0).unwrap_or(0) as usize;
        let names = self.part(&[MI_INT8], "field names")?;
        if length == 0 {
            return Err("has no field names".into());
        }
        if names.len() / length > MAX_FIELDS {
            return Err(format!("has a structure of more than {MAX_FIELDS} fields"));
        }
        for name in names.chunks_exact(length) {
            let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
            let name = format!("{path}.{}", String::from_utf8_lossy(name));
            match self.tag()? {
                (MI_MATRIX, size, None) => self.matrix(&name, size as u64, depth + 1)?,
                _ => return Err(format!("{name} is not an array")),
            }
        }
        Ok(())
    }

    /// The values of an array; they may be stored in a smaller type than the array's.
    fn stored(&mut self, count: usize) -> Result<Values, String> {
        let (kind, size, inside) = self.tag()?;
        let stored = kind_of(kind).ok_or_else(|| format!("holds data of unknown type {kind}"))?;
        if (count as u64) * stored.width() as u64 != size as u64 {
            return Err(format!(
                "claims {count} values of {} bytes, but has {size} bytes",
                stored.width()
            ));
        }
        let order = match self.order {
            ByteOrder::Little => numbers::ByteOrder::Little,
            ByteOrder::Big => numbers::ByteOrder::Big,
        };
        match inside {
            Some(bytes) => numbers::read(&mut &*bytes, count, stored, order),
            None => {
                self.read.set(self.read.get() + size as u64);
                numbers::read(&mut self.stream, count, stored, order)
            }
        }
    }

    fn numbers(&mut self, dimensions: Vec<usize>) -> Result<Array, String> {
        let count = array::count(&dimensions)?;
        let values = self.stored(count)?;
        Ok(Array {
            dimensions,
            is_fortran: true,
            values,
        })
    }

    /// A text for each row of a matrix of letters.
    fn texts(&mut self, dimensions: &[usize]) -> Result<Array, String> {
        let &[rows, columns] = dimensions else {
            return Err(format!(
                "is text of {} dimensions; expected 2",
                dimensions.len()
            ));
        };
        let letters = self.stored(array::count(dimensions)?)?;
        let letter = |row: usize, column: usize| {
            let code = letters.number(column * rows + row).unwrap_or_default();
            char::from_u32(code as u32).unwrap_or(char::REPLACEMENT_CHARACTER)
        };
        let text = |row| {
            let text: String = (0..columns).map(|column| letter(row, column)).collect();
            text.trim_end().to_string()
        };
        Ok(Array {
            dimensions: vec![rows],
            is_fortran: true,
            values: Values::Texts((0..rows).map(text).collect()),
        })
    }
}

/// The type of numbers by its code, table 1-1 of the format; letters of UTF-8 and UTF-16 too.
fn kind_of(code: u32) -> Option<Kind> {
    Some(match code {
        1 => Kind::I8,
        2 | 16 => Kind::U8,
        3 => Kind::I16,
        4 | 17 => Kind::U16,
        5 => Kind::I32,
        6 => Kind::U32,
        7 => Kind::F32,
        9 => Kind::F64,
        12 => Kind::I64,
        13 => Kind::U64,
        _ => return None,
    })
}
