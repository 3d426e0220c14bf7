//! How a changed file is told from an unchanged one without reading it: by its size and the time of its last change.

use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Coarsest times of changes that file systems keep (FAT: 2 s). What changed more recently may change again without another time.
const COARSEST_TIME: Duration = Duration::from_secs(2);

/// Size and time of the last change of a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// In bytes; 0 for folders.
    size: u64,
    /// In nanoseconds since 1970, negative before.
    modified: i64,
}

impl Stamp {
    /// Length of [`to_bytes`](Self::to_bytes).
    pub const BYTES: usize = 16;

    /// The stamp of a file or folder; links are followed.
    ///
    /// # Errors
    /// It can't be asked, or the system keeps no times.
    pub fn of(path: &Path) -> io::Result<Self> {
        let data = std::fs::metadata(path)?;
        let modified = data.modified()?;
        let size = if data.is_dir() { 0 } else { data.len() };
        Ok(Self {
            size,
            modified: nanoseconds(modified),
        })
    }

    /// Whether a later change is sure to have another stamp.
    pub fn is_settled(&self) -> bool {
        let age = nanoseconds(SystemTime::now()).saturating_sub(self.modified);
        age > COARSEST_TIME.as_nanos() as i64
    }

    /// As it is stored.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&self.size.to_le_bytes());
        bytes[8..].copy_from_slice(&self.modified.to_le_bytes());
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) stored.
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let [size, modified] = [0, 8].map(|at| {
            let mut part = [0; 8];
            part.copy_from_slice(&bytes[at..at + 8]);
            part
        });
        Self {
            size: u64::from_le_bytes(size),
            modified: i64::from_le_bytes(modified),
        }
    }
}

/// Nanoseconds since 1970; the years 1678 to 2262 fit.
fn nanoseconds(time: SystemTime) -> i64 {
    let clipped = |age: Duration| i64::try_from(age.as_nanos()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => clipped(after),
        Err(before) => -clipped(before.duration()),
    }
}
