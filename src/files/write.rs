//! Atomic writes: a file has its old content or its new one, even if the process or the machine dies meanwhile.
//!
//! A file is written under a temporary name in the same folder, flushed to the disk and renamed; the folder's entry is flushed
//! too. A process that dies leaves at most a temporary file ([`remove_temporaries`](super::remove_temporaries)).

use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

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
    let write = || {
        let target = target(path);
        if let Some(mut file) = in_place(&target)? {
            let mut buffered = std::io::BufWriter::new(&mut file);
            content(&mut buffered)?;
            return buffered.flush();
        }
        written(&target, content)?.persist(&target)?;
        sync_folder(folder_of(&target))
    };
    write().map_err(|source| FileError::write(path, source))
}

/// The file that a path leads to: links are followed.
pub(super) fn target(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

/// A device or pipe, opened; these are written in place. `None` for files, and for what does not exist.
pub(super) fn in_place(target: &Path) -> std::io::Result<Option<std::fs::File>> {
    if !target.exists() || target.is_file() {
        return Ok(None);
    }
    let file = std::fs::OpenOptions::new().write(true).open(target);
    file.map(Some)
}

/// The new content of a file, flushed to the disk beside it under a temporary name; removed with the value.
pub(super) fn written(
    target: &Path,
    content: impl FnOnce(&mut std::io::BufWriter<&mut std::fs::File>) -> std::io::Result<()>,
) -> std::io::Result<NamedTempFile> {
    let mut temporary = temporary_file(folder_of(target))?;
    {
        let mut buffered = std::io::BufWriter::new(temporary.as_file_mut());
        content(&mut buffered)?;
        buffered.flush()?;
    }
    // The permissions of an existing file are its owner's decision.
    if let Ok(before) = std::fs::metadata(target) {
        let _ = temporary.as_file().set_permissions(before.permissions());
    }
    temporary.as_file().sync_all()?;
    Ok(temporary)
}

/// Writes a file that can be made again: under a temporary name, then renamed, but not flushed to the disk. If the machine dies, the
/// file may be damaged.
pub fn write_unflushed(path: &Path, parts: &[&[u8]]) -> std::io::Result<()> {
    let mut temporary = temporary_file(folder_of(path))?;
    for part in parts {
        temporary.as_file_mut().write_all(part)?;
    }
    temporary.persist(path)?;
    Ok(())
}

/// A new file with a temporary name.
fn temporary_file(folder: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(FILE_MODE));
    }
    // Only the kind: the error's text would name the temporary file.
    builder
        .tempfile_in(folder)
        .map_err(|failed| failed.kind().into())
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
