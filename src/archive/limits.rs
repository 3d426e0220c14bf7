//! How much an archive may unpack to.

/// How much an archive may unpack to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// All files together, in bytes.
    pub bytes: u64,
    /// One file, in bytes.
    pub file_bytes: u64,
    /// Entries: files and folders, wanted or not.
    pub entries: usize,
}

/// Of an archive of any data set: bytes for each byte of the archive. Images and compressed arrays unpack to a few times their size,
/// drawn black and white images to twenty times; deflate can't do more than a thousand times, and bombs do that.
const MAX_RATIO: u64 = 100;

/// Bytes of any archive, however small.
const MIN_BYTES: u64 = 64 << 20;

/// Entries of any archive: ImageNet has 1.4 million.
const MAX_ENTRIES: usize = 10_000_000;

impl Limits {
    /// Of a user's archive of `length` bytes.
    pub fn of_length(length: u64) -> Self {
        let bytes = length.saturating_mul(MAX_RATIO).max(MIN_BYTES);
        Self {
            bytes,
            file_bytes: bytes,
            entries: MAX_ENTRIES,
        }
    }
}
