//! Limits that a weights file must satisfy before a third-party reader opens it.
//!
//! The readers check much themselves, but not that the description stays small next to the weights: a pickle of a hundred
//! megabytes of `None` becomes ten gigabytes of objects, and compressed it fits into a hundred kilobytes. Nothing here executes
//! a pickle; neither does the reader, which knows the handful of calls that rebuild tensors and treats every other as an opaque
//! name. Errors are one problem without the file's name.

use std::fs::File;
use std::io::{BufReader, Read, Seek};

use safetensors::tensor::Metadata;

use super::pickle;

/// Maximum length of a file: the largest network that a config may describe (2^28 values) in 64 bits, and as much again for
/// what is saved beside it.
pub const MAX_FILE_BYTES: u64 = 4 << 30;
/// Maximum length of a safetensors header. A tensor takes about a hundred bytes of it, so this is one of 80,000 tensors.
pub const MAX_HEADER_BYTES: u64 = 8 << 20;
/// Pickles before the weights in a file of PyTorch < 1.6: magic number, version, system, the weights' description,
/// and the list of their keys.
const LEGACY_PICKLES: usize = 5;
/// Maximum number of zip entries: one per tensor, and a few more.
const MAX_ENTRIES: usize = 65_536;
/// Maximum total bytes that compressed entries may unpack to. `torch.save` compresses nothing.
const MAX_UNPACKED_BYTES: u64 = 64 << 20;
/// The entry of a zip that describes the tensors.
const PICKLE_ENTRY: &str = "data.pkl";
/// Bytes of the length field before a safetensors header.
const LENGTH_BYTES: u64 = 8;
/// Offset and text of a tar archive's signature.
const TAR_MAGIC: (usize, &[u8]) = (257, b"ustar");

/// Checks a file of any kind, from its start; leaves the read position anywhere.
pub fn check(file: &mut File) -> Result<(), String> {
    let length = length(file)?;
    let start = start(file)?;
    if is_safetensors(&start) {
        safetensors(file, length).map(|_| ())
    } else if start.starts_with(b"PK") {
        zip(file)
    } else if start.get(TAR_MAGIC.0..).unwrap_or_default() == TAR_MAGIC.1 {
        Err("written by PyTorch < 0.1.10; re-save it with a newer version".into())
    } else {
        pickle::check(BufReader::new(file), LEGACY_PICKLES)
    }
}

/// Whether a file that begins like this is safetensors: after the length of the header, JSON.
pub fn is_safetensors(start: &[u8]) -> bool {
    start.get(LENGTH_BYTES as usize) == Some(&b'{')
}

/// The first bytes of a file, as many as it takes to recognise its format.
pub fn start(file: &mut File) -> Result<Vec<u8>, String> {
    let mut start = Vec::new();
    let most = (TAR_MAGIC.0 + TAR_MAGIC.1.len()) as u64;
    file.rewind()
        .and_then(|()| file.take(most).read_to_end(&mut start))
        .map_err(text)?;
    file.rewind().map_err(text)?;
    Ok(start)
}

/// Checks that a safetensors file of `length` bytes is as long as its header says, and that the header is not too large.
/// Returns the header's description of the tensors.
pub fn safetensors(file: &mut File, length: u64) -> Result<Metadata, String> {
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
    file.take(size).read_to_end(&mut header).map_err(text)?;
    let header: Metadata = serde_json::from_slice(&header)
        .map_err(|error| format!("its header can't be read: {error}"))?;
    let claimed = (size + LENGTH_BYTES).saturating_add(header.data_len() as u64);
    if claimed == length {
        Ok(header)
    } else {
        Err(format!(
            "file is {length} bytes long; its header implies {claimed}"
        ))
    }
}

/// The file's length, within the limit.
fn length(file: &File) -> Result<u64, String> {
    let about = file.metadata().map_err(text)?;
    match about.len() {
        _ if !about.is_file() => Err("this is not a regular file".into()),
        length if length > MAX_FILE_BYTES => Err(format!(
            "it has {length} bytes, more than the {MAX_FILE_BYTES} that kiln reads"
        )),
        length => Ok(length),
    }
}

fn zip(file: &mut File) -> Result<(), String> {
    let mut archive = zip::ZipArchive::new(BufReader::new(file))
        .map_err(|error| format!("the zip archive can't be read ({error})"))?;
    if archive.len() > MAX_ENTRIES {
        return Err(format!("it contains more than {MAX_ENTRIES} entries"));
    }
    let mut unpacked = 0u64;
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(text)?;
        let name = entry.name().map_err(text)?.into_owned();
        let is_stored = entry.compression() == zip::CompressionMethod::Stored;
        let size = entry.size();
        drop(entry);
        if !is_stored {
            unpacked = unpacked.saturating_add(size);
        }
        if unpacked > MAX_UNPACKED_BYTES {
            return Err(format!(
                "it is compressed and unpacks to more than {MAX_UNPACKED_BYTES} bytes; save it with torch.save"
            ));
        }
        if name.ends_with(PICKLE_ENTRY) {
            if size > pickle::MAX_BYTES {
                return Err(pickle::too_long());
            }
            let entry = archive.by_index(index).map_err(text)?;
            pickle::check(BufReader::new(entry), 1)?;
        }
    }
    Ok(())
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
