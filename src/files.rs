//! Writing files so that nobody ever sees half of one, and reading them so that no file fills the memory.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: can't be written: {source}", path.display())]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

impl WriteError {
    /// Names the file that an I/O error belongs to.
    pub fn new(path: &Path, source: std::io::Error) -> Self {
        Self {
            path: path.to_path_buf(),
            source,
        }
    }
}

/// Most characters that are repeated of what somebody else says of a file.
const MOST_SAID: usize = 600;

/// What is said of a file, in one line of a sane length: other people's errors have several, and repeat what the file holds,
/// whatever that is.
pub fn said(what: impl std::fmt::Display) -> String {
    let text = what.to_string();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = line
        .chars()
        .take(MOST_SAID)
        .map(|letter| match letter.is_control() {
            true => char::REPLACEMENT_CHARACTER,
            false => letter,
        })
        .collect();
    if line.chars().nth(MOST_SAID).is_some() {
        short.push_str("...");
    }
    short
}

/// Reads a whole file of at most `most` bytes. Not by the size that it says it has: devices and pipes have none, and some files
/// grow.
pub fn read(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?
        .take(most + 1)
        .read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => Err(std::io::Error::other(format!(
            "has more than the {most} bytes that kiln reads of such a file"
        ))),
        false => Ok(bytes),
    }
}

/// Writes `bytes` to a temporary file beside `path`, then renames it: `path` holds the old content or the new one.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    write_with(path, |file| file.write_all(bytes))
}

/// Like [`write`], with a function that produces the content.
pub fn write_with(
    path: &Path,
    content: impl FnOnce(&mut std::io::BufWriter<&mut std::fs::File>) -> std::io::Result<()>,
) -> Result<(), WriteError> {
    let error = |source| WriteError::new(path, source);
    // A link is followed to the file that it names; what is no regular file (a device, a pipe) is written as it stands.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    if target.exists() && !target.is_file() {
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .open(&target)
            .map_err(error)?;
        let mut buffered = std::io::BufWriter::new(&mut file);
        return content(&mut buffered)
            .and_then(|()| buffered.flush())
            .map_err(error);
    }
    let path = target.as_path();
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".kiln-").suffix(".tmp");
    #[cfg(unix)]
    {
        // As any other new file: readable by all, narrowed by the umask (tempfile's default is private).
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    // The kind alone: the error's text would name the temporary file.
    let mut temporary = builder
        .tempfile_in(folder)
        .map_err(|failed| match failed.kind() {
            std::io::ErrorKind::NotFound => error(std::io::Error::other("there is no such folder")),
            kind => error(kind.into()),
        })?;
    {
        let mut buffered = std::io::BufWriter::new(temporary.as_file_mut());
        content(&mut buffered).map_err(error)?;
        buffered.flush().map_err(error)?;
    }
    temporary.as_file().sync_all().map_err(error)?;
    temporary
        .persist(path)
        .map_err(|failed| error(failed.error))?;
    Ok(())
}

/// Encodes an image as PNG and writes it as [`write`] does.
pub fn write_png(path: &Path, image: &image::RgbImage) -> Result<(), WriteError> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image
        .write_to(&mut bytes, image::ImageFormat::Png)
        .map_err(|error| WriteError::new(path, std::io::Error::other(error)))?;
    write(path, &bytes.into_inner())
}
