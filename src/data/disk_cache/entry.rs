//! An image in the cache: a file with the pixels, a checksum, and the stamp of the file that they were decoded from.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::stamp::Stamp;
use crate::files;

/// The first bytes of an entry, with the version of its format.
const MAGIC: [u8; 8] = *b"kilnimg1";

/// Bytes before the name: magic, stamp, width, height, channels, length of the name (4 bytes each), CRC-32.
const HEADER: usize = MAGIC.len() + Stamp::BYTES + 4 * 4 + 4;

/// Maximum length of a name in bytes: that of a path on Linux.
const MAX_NAME: usize = 4096;

/// An image as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredImage {
    /// In pixels.
    pub width: usize,
    /// In pixels.
    pub height: usize,
    /// Values of a pixel.
    pub channels: usize,
    /// `width * height * channels` values, in the order that its owner gave them.
    pub bytes: Box<[u8]>,
}

/// What the cache has of an image.
#[derive(Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The image.
    Hit(StoredImage),
    /// Nothing.
    Missing,
    /// The image as it was before its file changed.
    Stale,
    /// An entry that is incomplete or whose checksum does not match, or that can't be read.
    Damaged,
}

/// Bytes of an entry on the disk.
pub fn length(name: &str, image: &StoredImage) -> u64 {
    (HEADER + name.len() + image.bytes.len()) as u64
}

/// Writes an entry: whole or not at all, unless the machine dies.
pub fn write(path: &Path, name: &str, stamp: Stamp, image: &StoredImage) -> io::Result<()> {
    let mut header = Vec::with_capacity(HEADER + name.len());
    header.extend(MAGIC);
    header.extend(stamp.to_bytes());
    for number in [image.width, image.height, image.channels, name.len()] {
        let number = u32::try_from(number).map_err(io::Error::other)?;
        header.extend(number.to_le_bytes());
    }
    let sum = checksum(&header, name.as_bytes(), &image.bytes);
    header.extend(sum.to_le_bytes());
    header.extend(name.as_bytes());
    files::write_unflushed(path, &[&header, &image.bytes])
}

/// Reads the entry of an image whose file has this name and stamp now.
pub fn read(path: &Path, name: &str, stamp: Stamp) -> Lookup {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Lookup::Missing,
        Err(_) => return Lookup::Damaged,
    };
    read_open(&mut file, name, stamp).unwrap_or(Lookup::Damaged)
}

/// The name of the file that an entry was made of; `None` if it can't be read.
pub fn name(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let header = Header::read(&mut file)?;
    header.name(&mut file)
}

/// `None` if it is damaged.
fn read_open(file: &mut File, name: &str, stamp: Stamp) -> Option<Lookup> {
    let length = file.metadata().ok()?.len();
    let header = Header::read(file)?;
    let values = header.values()?;
    // Before anything is allocated.
    if length != (HEADER + header.name_length) as u64 + values {
        return None;
    }
    if header.name(file)? != name {
        return Some(Lookup::Missing);
    }
    if header.stamp != stamp {
        return Some(Lookup::Stale);
    }
    let mut bytes = vec![0; usize::try_from(values).ok()?].into_boxed_slice();
    file.read_exact(&mut bytes).ok()?;
    let sum = checksum(&header.bytes[..HEADER - 4], name.as_bytes(), &bytes);
    (sum == header.sum).then_some(Lookup::Hit(StoredImage {
        width: header.width,
        height: header.height,
        channels: header.channels,
        bytes,
    }))
}

/// CRC-32 of an entry without its checksum: it finds accidents, not forgeries.
fn checksum(header: &[u8], name: &[u8], pixels: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    for part in [header, name, pixels] {
        sum.update(part);
    }
    sum.finalize()
}

struct Header {
    bytes: [u8; HEADER],
    stamp: Stamp,
    width: usize,
    height: usize,
    channels: usize,
    name_length: usize,
    sum: u32,
}

impl Header {
    fn read(file: &mut File) -> Option<Self> {
        let mut bytes = [0; HEADER];
        file.read_exact(&mut bytes).ok()?;
        let (magic, rest) = bytes.split_first_chunk::<8>()?;
        let (stamp, rest) = rest.split_first_chunk::<{ Stamp::BYTES }>()?;
        let (numbers, _) = rest.as_chunks::<4>();
        let numbers: &[[u8; 4]; 5] = numbers.try_into().ok()?;
        let [width, height, channels, name_length, sum] = numbers.map(u32::from_le_bytes);
        (*magic == MAGIC && name_length as usize <= MAX_NAME).then_some(Self {
            bytes,
            stamp: Stamp::from_bytes(*stamp),
            width: width as usize,
            height: height as usize,
            channels: channels as usize,
            name_length: name_length as usize,
            sum,
        })
    }

    /// Number of values of the image.
    fn values(&self) -> Option<u64> {
        let plane = (self.width as u64).checked_mul(self.height as u64)?;
        plane.checked_mul(self.channels as u64)
    }

    /// The name, which follows the header.
    fn name(&self, file: &mut File) -> Option<String> {
        let mut name = vec![0; self.name_length];
        file.read_exact(&mut name).ok()?;
        String::from_utf8(name).ok()
    }
}
