//! Files that may be gzipped: told by their content, not by their names.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::data::DataError;
use crate::files::EMPTY;

/// The first bytes of gzip (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Opens a file; gzip is unpacked while it is read.
///
/// # Errors
/// Missing, unreadable or empty, with the file's name.
pub fn open(path: &Path) -> Result<Box<dyn Read>, DataError> {
    let failed = |error| DataError::io(path, error);
    let mut file = File::open(path).map_err(failed)?;
    let mut start = Vec::new();
    let mut head = (&mut file).take(GZIP.len() as u64);
    head.read_to_end(&mut start).map_err(failed)?;
    if start.is_empty() {
        return Err(DataError::format(path, EMPTY));
    }
    file.rewind().map_err(failed)?;
    let file = BufReader::new(file);
    Ok(if start == GZIP {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    })
}
