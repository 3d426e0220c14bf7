//! The space that a cache may take on the disk, shared by all processes that use it.
//!
//! A file holds the number of bytes that are taken. A process takes space in portions, under the file's lock, so that it rarely has to
//! ask; what is left of a portion goes back at its end. A process that is alone counts anew what a killed one left.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::removal;

/// Space that a process takes at a time, in bytes: 250 photographs reduced for random crops of 224x224.
const PORTION: u64 = 64 << 20;

/// A process takes at most this share of the whole at a time.
const PORTIONS: u64 = 16;

/// The file with the number of bytes that are taken, whose lock also guards the making and removing of folders.
const USAGE: &str = "usage";

/// Digits of the largest number of bytes.
const DIGITS: usize = 20;

/// The space of a cache.
#[derive(Debug)]
pub struct Space {
    root: PathBuf,
    limit: u64,
    /// Taken by this process, and not used yet.
    left: Mutex<u64>,
    /// Entries of files that are gone are looked for once.
    has_tidied: AtomicBool,
}

impl Space {
    /// The space of the cache in `root`: `limit` bytes.
    pub fn new(root: &Path, limit: u64) -> Self {
        Self {
            root: root.to_path_buf(),
            limit,
            left: Mutex::new(0),
            has_tidied: AtomicBool::new(false),
        }
    }

    /// Bytes that may be taken.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Does something while no process makes or removes folders of the cache.
    pub fn guarded<T>(&self, act: impl FnOnce(&mut Usage) -> io::Result<T>) -> io::Result<T> {
        let mut usage = Usage::open(&self.root)?;
        let done = act(&mut usage)?;
        usage.write()?;
        Ok(done)
    }

    /// Takes so many bytes; false if there is no room, even after what no process uses was removed.
    ///
    /// # Errors
    /// The file of the usage can't be read or written.
    pub fn take(&self, bytes: u64) -> io::Result<bool> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if *left < bytes {
            let portion = PORTION.min(self.limit / PORTIONS).max(bytes);
            *left += self.guarded(|usage| self.portion(usage, portion, bytes - *left))?;
        }
        let has_room = *left >= bytes;
        if has_room {
            *left -= bytes;
        }
        Ok(has_room)
    }

    /// Gives back what an entry took that is gone.
    pub fn give_back(&self, bytes: u64) {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) += bytes;
    }

    /// Takes `wanted` bytes, or what there is, at least `least`; or none.
    fn portion(&self, usage: &mut Usage, wanted: u64, least: u64) -> io::Result<u64> {
        if usage.bytes.saturating_add(least) > self.limit {
            let excess = usage.bytes + least - self.limit;
            let tidies = !self.has_tidied.swap(true, Ordering::Relaxed);
            usage.bytes = usage
                .bytes
                .saturating_sub(removal::make_room(&self.root, excess, tidies)?);
        }
        let room = self.limit.saturating_sub(usage.bytes);
        let portion = if room < least { 0 } else { wanted.min(room) };
        usage.bytes += portion;
        Ok(portion)
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        let left = *self.left.get_mut().unwrap_or_else(PoisonError::into_inner);
        if left > 0 {
            // Otherwise the next process that is alone counts anew.
            let _ = self.guarded(|usage| {
                usage.bytes = usage.bytes.saturating_sub(left);
                Ok(())
            });
        }
    }
}

/// The locked number of bytes that are taken.
pub struct Usage {
    file: File,
    /// Taken by entries, and by processes that will write some.
    pub bytes: u64,
}

impl Usage {
    fn open(root: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(root.join(USAGE))?;
        match file.lock() {
            // A file system without locks.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
            locked => locked?,
        }
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let bytes = text.trim().parse().unwrap_or(0);
        Ok(Self { file, bytes })
    }

    fn write(&mut self) -> io::Result<()> {
        // In place and always as long, so that a full disk does not matter.
        self.file.rewind()?;
        writeln!(self.file, "{:>DIGITS$}", self.bytes)
    }
}
