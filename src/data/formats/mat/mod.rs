//! Reading numeric matrices from MATLAB v5 files.
//!
//! The format is "MAT-File Format", MathWorks, chapter 1: a header of 128 bytes, then elements, each a tag (type, number
//! of bytes) and its bytes; an element may be zlib-compressed. `elements` finds and checks them; this file
//! decompresses what is asked for, within limits. The crate `matfile` then decodes the numbers, but never sees the file
//! itself: on damaged files it silently drops variables, prints, overflows, and unpacks without a limit. It
//! gets one well-formed, uncompressed element that is built here, in which only the numbers come from the file.
//!
//! [`MatFile`] reads real two-dimensional numeric arrays only: no cells, structures, text, sparse or complex arrays. [`arrays`] reads
//! arrays of any dimensions, structures and text. Neither reads v7.3 (HDF5) files.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::ZlibDecoder;

use self::elements::{
    ByteOrder, HEADER_BYTES, MI_INT8, MI_INT32, MI_MATRIX, MI_UINT32, Numbers, TAG_BYTES, Variable,
    byte_order, class_name, number_width, scan,
};
use crate::data::DataError;

pub mod arrays;
mod elements;

/// Largest file that is read, in bytes; the course's largest has 10 MB.
pub const MAX_FILE_BYTES: u64 = 256 << 20;
/// Maximum unpacked bytes of one variable, with each value as a double: it may be stored in a smaller type, but is decoded
/// as a double. The course's largest needs 88 MB (10,800 rows of 1,024 doubles); twice this is allocated briefly while
/// decoding.
pub const MAX_MATRIX_BYTES: u64 = 256 << 20;
/// Bytes of a double.
const DOUBLE: u64 = 8;
/// Most bytes that may follow the numbers: padding to a multiple of 8.
const MAX_PADDING: u64 = 8;

// Array classes, table 1-3 of the format.
const MX_INT32: u8 = 12;
const MX_INT64: u8 = 14;

/// A two-dimensional array. `values[column * rows + row]`, as MATLAB stores it; any numeric class becomes `f32`.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// All values, column by column.
    pub values: Vec<f32>,
}

impl Matrix {
    /// One column, `rows` long; empty when there is no such column.
    pub fn column(&self, column: usize) -> &[f32] {
        column
            .checked_mul(self.rows)
            .and_then(|start| self.values.get(start..start.checked_add(self.rows)?))
            .unwrap_or_default()
    }
}

/// A MATLAB v5 file, read into memory and checked from end to end; numbers are unpacked by [`MatFile::matrix`].
#[derive(Debug)]
pub struct MatFile {
    path: PathBuf,
    bytes: Vec<u8>,
    order: ByteOrder,
    variables: Vec<Variable>,
}

/// Reads the variable `name` of the file at `path`. See [`MatFile::open`] and [`MatFile::matrix`] for the errors.
pub fn read_matrix(path: &Path, name: &str) -> Result<Matrix, DataError> {
    MatFile::open(path)?.matrix(name)
}

