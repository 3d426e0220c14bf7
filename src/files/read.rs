//! Reading files so that none of them fills the memory.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::error::FileError;

/// The problem of a file without any content.
pub const EMPTY: &str = "the file is empty";

/// A string without the byte order mark that some editors write in front.
pub fn without_mark(text: &str) -> &str {
    text.trim_start_matches('\u{feff}')
}

/// Bytes as hexadecimal digits, as checksums are written.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Asks the system to fetch a file from the disk, without waiting for it; false if it can't be opened.
pub fn read_soon(path: &Path) -> bool {
    let Ok(file) = std::fs::File::open(path) else {
        return false;
    };
    // Without that advice, reading takes longer, and that is all.
    #[cfg(all(
        feature = "app",
        any(target_os = "linux", target_os = "android", target_os = "freebsd")
    ))]
    let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::WillNeed);
    drop(file);
    true
}

/// Opens a file to read it; fails for a folder, which Unix opens as well, and for pipes and devices, which may wait for somebody to
/// write.
pub fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    // Without it, opening a pipe waits for a writer.
    #[cfg(all(unix, feature = "app"))]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    let file = options.read(true).open(path)?;
    let kind = file.metadata()?;
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !kind.is_file() {
        return Err(io::Error::other("this is not a regular file"));
    }
    Ok(file)
}

/// Reads a whole file of at most `max` bytes.
pub fn read(path: &Path, max: u64) -> std::io::Result<Vec<u8>> {
    read_up_to(path, max)?.ok_or_else(|| too_long(max))
}

fn too_long(max: u64) -> io::Error {
    io::Error::other(format!(
        "larger than the limit of {max} bytes for such a file"
    ))
}

/// Maximum length in bytes of a text file: histories, summaries, class names, ground truth. Configs have a limit of their own.
const MAX_TEXT: u64 = 256 << 20;

/// Reads a whole UTF-8 text file of at most 256 MiB.
pub fn read_text(path: &Path) -> io::Result<String> {
    text_of(&mut File::open(path)?)
}

fn text_of(file: &mut File) -> io::Result<String> {
    let bytes = bounded(file, MAX_TEXT)?.ok_or_else(|| too_long(MAX_TEXT))?;
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not valid UTF-8 text"))
}

/// Like [`read_text`], of a regular file alone: what is found in a folder must not make its reader wait, as a pipe would.
pub fn read_regular_text(path: &Path) -> io::Result<String> {
    text_of(&mut open(path)?)
}

/// The lines of a text file that the user named, without spaces around them; empty ones at its end don't count. A file
/// that is not text is wrong usage.
pub fn read_lines(path: &Path) -> Result<Vec<String>, FileError> {
    let text = read_text(path).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => FileError::named(path, error).usage(),
        _ => FileError::named(path, error),
    })?;
    let lines = without_mark(&text).trim_end().lines();
    Ok(lines.map(|line| line.trim().to_string()).collect())
}

/// Like [`read`]; `None` if there are more than `max` bytes. Counted while reading: devices and pipes report no size, and files
/// may grow.
pub fn read_up_to(path: &Path, max: u64) -> std::io::Result<Option<Vec<u8>>> {
    bounded(&mut File::open(path)?, max)
}

fn bounded(file: &mut File, max: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(max + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= max).then_some(bytes))
}

/// `count` bytes from `start` on, of an open file of `length` bytes. Nothing is allocated unless they are there.
pub fn read_at(mut file: &File, start: u64, count: u64, length: u64) -> io::Result<Vec<u8>> {
    let end = start.checked_add(count).filter(|&end| end <= length);
    let (Some(_), Ok(count)) = (end, usize::try_from(count)) else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = vec![0; count];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}
