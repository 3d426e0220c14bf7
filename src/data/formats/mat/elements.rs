//! The structure of a MATLAB v5 file: its variables, and where their numbers are stored.
//!
//! Nothing is trusted: every size is checked against the file, and of a compressed element only the head is decompressed. Problems are
//! strings without the file's name, which the caller adds.

use std::io::Read;
use std::ops::Range;

use flate2::read::ZlibDecoder;

use crate::files::EMPTY;

/// Maximum variables in a file; keeps a file of tiny elements from exhausting memory with their names.
const MAX_VARIABLES: usize = 10_000;

/// Bytes before the first element.
pub(super) const HEADER_BYTES: usize = 128;
/// A tag in bytes; also what parts are aligned to.
pub(super) const TAG_BYTES: usize = 8;
/// Bytes unpacked of an element to read its name and size: flags (16), up to 32 dimensions (136), a name of at most
/// 63 characters (72), the tag of the numbers (8), rounded up.
const HEAD_BYTES: usize = 512;

// Data types ("mi...") and array classes ("mx..."), tables 1-1 and 1-3 of the format.
pub(super) const MI_INT8: u32 = 1;
pub(super) const MI_INT32: u32 = 5;
pub(super) const MI_UINT32: u32 = 6;
pub(super) const MI_MATRIX: u32 = 14;
const MI_COMPRESSED: u32 = 15;
const MI_LAST: u32 = 18;
const MX_DOUBLE: u8 = 6;
const MX_UINT64: u8 = 15;
pub(super) const COMPLEX_FLAG: u32 = 0x0800;

/// Which byte of a number comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

/// One array as its element's head describes it.
#[derive(Debug)]
pub(super) struct Variable {
    pub name: String,
    pub class: u8,
    pub complex: bool,
    pub dimensions: Vec<u32>,
    pub numbers: Option<Numbers>,
    /// The element's bytes in the file, without its tag.
    pub body: Range<usize>,
    pub compressed: bool,
}

/// Where a variable's numbers are, in bytes of the unpacked element.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers {
    pub kind: u32,
    pub start: usize,
    pub bytes: usize,
}

/// Checks the 128-byte header.
pub(super) fn byte_order(bytes: &[u8]) -> Result<ByteOrder, String> {
    if bytes.is_empty() {
        return Err(EMPTY.into());
    }
    if is_version_4(bytes) {
        return Err(
            "is a MATLAB v4 file; save it for v7: in MATLAB s = load(\"FILE\"); save(\"NEW\", \"-struct\", \"s\", \"-v7\"), in Python \
             scipy.io.savemat(\"NEW\", scipy.io.loadmat(\"FILE\"))"
                .into(),
        );
    }
    // Enough to recognise a file by.
    let start = || bytes.get(..20).unwrap_or(bytes).escape_ascii();
    let Some(header) = bytes.get(..HEADER_BYTES) else {
        return Err(
            if b"MATLAB 5.0".starts_with(bytes.get(..10).unwrap_or(bytes)) {
                format!(
                    "truncated: {} bytes, shorter than the {HEADER_BYTES}-byte MATLAB v5 header",
                    bytes.len()
                )
            } else {
                format!("is not a MATLAB v5 file (starts with \"{}\")", start())
            },
        );
    };
    match header.get(HEADER_BYTES - 4..) {
        Some([0x00, 0x01, b'I', b'M']) => Ok(ByteOrder::Little),
        Some([0x01, 0x00, b'M', b'I']) => Ok(ByteOrder::Big),
        Some([0x00, 0x02, b'I', b'M'] | [0x02, 0x00, b'M', b'I']) => {
            Err("is a MATLAB v7.3 (HDF5) file; save it for v7 in MATLAB: s = load(\"FILE\"); save(\"FILE\", \"-struct\", \"s\", \"-v7\")".into())
        }
        _ => Err(format!(
            "is not a MATLAB v5 file (starts with \"{}\")",
            start()
        )),
    }
}

