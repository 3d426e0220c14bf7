//! Zip archives.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::error::{UnpackError, damaged, no_archive, outside, twice};
use super::output::Output;

/// The headers in the list at the end of a zip archive (APPNOTE 6.3.10, section 4.3.12): their mark, the length of the part before the name, and where
/// the lengths of the name, of extra fields and of a comment are in it, two bytes each.
const HEADER_MARK: &[u8] = b"PK\x01\x02";
const HEADER_BYTES: usize = 46;
const LENGTHS: [usize; 3] = [28, 30, 32];

/// The names that are more than once in the list of a zip archive, which begins at `start`: of several such entries, readers see one.
///
/// # Errors
/// It can't be read.
pub fn repeated_names(reader: &mut (impl Read + Seek), start: u64) -> io::Result<Vec<String>> {
    reader.seek(SeekFrom::Start(start))?;
    let mut counts: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut header = [0; HEADER_BYTES];
    while reader.read_exact(&mut header).is_ok() && header.starts_with(HEADER_MARK) {
        let length = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let [name, extra, comment] = LENGTHS.map(length);
        let mut bytes = vec![0; name.into()];
        reader.read_exact(&mut bytes)?;
        reader.seek(SeekFrom::Current(i64::from(extra) + i64::from(comment)))?;
        *counts.entry(bytes).or_default() += 1;
    }
    let repeated = counts.into_iter().filter(|(_, count)| *count > 1);
    let mut names: Vec<String> = repeated
        .map(|(name, _)| String::from_utf8_lossy(&name).into_owned())
        .collect();
    names.sort();
    Ok(names)
}

/// Refuses an archive that has a wanted file twice.
fn refuse_repeated(
    reader: &mut BufReader<&mut File>,
    start: u64,
    output: &mut Output,
) -> Result<(), UnpackError> {
    let names = repeated_names(reader, start).map_err(|error| no_archive("zip", error))?;
    for name in names.iter().filter(|name| !name.ends_with(['/', '\\'])) {
        if output.target(name)?.is_some() {
            return Err(twice(name));
        }
    }
    Ok(())
}

/// Unpacks the wanted files.
pub fn unpack(archive: &mut File, output: &mut Output) -> Result<(), UnpackError> {
    let broken = |error| no_archive("zip", error);
    let mut archive = zip::ZipArchive::new(BufReader::new(archive)).map_err(broken)?;
    if archive.has_duplicate_names() {
        let start = archive.central_directory_start();
        let mut reader = archive.into_inner();
        refuse_repeated(&mut reader, start, output)?;
        archive = zip::ZipArchive::new(reader).map_err(broken)?;
    }
    for index in 0..archive.len() {
        // Raw: entries that are not wanted need not be of a kind that can be unpacked.
        let entry = archive.by_index_raw(index).map_err(broken)?;
        let name = entry.name().map_err(|error| no_archive("zip", error))?;
        let name = name.into_owned();
        if entry.is_symlink() {
            return Err(outside(&name, "is a link"));
        }
        let is_file = entry.is_file();
        drop(entry);
        if let Some(path) = output.target(&name)?.filter(|_| is_file) {
            let mut entry = archive
                .by_index(index)
                .map_err(|error| damaged(&name, error))?;
            output.write(&mut entry, &name, &path)?;
        }
    }
    Ok(())
}
