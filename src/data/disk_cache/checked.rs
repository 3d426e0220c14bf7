//! The images of a folder that were decoded without an error once, by name and stamp: they need not be decoded again to check them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::stamp::Stamp;
use crate::error::FileError;
use crate::files;
use crate::rng;

/// The first bytes of the file. What a version of kiln could decode, another one may not.
const MAGIC: &str = concat!("kiln ", env!("CARGO_PKG_VERSION"), " checked images 1\n");

/// Bytes of a record: hash of the name, stamp.
const RECORD: usize = 8 + Stamp::BYTES;

/// Maximum length of the file in bytes: that of 40 million images.
const MAX_FILE: u64 = 1 << 30;

/// Images that were checked.
#[derive(Debug)]
pub struct CheckedImages {
    path: PathBuf,
    before: HashMap<u64, Stamp>,
    new: Mutex<HashMap<u64, Stamp>>,
}

impl CheckedImages {
    /// Those of a file; none if there is no such file, or if it is damaged.
    pub fn load(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
            before: records(path).unwrap_or_default(),
            new: Mutex::default(),
        }
    }

    /// Whether an image was checked as it is now.
    pub fn contains(&self, name: &str, stamp: Stamp) -> bool {
        self.before.get(&rng::hash_name(name)) == Some(&stamp)
    }

    /// Adds an image.
    pub fn add(&self, name: &str, stamp: Stamp) {
        if stamp.is_settled() {
            self.locked().insert(rng::hash_name(name), stamp);
        }
    }

    /// Writes what was added, if anything, to what other processes have written meanwhile.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn save(&self) -> Result<(), FileError> {
        let new = std::mem::take(&mut *self.locked());
        if new.is_empty() {
            return Ok(());
        }
        let mut all = records(&self.path).unwrap_or_default();
        all.extend(new);
        let mut bytes = MAGIC.as_bytes().to_vec();
        for (name, stamp) in all {
            bytes.extend(name.to_le_bytes());
            bytes.extend(stamp.to_bytes());
        }
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        files::write(&self.path, &bytes)
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Stamp>> {
        self.new.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The records of a file; `None` if it is not whole.
fn records(path: &Path) -> Option<HashMap<u64, Stamp>> {
    let bytes = files::read(path, MAX_FILE).ok()?;
    let (content, sum) = bytes.split_last_chunk::<4>()?;
    if crc32fast::hash(content) != u32::from_le_bytes(*sum) {
        return None;
    }
    let (records, _) = content
        .strip_prefix(MAGIC.as_bytes())?
        .as_chunks::<RECORD>();
    let records = records.iter().filter_map(|record| {
        let (name, stamp) = record.split_first_chunk::<8>()?;
        let stamp = Stamp::from_bytes(*stamp.first_chunk()?);
        Some((u64::from_le_bytes(*name), stamp))
    });
    Some(records.collect())
}
