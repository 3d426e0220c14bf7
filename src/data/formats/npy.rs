//! `.npy`, NumPy's file of one array: a mark, a version, a header that is a Python dictionary, and the values. The format is
//! described in NEP 1 and in the documentation of `numpy.lib.format`.

use std::io::Read;

use super::array::{self, Array, Values};
use super::numbers::{self, ByteOrder, Kind};

/// What is read, in messages.
const WHAT: &str = "a .npy file";
/// The first bytes.
const MARK: &[u8; 6] = b"\x93NUMPY";
/// Longest header in bytes; those of arrays of numbers have 118.
const MAX_HEADER: usize = 1 << 16;
/// Longest string in characters, and most bytes of all strings of an array.
const MAX_TEXT: usize = 1 << 12;
const MAX_TEXTS: usize = 256 << 20;
/// Bytes of a character of NumPy's strings.
const CHARACTER: usize = 4;

/// Why an array could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NpyProblem {
    /// Its values are Python objects, stored as a pickle.
    Objects,
    /// Anything else, as one problem without the file's name.
    Other(String),
}

impl From<String> for NpyProblem {
    fn from(problem: String) -> Self {
        Self::Other(problem)
    }
}

/// The type of the values.
enum Stored {
    Numbers(Kind, ByteOrder),
    /// Texts of so many characters of four bytes.
    Characters(usize, ByteOrder),
    /// Texts of so many bytes.
    Bytes(usize),
}

/// Reads an array; bytes after it are left alone.
///
/// # Errors
/// No `.npy` file, values other than numbers and strings, more than are read, or fewer than it claims.
pub fn read(stream: &mut dyn Read) -> Result<Array, NpyProblem> {
    let header = header(stream)?;
    let missing = |key: &str| format!("its header has no {key:?}: not a .npy file");
    let value = |key: &str| value_of(&header, key).ok_or_else(|| missing(key));
    let stored = stored(value("descr")?)?;
    let is_fortran = value("fortran_order")?.starts_with("True");
    let dimensions = dimensions(value("shape")?)?;
    let count = array::count(&dimensions)?;
    let values = match stored {
        Stored::Numbers(kind, order) => numbers::read(stream, count, kind, order)
            .map_err(|problem| format!("{problem}, {}", array::size(&dimensions)))?,
        Stored::Characters(length, order) => {
            let bytes = length * CHARACTER;
            Values::Texts(texts(stream, count, bytes, |text| characters(text, order))?)
        }
        Stored::Bytes(length) => Values::Texts(texts(stream, count, length, |text| {
            let end = text.iter().rposition(|&byte| byte != 0);
            let text = &text[..end.map_or(0, |end| end + 1)];
            String::from_utf8_lossy(text).into_owned()
        })?),
    };
    Ok(Array {
        dimensions,
        is_fortran,
        values,
    })
}

fn header(stream: &mut dyn Read) -> Result<String, String> {
    let mut mark = [0; 8];
    numbers::read_header(stream, &mut mark, WHAT)?;
    if !mark.starts_with(MARK) {
        return Err(format!(
            "is not a .npy file (starts with \"{}\")",
            mark.escape_ascii()
        ));
    }
    let length = match mark[MARK.len()] {
        1 => {
            let mut length = [0; 2];
            numbers::read_header(stream, &mut length, WHAT)?;
            usize::from(u16::from_le_bytes(length))
        }
        2 | 3 => {
            let mut length = [0; 4];
            numbers::read_header(stream, &mut length, WHAT)?;
            u32::from_le_bytes(length) as usize
        }
        version => return Err(format!("has version {version} of .npy; 1 to 3 are read")),
    };
    if length > MAX_HEADER {
        return Err(format!(
            "claims a header of {length} bytes; at most {MAX_HEADER} are read"
        ));
    }
    let mut text = vec![0; length];
    numbers::read_header(stream, &mut text, WHAT)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// What follows a key of the header's dictionary.
fn value_of<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = header.split_once(&format!("'{key}'"))?;
    Some(rest.trim_start().strip_prefix(':')?.trim_start())
}

/// The type by its code, such as `<u1`, `>f8` or `<U12`.
fn stored(value: &str) -> Result<Stored, NpyProblem> {
    let code = value
        .strip_prefix('\'')
        .and_then(|rest| rest.split_once('\''));
    let Some((code, _)) = code else {
        return Err(
            "has records of several fields; save each field as an array of its own"
                .to_string()
                .into(),
        );
    };
    let (order, code) = match code.split_at_checked(1) {
        Some((">", rest)) => (ByteOrder::Big, rest),
        Some(("<" | "|" | "=", rest)) => (ByteOrder::Little, rest),
        _ => (ByteOrder::Little, code),
    };
    if code.starts_with('O') {
        return Err(NpyProblem::Objects);
    }
    if let Some(kind) = Kind::of_numpy(code) {
        return Ok(Stored::Numbers(kind, order));
    }
    let length = code.get(1..).and_then(|length| length.parse().ok());
    let length = length.filter(|&length: &usize| length <= MAX_TEXT);
    match (code.get(..1), length) {
        (Some("U"), Some(length)) => Ok(Stored::Characters(length, order)),
        (Some("S"), Some(length)) => Ok(Stored::Bytes(length)),
        _ => Err(format!("has values of type {code:?}; expected numbers or strings").into()),
    }
}

/// `(60000, 28, 28)`, and `(3L,)` of Python 2.
fn dimensions(value: &str) -> Result<Vec<usize>, String> {
    let inner = value
        .strip_prefix('(')
        .and_then(|rest| rest.split_once(')'));
    let (inner, _) = inner.ok_or("its header has no shape: not a .npy file")?;
    let parts = inner
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let length = part.trim_end_matches('L').parse();
            length.map_err(|_| format!("its header has the length {part:?}; expected a number"))
        })
        .collect()
}

fn texts(
    stream: &mut dyn Read,
    count: usize,
    bytes: usize,
    text: impl Fn(&[u8]) -> String,
) -> Result<Vec<String>, String> {
    // Each text costs its own allocation besides its bytes.
    if count.saturating_mul(bytes + size_of::<String>()) > MAX_TEXTS {
        return Err(format!(
            "has {count} strings of {bytes} bytes; that is too much"
        ));
    }
    let mut buffer = vec![0; bytes];
    let mut texts = Vec::new();
    for index in 0..count {
        let ended = |_| format!("ends early: has {index} of {count} strings");
        stream.read_exact(&mut buffer).map_err(ended)?;
        texts.push(text(&buffer));
    }
    Ok(texts)
}

/// A text of characters of four bytes, padded with zeros.
fn characters(text: &[u8], order: ByteOrder) -> String {
    let codes = text.as_chunks::<CHARACTER>().0.iter();
    let codes = codes.map(|&code| match order {
        ByteOrder::Little => u32::from_le_bytes(code),
        ByteOrder::Big => u32::from_be_bytes(code),
    });
    let letters = codes.map(|code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
    let text: String = letters.collect();
    text.trim_end_matches('\0').to_string()
}
