//! Locks: a file that one process holds at a time. Runs, sweeps and downloads use them to keep other processes out.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::read::open;
use crate::error::FileError;

/// The wait for someone who only asks whether a file is held, which takes microseconds.
const GLANCE: Duration = Duration::from_micros(200);

/// A lock file that this process holds; it is removed when the lock is dropped. After a crash it stays, unlocked.
#[derive(Debug)]
pub struct LockFile {
    path: PathBuf,
    file: File,
}

impl LockFile {
    /// Creates and locks the file; `None` if another process, or another lock of this one, holds it.
    pub fn acquire(path: &Path) -> Result<Option<Self>, FileError> {
        loop {
            let mut options = OpenOptions::new();
            let file = options
                .create(true)
                .truncate(false)
                .write(true)
                .open(path)
                .map_err(|source| FileError::create(path, source))?;
            if !try_lock(&file) {
                // Whoever holds it lets nobody share it; whoever asks whether it is held shares it for a moment.
                if is_locked(&file) {
                    return Ok(None);
                }
                drop(file);
                std::thread::sleep(GLANCE);
                continue;
            }
            // Between opening and locking, the previous holder may have removed the file: the next process would create another
            // one, and both would hold a lock.
            if is_still_there(&file, path) {
                return Ok(Some(Self {
                    path: path.to_path_buf(),
                    file,
                }));
            }
        }
    }

    /// Whether someone holds the file. Only reads: asking leaves nothing behind.
    pub fn is_held(path: &Path) -> bool {
        open(path).is_ok_and(|file| is_locked(&file))
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // While it is still locked, so that only its holder ever removes it. Elsewhere than on Unix it stays: whether a file
        // was replaced cannot be asked there.
        #[cfg(unix)]
        if is_still_there(&self.file, &self.path) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Refuses a folder on a file system without locks, where two processes would both hold a [`LockFile`].
pub fn require_locks(folder: &Path) -> Result<(), FileError> {
    let file = tempfile::tempfile_in(folder);
    let file = file.map_err(|source| FileError::create(folder, source))?;
    match file.try_lock() {
        Err(TryLockError::Error(source)) => Err(FileError::new(
            folder,
            "its file system has no file locks, which keep several processes apart; use one that has (NFS 4, Lustre mounted with flock)",
        )
        .because(source)),
        Ok(()) | Err(TryLockError::WouldBlock) => Ok(()),
    }
}

/// Whether someone holds an open file for themselves; until it is closed, it is shared.
fn is_locked(file: &File) -> bool {
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Locks an open file until it is closed; false if someone else holds it. On a file system without locks, it always succeeds.
pub fn try_lock(file: &File) -> bool {
    !matches!(file.try_lock(), Err(TryLockError::WouldBlock))
}

/// Whether the path still names the open file.
#[cfg(unix)]
fn is_still_there(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    let id = |data: std::fs::Metadata| (data.dev(), data.ino());
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(open), Ok(named)) => id(open) == id(named),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_still_there(_: &File, _: &Path) -> bool {
    true
}
