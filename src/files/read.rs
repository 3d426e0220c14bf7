//! Reading files so that none of them fills the memory.

use std::io::Read;
use std::path::Path;

/// A text without the byte order mark that some editors put in front.
pub fn without_mark(text: &str) -> &str {
    text.trim_start_matches('\u{feff}')
}

/// Bytes as hexadecimal digits, as checksums are written.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a whole file of at most `most` bytes.
pub fn read(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    read_up_to(path, most)?.ok_or_else(|| {
        std::io::Error::other(format!(
            "has more than the {most} bytes that kiln reads of such a file"
        ))
    })
}

/// Longest text that is read: histories, summaries, names, truths. Configs have a limit of their own.
const MOST_TEXT: u64 = 256 << 20;

/// Reads a whole text in UTF-8, of at most 256 MiB.
pub fn read_text(path: &Path) -> std::io::Result<String> {
    let bytes = read(path, MOST_TEXT)?;
    String::from_utf8(bytes)
        .map_err(|_| std::io::Error::new(std::io::ErrorKind::InvalidData, "it is no text in UTF-8"))
}

/// [`read`]; `None` if there are more than `most` bytes. Not by the size that the file says it has: devices and pipes have none,
/// and some files grow.
pub fn read_up_to(path: &Path, most: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?
        .take(most + 1)
        .read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}
