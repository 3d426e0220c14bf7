//! Atomic writes: a file has its old content or its new one, even if the process or the machine dies meanwhile.
//!
//! A file is written under a temporary name in the same folder, flushed to the disk and renamed; the folder's entry is flushed
//! too. A process that dies leaves at most a temporary file ([`remove_temporaries`](super::remove_temporaries)).

use std::io::Write;
use std::path::Path;

use super::folders::{PREFIX, SUFFIX, folder_of, sync_folder};
use crate::error::FileError;

/// Permissions of a new file, before the umask (tempfile's default is private).
#[cfg(unix)]
const FILE_MODE: u32 = 0o666;

/// Writes `bytes` to a temporary file beside `path`, then renames it: `path` holds the old content or the new one.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    write_with(path, |file| file.write_all(bytes))
}

/// Like [`write()`], with a function that produces the content.
pub fn write_with(
    path: &Path,
    content: impl FnOnce(&mut std::io::BufWriter<&mut std::fs::File>) -> std::io::Result<()>,
) -> Result<(), FileError> {
    let error = |source| FileError::write(path, source);
    // Links are followed; devices and pipes are written in place.
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
    let folder = folder_of(path);
    // Only the kind: the error's text would name the temporary file.
    let mut temporary = temporary_file(folder).map_err(|failed| error(failed.kind().into()))?;
    {
        let mut buffered = std::io::BufWriter::new(temporary.as_file_mut());
        content(&mut buffered).map_err(error)?;
        buffered.flush().map_err(error)?;
    }
    // The permissions of an existing file are its owner's decision.
    if let Ok(before) = std::fs::metadata(path) {
        let _ = temporary.as_file().set_permissions(before.permissions());
    }
    temporary.as_file().sync_all().map_err(error)?;
    temporary
        .persist(path)
        .map_err(|failed| error(failed.error))?;
    sync_folder(folder).map_err(error)
}

/// Writes a file that can be made again: under a temporary name, then renamed, but not flushed to the disk. If the machine dies, the
/// file may be damaged.
pub fn write_unflushed(path: &Path, parts: &[&[u8]]) -> std::io::Result<()> {
    // Only the kind: the error's text would name the temporary file.
    let mut temporary = temporary_file(folder_of(path)).map_err(|failed| failed.kind())?;
    for part in parts {
        temporary.as_file_mut().write_all(part)?;
    }
    temporary.persist(path)?;
    Ok(())
}

/// A new file with a temporary name.
fn temporary_file(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(FILE_MODE));
    }
    builder.tempfile_in(folder)
}

/// Appends a line to a file, whole or not at all.
pub fn append_line(path: &Path, line: &[u8]) -> Result<(), FileError> {
    let append = || -> std::io::Result<()> {
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.create(true).append(true).open(path)?;
        let before = file.metadata()?.len();
        let line = [line, b"\n"].concat();
        file.write_all(&line).inspect_err(|_| {
            // On a full disk, half of the line was written.
            let _ = file.set_len(before);
        })
    };
    append().map_err(|source| FileError::write(path, source))
}
