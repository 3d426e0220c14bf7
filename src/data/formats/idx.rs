//! IDX, the format of MNIST: two zero bytes, the type of the values, the number of dimensions, the length of each (32 bits), the
//! values; numbers are big-endian. LeCun's page on MNIST describes it.

use std::io::Read;

use super::array::{self, Array, MAX_DIMENSIONS};
use super::numbers::{self, ByteOrder, Kind};

/// What is read, in messages.
const WHAT: &str = "an IDX file";

/// Reads an IDX file, already unpacked.
///
/// # Errors
/// Not an IDX file, more values than are read, or fewer or more than it claims; one problem without the file's name.
pub fn read(stream: &mut dyn Read) -> Result<Array, String> {
    let mut head = [0; 4];
    numbers::read_header(stream, &mut head, WHAT)?;
    let [0, 0, code, dimensions] = head else {
        return Err(not_idx(&head));
    };
    let kind = match code {
        0x08 => Kind::U8,
        0x09 => Kind::I8,
        0x0b => Kind::I16,
        0x0c => Kind::I32,
        0x0d => Kind::F32,
        0x0e => Kind::F64,
        _ => return Err(not_idx(&head)),
    };
    let dimensions = usize::from(dimensions);
    if dimensions == 0 || dimensions > MAX_DIMENSIONS {
        return Err(not_idx(&head));
    }
    let mut lengths = Vec::new();
    for _ in 0..dimensions {
        let mut length = [0; 4];
        numbers::read_header(stream, &mut length, WHAT)?;
        lengths.push(u32::from_be_bytes(length) as usize);
    }
    let count = array::count(&lengths)?;
    let values = numbers::read(stream, count, kind, ByteOrder::Big)
        .map_err(|problem| format!("{problem}, {}", array::size(&lengths)))?;
    let mut rest = [0];
    match stream.read(&mut rest) {
        Ok(0) => {}
        Ok(_) => {
            return Err(format!(
                "has more bytes than its {} values",
                array::size(&lengths)
            ));
        }
        Err(error) => return Err(format!("damaged data ({error})")),
    }
    Ok(Array {
        dimensions: lengths,
        is_fortran: false,
        values,
    })
}

fn not_idx(head: &[u8]) -> String {
    format!(
        "is not an IDX file (starts with \"{}\")",
        head.escape_ascii()
    )
}
