//! Where the content of an archive is kept, and whether it is still that of the archive.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::FileError;
use crate::files::{self, LockFile};
use crate::progress::Monitor;

/// The file in an unpacked folder that says of which archive it is; hidden, so that it is not part of the data.
pub const STAMP: &str = ".kiln-unpacked.json";

/// What is added to the name of an archive for its folder, and for the lock while it is unpacked.
const UNPACKED: &str = "unpacked";
const LOCK: &str = "lock";

/// Pause between two looks at a lock.
const WAIT: Duration = Duration::from_millis(100);

/// Digits of the archive's path in the name of its folder in the cache.
const DIGITS: usize = 16;

/// What tells one version of an archive from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    /// Length in bytes.
    bytes: u64,
    /// When it was last changed: seconds and nanoseconds since 1970.
    seconds: u64,
    nanoseconds: u32,
}

/// The place of an archive's content.
pub struct Cache {
    /// The folder.
    pub folder: PathBuf,
    stamp: Stamp,
}

impl Cache {
    /// Beside the archive, or in kiln's cache folder if that can't be written.
    pub fn of(archive: &Path) -> Result<Self, FileError> {
        let failed = |error| FileError::io(archive, error);
        // Links are followed: one archive has one place.
        let archive = &std::fs::canonicalize(archive).map_err(failed)?;
        let about = archive.metadata().map_err(failed)?;
        let changed = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let since = changed.duration_since(SystemTime::UNIX_EPOCH);
        let since = since.unwrap_or_default();
        let stamp = Stamp {
            bytes: about.len(),
            seconds: since.as_secs(),
            nanoseconds: since.subsec_nanos(),
        };
        let beside = archive.with_added_extension(UNPACKED);
        let parent = files::folder_of(archive);
        // What was unpacked when the folder could be written is still used.
        let folder = if beside.exists() || is_writable(parent) {
            beside
        } else {
            in_cache(archive)?
        };
        Ok(Self { folder, stamp })
    }

    /// Whether the folder is there, with the content of the archive as it is now.
    pub fn is_current(&self) -> bool {
        let stamp = std::fs::read(self.folder.join(STAMP)).ok();
        let stamp = stamp.and_then(|bytes| serde_json::from_slice::<Stamp>(&bytes).ok());
        stamp.as_ref() == Some(&self.stamp)
    }

    /// Refuses a folder that kiln did not make.
    pub fn validate_place(&self) -> Result<(), FileError> {
        if self.folder.exists() && !self.folder.join(STAMP).exists() {
            let problem = "is in the way: the archive would be unpacked here, but kiln did not create this folder";
            return Err(FileError::new(&self.folder, problem)
                .advise("move it away, or name it in place of the archive"));
        }
        Ok(())
    }

    /// Keeps other processes from unpacking the same archive; waits while one does.
    pub fn lock(&self, monitor: &Monitor) -> Result<LockFile, super::error::LocateError> {
        let path = self.folder.with_added_extension(LOCK);
        if let Some(lock) = LockFile::acquire(&path)? {
            return Ok(lock);
        }
        let _stage = monitor.stage("waiting for another process to unpack it", None);
        loop {
            monitor.cancel().sleep(WAIT)?;
            if let Some(lock) = LockFile::acquire(&path)? {
                return Ok(lock);
            }
        }
    }

    /// Moves a finished folder to its place. An older one is replaced.
    pub fn put(&self, made: tempfile::TempDir) -> Result<(), FileError> {
        let failed = |error| FileError::write(&self.folder, error);
        let stamp = serde_json::to_vec(&self.stamp).map_err(std::io::Error::other);
        let written = files::write(&made.path().join(STAMP), &stamp.map_err(failed)?);
        written.map_err(|error| error.moved(made.path(), &self.folder))?;
        files::sync_tree(made.path()).map_err(failed)?;
        let parent = files::folder_of(&self.folder);
        if self.folder.exists() {
            // Away first, so that a process that dies leaves no mixture; removed with the value.
            let old = files::temporary_folder(parent).map_err(failed)?;
            std::fs::rename(&self.folder, old.path().join(UNPACKED)).map_err(failed)?;
        }
        files::publish_folder(made, &self.folder).map_err(failed)
    }
}

/// Whether files can be made in a folder.
fn is_writable(folder: &Path) -> bool {
    files::temporary_folder(folder).is_ok()
}

/// The place in `$XDG_CACHE_HOME/kiln`, or in `~/.cache/kiln`.
fn in_cache(archive: &Path) -> Result<PathBuf, FileError> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let base = variable("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| Path::new(&home).join(".cache")));
    let base = base.ok_or_else(|| {
        FileError::new(
            archive,
            "its folder can't be written, and there is no HOME to unpack it to",
        )
        .advise("set XDG_CACHE_HOME, or unpack it and name the folder instead")
    })?;
    let folder = base.join("kiln").join(UNPACKED);
    std::fs::create_dir_all(&folder).map_err(|error| FileError::create(&folder, error))?;
    let digits = files::hexadecimal(&Sha256::digest(archive.as_os_str().as_encoded_bytes()));
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    Ok(folder.join(format!("{name}-{}", &digits[..DIGITS])))
}