impl MatFile {
    /// Reads a file and the heads of its variables.
    ///
    /// Errors, each with the file's name: it is missing, larger than [`MAX_FILE_BYTES`], not a MATLAB v5 file,
    /// truncated, or has an element that can't be read.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let file = File::open(path).map_err(|error| DataError::io(path, error))?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| DataError::io(path, error))?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(DataError::format(
                path,
                format!("larger than the maximum of {MAX_FILE_BYTES} bytes for a .mat file"),
            ));
        }
        Self::from_bytes(bytes, path)
    }

    /// The same for the bytes of a file; `path` is only for the error text.
    pub fn from_bytes(bytes: Vec<u8>, path: &Path) -> Result<Self, DataError> {
        let (order, variables) = byte_order(&bytes)
            .and_then(|order| Ok((order, scan(&bytes, order)?)))
            .map_err(|problem| DataError::format(path, problem))?;
        Ok(Self {
            path: path.to_path_buf(),
            bytes,
            order,
            variables,
        })
    }

    /// Rows and columns of a variable, without unpacking it. Errors: no such variable, or not a real numeric matrix.
    pub fn shape(&self, name: &str) -> Result<(usize, usize), DataError> {
        let (_, _, rows, columns) = self
            .find(name)
            .map_err(|problem| DataError::format(&self.path, problem))?;
        Ok((rows, columns))
    }

    /// Unpacks a variable. Errors: those of [`MatFile::shape`], damaged or missing data (zlib's checksum is verified),
    /// or more than [`MAX_MATRIX_BYTES`].
    pub fn matrix(&self, name: &str) -> Result<Matrix, DataError> {
        self.find(name)
            .and_then(|(variable, numbers, rows, columns)| {
                Ok(Matrix {
                    rows,
                    columns,
                    values: self.decode(variable, numbers, rows, columns)?,
                })
            })
            .map_err(|problem| DataError::format(&self.path, problem))
    }

    /// A variable, where its numbers are, its rows and columns; sizes agree with one another and with the limits.
    fn find(&self, name: &str) -> Result<(&Variable, Numbers, usize, usize), String> {
        let Some(variable) = self.variables.iter().find(|v| v.name == name) else {
            let names: Vec<&str> = self
                .variables
                .iter()
                .map(|v| v.name.as_str())
                .filter(|name| !name.is_empty())
                .collect();
            return Err(match names.as_slice() {
                [] => {
                    format!("has no variable {name}; it has no variables (is the file truncated?)")
                }
                names => format!("has no variable {name}; it has {}", names.join(", ")),
            });
        };
        let Some(numbers) = variable.numbers else {
            return Err(format!(
                "variable {name} is {}, not a numeric matrix",
                class_name(variable.class)
            ));
        };
        if variable.complex {
            return Err(format!("variable {name} is complex; expected real numbers"));
        }
        let &[rows, columns] = variable.dimensions.as_slice() else {
            return Err(format!(
                "variable {name} has {} dimensions; expected 2",
                variable.dimensions.len()
            ));
        };
        let width = number_width(numbers.kind).ok_or_else(|| {
            format!(
                "variable {name} holds data of unknown type {}",
                numbers.kind
            )
        })?;
        let expected = u64::from(rows) * u64::from(columns);
        // No overflow: the two are below 2^32, and the division avoids a third factor.
        if expected > MAX_MATRIX_BYTES / DOUBLE {
            return Err(format!(
                "variable {name} claims {rows}x{columns} values, {} bytes as doubles; the maximum is {MAX_MATRIX_BYTES} bytes",
                expected.saturating_mul(DOUBLE)
            ));
        }
        if expected * width as u64 != numbers.bytes as u64 {
            return Err(format!(
                "variable {name} claims {rows}x{columns} values of {width} bytes but has {} bytes of data",
                numbers.bytes
            ));
        }
        Ok((variable, numbers, rows as usize, columns as usize))
    }

    fn decode(
        &self,
        variable: &Variable,
        numbers: Numbers,
        rows: usize,
        columns: usize,
    ) -> Result<Vec<f32>, String> {
        let name = &variable.name;
        if rows * columns == 0 {
            return Ok(Vec::new());
        }
        let damaged = |error: io::Error| format!("variable {name} is damaged ({error})");
        let packed = self.bytes.get(variable.body.clone()).unwrap_or_default();
        let mut body: Box<dyn Read + '_> = if variable.compressed {
            Box::new(ZlibDecoder::new(packed))
        } else {
            Box::new(packed)
        };
        let mut head = body.by_ref().take(numbers.start as u64);
        io::copy(&mut head, &mut io::sink()).map_err(damaged)?;
        let mut data = body.by_ref().take(numbers.bytes as u64);
        let (prefix, padding) =
            canonical_element(variable.class, numbers, rows, columns, self.order);
        let element = prefix.as_slice().chain(&mut data).chain(padding.as_slice());
        let parsed = matfile::MatFile::parse(element);
        let missing = data.limit();
        let parsed = match parsed {
            Err(matfile::Error::IOError(error)) => return Err(damaged(error)),
            _ if missing > 0 => {
                return Err(format!(
                    "variable {name} is truncated: {missing} of its {} bytes are missing",
                    numbers.bytes
                ));
            }
            Err(error) => return Err(format!("variable {name} can't be decoded: {error}")),
            Ok(parsed) => parsed,
        };
        // Reading on to the end makes the decompressor compare its checksum.
        let rest = io::copy(&mut body.take(MAX_PADDING + 1), &mut io::sink()).map_err(damaged)?;
        if rest > MAX_PADDING {
            return Err(format!(
                "variable {name} has more data than its {rows}x{columns} values"
            ));
        }
        let values = parsed.arrays().first().map(|array| to_f32(array.data()));
        values
            .filter(|values| values.len() == rows * columns)
            .ok_or_else(|| {
                format!(
                    "variable {name} stores {} as data of type {}, which is not supported",
                    class_name(variable.class),
                    numbers.kind
                )
            })
    }
}

/// A whole file with one uncompressed variable, cut where the numbers go: the bytes before them and the padding
/// after them. `rows * columns` numbers of `numbers.kind` are known to fit into `i32`.
fn canonical_element(
    class: u8,
    numbers: Numbers,
    rows: usize,
    columns: usize,
    order: ByteOrder,
) -> (Vec<u8>, Vec<u8>) {
    // matfile 0.5 takes the class int32 for uint32 and then refuses negative numbers; int64 holds all of them.
    let class = if class == MX_INT32 { MX_INT64 } else { class };
    let padded = numbers.bytes.next_multiple_of(TAG_BYTES);
    let words: [u32; 14] = [
        MI_MATRIX,
        (4 * 12 + padded) as u32,
        MI_UINT32,
        8,
        u32::from(class),
        0,
        MI_INT32,
        8,
        rows as u32,
        columns as u32,
        // A name of one letter in the small format; its letter is in the next word.
        (1 << 16) | MI_INT8,
        0,
        numbers.kind,
        numbers.bytes as u32,
    ];
    let mut prefix = vec![b' '; HEADER_BYTES - 4];
    prefix.extend(match order {
        ByteOrder::Little => *b"\x00\x01IM",
        ByteOrder::Big => *b"\x01\x00MI",
    });
    prefix.extend(words.iter().flat_map(|&word| order.bytes(word)));
    (prefix, vec![0; padded - numbers.bytes])
}

fn to_f32(data: &matfile::NumericData) -> Vec<f32> {
    use matfile::NumericData as N;
    match data {
        N::Int8 { real, .. } => real.iter().map(|&v| f32::from(v)).collect(),
        N::UInt8 { real, .. } => real.iter().map(|&v| f32::from(v)).collect(),
        N::Int16 { real, .. } => real.iter().map(|&v| f32::from(v)).collect(),
        N::UInt16 { real, .. } => real.iter().map(|&v| f32::from(v)).collect(),
        N::Int32 { real, .. } => real.iter().map(|&v| v as f32).collect(),
        N::UInt32 { real, .. } => real.iter().map(|&v| v as f32).collect(),
        N::Int64 { real, .. } => real.iter().map(|&v| v as f32).collect(),
        N::UInt64 { real, .. } => real.iter().map(|&v| v as f32).collect(),
        N::Single { real, .. } => real.clone(),
        N::Double { real, .. } => real.iter().map(|&v| v as f32).collect(),
    }
}
