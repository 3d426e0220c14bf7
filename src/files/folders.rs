//! Folders: temporary names, and entries that are really on the disk.

use std::path::Path;

/// What temporary files are called: `.kiln-<random>.tmp`.
pub(super) const PREFIX: &str = ".kiln-";
pub(super) const SUFFIX: &str = ".tmp";

/// Permissions of a new folder: open to all, narrowed by the umask.
#[cfg(unix)]
const FOLDER_MODE: u32 = 0o777;

/// The folder that a file or folder is in, by its path.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
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
