//! Limits that a file of weights must satisfy before it is read. Errors are one problem without the file's name.

use std::fs::File;
use std::io::{Read, Seek};

use safetensors::tensor::Metadata;

use crate::error::io_problem;

/// Maximum length of a file: the largest network that a config may describe (2^28 values) in 64 bits, and as much again for
/// what is saved beside it.
pub const MAX_FILE_BYTES: u64 = 4 << 30;
/// Maximum length of a safetensors header. A tensor takes about a hundred bytes of it, so this is one of 80,000 tensors.
pub const MAX_HEADER_BYTES: u64 = 8 << 20;
/// Bytes of the length field before a safetensors header.
pub const LENGTH_BYTES: u64 = 8;

/// Whether a file that begins like this is safetensors: after the length of the header, JSON.
pub fn is_safetensors(start: &[u8]) -> bool {
    start.get(LENGTH_BYTES as usize) == Some(&b'{') && !is_text(start)
}

/// Whether a file that begins like this is text: the length of a safetensors header has zeros among its eight bytes.
pub fn is_text(start: &[u8]) -> bool {
    let mut first = start.iter().take(LENGTH_BYTES as usize);
    first.all(|byte| byte.is_ascii() && (!byte.is_ascii_control() || byte.is_ascii_whitespace()))
}

/// Checks that a safetensors file of `length` bytes is as long as its header says, and that the header is not too large.
/// Returns the header's description of the tensors, and where their bytes begin.
pub fn safetensors(file: &mut File, length: u64) -> Result<(Metadata, u64), String> {
    let mut size = [0; LENGTH_BYTES as usize];
    file.rewind()
        .and_then(|()| file.read_exact(&mut size))
        .map_err(|_| format!("{length} bytes are too few for a header"))?;
    let size = u64::from_le_bytes(size);
    let room = length.saturating_sub(LENGTH_BYTES);
    if size > MAX_HEADER_BYTES || size > room {
        return Err(format!(
            "its header length is {size} bytes; {room} are available, the maximum is {MAX_HEADER_BYTES}"
        ));
    }
    let mut header = Vec::new();
    file.take(size)
        .read_to_end(&mut header)
        .map_err(|error| io_problem(&error))?;
    let header: Metadata = serde_json::from_slice(&header)
        .map_err(|error| format!("its header can't be read: {error}"))?;
    let start = size + LENGTH_BYTES;
    let claimed = start.saturating_add(header.data_len() as u64);
    if claimed == length {
        Ok((header, start))
    } else {
        Err(format!(
            "file is {length} bytes long; its header implies {claimed}"
        ))
    }
}

/// The file's length, within the limit.
pub fn length(file: &File) -> Result<u64, String> {
    let about = file.metadata().map_err(|error| io_problem(&error))?;
    match about.len() {
        _ if !about.is_file() => Err("this is not a regular file".into()),
        length if length > MAX_FILE_BYTES => Err(format!(
            "it has {length} bytes, more than the {MAX_FILE_BYTES} that kiln reads"
        )),
        length => Ok(length),
    }
}
