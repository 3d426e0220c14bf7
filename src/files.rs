//! Writing files so that nobody ever sees half of one, whatever happens to the process or the machine meanwhile.
//!
//! A file is written under a temporary name beside its place, flushed to the disk and renamed; the folder's entry is flushed
//! too. A process that dies leaves at most a temporary file ([`remove_temporaries`]). And reading them so that no file fills
//! the memory ([`read`]).

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

/// What temporary files are called: `.kiln-<random>.tmp`.
const PREFIX: &str = ".kiln-";
const SUFFIX: &str = ".tmp";

/// Permissions of a new file: readable by all, narrowed by the umask (tempfile's default is private).
#[cfg(unix)]
const FILE_MODE: u32 = 0o666;

/// The same of a new folder.
#[cfg(unix)]
const FOLDER_MODE: u32 = 0o777;

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
    let folder = folder_of(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(FILE_MODE));
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
    // Who may read a file is its owner's decision.
    if let Ok(before) = std::fs::metadata(path) {
        let _ = temporary.as_file().set_permissions(before.permissions());
    }
    temporary.as_file().sync_all().map_err(error)?;
    temporary
        .persist(path)
        .map_err(|failed| error(failed.error))?;
    sync_folder(folder).map_err(error)
}

/// The folder that a file or folder is in, by its path.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Adds a line to a file, whole or not at all.
pub fn append_line(path: &Path, line: &[u8]) -> Result<(), WriteError> {
    let append = || -> std::io::Result<()> {
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.create(true).append(true).open(path)?;
        let before = file.metadata()?.len();
        let line = [line, b"\n"].concat();
        file.write_all(&line).inspect_err(|_| {
            // A full disk takes the first half.
            let _ = file.set_len(before);
        })
    };
    append().map_err(|source| WriteError::new(path, source))
}

/// An empty folder of a temporary name in `parent`, to be filled and renamed; gone with the value.
pub fn temporary_folder(parent: &Path) -> std::io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(FOLDER_MODE));
    }
    builder.tempdir_in(parent)
}

/// Whether a file or folder of this name is a temporary one.
pub fn is_temporary(name: &std::ffi::OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// Removes what a process that died has left of files that it was writing to this folder. Only for who alone works there.
pub fn remove_temporaries(folder: &Path) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        if is_temporary(&entry.file_name()) {
            // They are in nobody's way.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Makes sure that the names of a folder's files are on the disk, where the system can say so.
pub fn sync_folder(folder: &Path) -> std::io::Result<()> {
    // A folder that may be written but not read can't be opened either.
    #[cfg(unix)]
    if let Ok(folder) = std::fs::File::open(folder)
        && let Err(error) = folder.sync_all()
    {
        use std::io::ErrorKind::{InvalidInput, Unsupported};
        // Some network file systems flush no folders.
        return match error.kind() {
            InvalidInput | Unsupported => Ok(()),
            _ => Err(error),
        };
    }
    #[cfg(not(unix))]
    let _ = folder;
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