/// Whether bytes are the head of a matrix of version 4: five words of which the first has the digits MOPT (the order of the bytes, 0, the type of
/// the numbers, the kind of the matrix), then rows, columns, whether there is an imaginary part, and the length of the name ("MAT-File
/// Format", chapter 2).
fn is_version_4(bytes: &[u8]) -> bool {
    const WORDS: usize = 5;
    const LONGEST_NAME: u32 = 64;
    [ByteOrder::Little, ByteOrder::Big]
        .into_iter()
        .any(|order| {
            let words: Option<Vec<u32>> = (0..WORDS).map(|at| order.word(bytes, 4 * at)).collect();
            let Some([mopt, rows, columns, imaginary, name]) = words.as_deref() else {
                return false;
            };
            let [m, o, p, t] = [mopt / 1000, mopt / 100 % 10, mopt / 10 % 10, mopt % 10];
            let is_order = m == u32::from(order == ByteOrder::Big);
            let is_matrix = *rows > 0 && *columns > 0 && *imaginary <= 1;
            is_order && o == 0 && p <= 5 && t <= 2 && is_matrix && (2..=LONGEST_NAME).contains(name)
        })
}

/// Walks over all elements of the file and reads their heads.
pub(super) fn scan(bytes: &[u8], order: ByteOrder) -> Result<Vec<Variable>, String> {
    let mut variables = Vec::new();
    let mut at = HEADER_BYTES;
    while at < bytes.len() {
        let early = |needed: usize| {
            format!(
                "truncated: the element at byte {at} needs {needed} bytes, but only {} remain",
                bytes.len() - at
            )
        };
        let tag = bytes
            .get(at..at + TAG_BYTES)
            .ok_or_else(|| early(TAG_BYTES))?;
        let (Some(kind), Some(size)) = (order.word(tag, 0), order.word(tag, 4)) else {
            return Err(early(TAG_BYTES));
        };
        if kind == 0 || kind > MI_LAST {
            return Err(format!(
                "has an element of unknown type {kind} at byte {at}"
            ));
        }
        let size = size as usize;
        let start = at + TAG_BYTES;
        let end = start
            .checked_add(size)
            .filter(|&end| end <= bytes.len())
            .ok_or_else(|| early(size.saturating_add(TAG_BYTES)))?;
        let element = bytes.get(start..end).unwrap_or_default();
        if kind == MI_MATRIX || kind == MI_COMPRESSED {
            let compressed = kind == MI_COMPRESSED;
            let variable = read_head(element, compressed, start..end, order)
                .map_err(|problem| format!("{problem} in the element at byte {at}"))?;
            variables.push(variable);
            if variables.len() > MAX_VARIABLES {
                return Err(format!("has more than {MAX_VARIABLES} variables"));
            }
        }
        // Compressed elements follow one another without padding.
        at = if kind == MI_COMPRESSED {
            end
        } else {
            start + size.next_multiple_of(TAG_BYTES)
        };
    }
    Ok(variables)
}

