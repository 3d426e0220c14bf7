//! Folders: temporary names, and flushing directory entries to the disk.

use std::path::Path;

/// Temporary files are named `.kiln-<random>.tmp`.
pub(super) const PREFIX: &str = ".kiln-";
pub(super) const SUFFIX: &str = ".tmp";

/// Permissions of a new folder: open to all, narrowed by the umask.
#[cfg(unix)]
const FOLDER_MODE: u32 = 0o777;

/// The folder that contains a path.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// An empty folder with a temporary name in `parent`, to be filled and renamed; removed with the value.
///
/// # Errors
/// It can't be created; the error does not mention its name.
pub fn temporary_folder(parent: &Path) -> std::io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(FOLDER_MODE));
    }
    // Only the kind: the error's text would name the temporary folder.
    Ok(builder.tempdir_in(parent).map_err(|error| error.kind())?)
}

/// Gives a filled folder its name, which no folder but an empty one may have yet; without success it is removed.
///
/// # Errors
/// It can't be renamed, or the folder around it not be flushed to the disk.
pub fn publish_folder(made: tempfile::TempDir, place: &Path) -> std::io::Result<()> {
    std::fs::rename(made.path(), place)?;
    // It is no longer there under its temporary name.
    let _ = made.keep();
    sync_folder(folder_of(place))
}

/// Whether a file or folder of this name is a temporary one.
pub fn is_temporary(name: &std::ffi::OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// Removes the temporary files that a killed process left in a folder. The caller must hold the folder's lock.
pub fn remove_temporaries(folder: &Path) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        if is_temporary(&entry.file_name()) {
            // Not removing one does no harm.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Flushes a folder and everything in it to the disk: at once where the system can, else file by file.
pub fn sync_tree(folder: &Path) -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        let open = std::fs::File::open(folder)?;
        Ok(rustix::fs::syncfs(&open)?)
    }
    #[cfg(not(target_os = "linux"))]
    {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                sync_tree(&path)?;
            } else {
                std::fs::File::open(&path)?.sync_all()?;
            }
        }
        sync_folder(folder)
    }
}

/// Flushes the entries of a folder to the disk, where the system supports it.
pub fn sync_folder(folder: &Path) -> std::io::Result<()> {
    // A folder that is writable but not readable cannot be opened.
    #[cfg(unix)]
    if let Ok(folder) = std::fs::File::open(folder)
        && let Err(error) = folder.sync_all()
    {
        use std::io::ErrorKind::{InvalidInput, Unsupported};
        // Some network file systems cannot flush folders.
        return match error.kind() {
            InvalidInput | Unsupported => Ok(()),
            _ => Err(error),
        };
    }
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}