/// Reads an element's flags, dimensions, name and the tag of its numbers.
fn read_head(
    element: &[u8],
    compressed: bool,
    body: Range<usize>,
    order: ByteOrder,
) -> Result<Variable, String> {
    let head = if compressed {
        let mut head = Vec::with_capacity(HEAD_BYTES);
        ZlibDecoder::new(element)
            .take(HEAD_BYTES as u64)
            .read_to_end(&mut head)
            .map_err(|error| format!("damaged data ({error})"))?;
        head
    } else {
        element.get(..HEAD_BYTES).unwrap_or(element).to_vec()
    };
    let mut at = 0;
    // Only a compressed element carries a second tag, that of the array itself.
    if compressed {
        if order.word(&head, 0) != Some(MI_MATRIX) {
            return Err("compressed data that is not an array".into());
        }
        at = TAG_BYTES;
    }
    let flags = Part::read(&head, at, order).filter(|p| p.kind == MI_UINT32 && p.bytes == 8);
    let flags = flags.ok_or("no array flags")?;
    let word = order.word(&head, flags.start).ok_or("no array flags")?;
    let dimensions = Part::read(&head, flags.next, order).filter(|p| p.kind == MI_INT32);
    let dimensions = dimensions.ok_or("no dimensions")?;
    let sizes = dimensions.slice(&head).ok_or("no dimensions")?;
    let sizes: Option<Vec<u32>> = (0..sizes.len() / 4)
        .map(|i| order.word(sizes, i * 4))
        .collect();
    let name = Part::read(&head, dimensions.next, order).filter(|p| p.kind == MI_INT8);
    let name = name.ok_or("no name")?;
    let text = name.slice(&head).ok_or("a name that is too long")?;
    let class = (word & 0xff) as u8;
    let numbers = if (MX_DOUBLE..=MX_UINT64).contains(&class) {
        let part = Part::read(&head, name.next, order).ok_or("no numbers")?;
        Some(Numbers {
            kind: part.kind,
            start: part.start,
            bytes: part.bytes,
        })
    } else {
        None
    };
    Ok(Variable {
        name: String::from_utf8_lossy(text).into_owned(),
        class,
        complex: word & COMPLEX_FLAG != 0,
        dimensions: sizes.ok_or("no dimensions")?,
        numbers,
        body,
        compressed,
    })
}

/// One part of an array's element: its type, where its bytes start, their number, and where the next part starts.
struct Part {
    kind: u32,
    start: usize,
    bytes: usize,
    next: usize,
}

impl Part {
    /// Reads the tag at `at`; the small format packs type, size and up to 4 bytes of data into 8 bytes.
    fn read(head: &[u8], at: usize, order: ByteOrder) -> Option<Self> {
        let first = order.word(head, at)?;
        let (small_bytes, small_kind) = ((first >> 16) as usize, first & 0xffff);
        if small_bytes > 0 {
            return (small_bytes <= 4).then_some(Part {
                kind: small_kind,
                start: at + 4,
                bytes: small_bytes,
                next: at + TAG_BYTES,
            });
        }
        let bytes = order.word(head, at + 4)? as usize;
        let start = at + TAG_BYTES;
        Some(Part {
            kind: first,
            start,
            bytes,
            next: start.checked_add(bytes.checked_next_multiple_of(TAG_BYTES)?)?,
        })
    }

    fn slice<'a>(&self, head: &'a [u8]) -> Option<&'a [u8]> {
        head.get(self.start..self.start.checked_add(self.bytes)?)
    }
}

impl ByteOrder {
    pub fn word(self, bytes: &[u8], at: usize) -> Option<u32> {
        let word = bytes.get(at..at.checked_add(4)?)?.first_chunk::<4>()?;
        Some(match self {
            ByteOrder::Little => u32::from_le_bytes(*word),
            ByteOrder::Big => u32::from_be_bytes(*word),
        })
    }

    pub fn bytes(self, word: u32) -> [u8; 4] {
        match self {
            ByteOrder::Little => word.to_le_bytes(),
            ByteOrder::Big => word.to_be_bytes(),
        }
    }
}

/// Bytes per number of a data type; `None` for other types.
pub(super) fn number_width(kind: u32) -> Option<usize> {
    match kind {
        1 | 2 => Some(1),
        3 | 4 => Some(2),
        5..=7 => Some(4),
        9 | 12 | 13 => Some(8),
        _ => None,
    }
}

pub(super) fn class_name(class: u8) -> &'static str {
    match class {
        1 => "a cell array",
        2 => "a structure",
        3 => "an object",
        4 => "text",
        5 => "a sparse matrix",
        6 => "double",
        7 => "single",
        8 => "int8",
        9 => "uint8",
        10 => "int16",
        11 => "uint16",
        12 => "int32",
        13 => "uint32",
        14 => "int64",
        15 => "uint64",
        _ => "of an unknown class",
    }
}
