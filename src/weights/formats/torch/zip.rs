//! The directory of a zip archive, and where its entries lie (PKWARE's APPNOTE 6.3.10).
//!
//! PyTorch writes the end of every archive in the form for large ones (zip64), with the sizes of the short form filled in as well.
//! A reader that takes the short form's end as the end of the directory looks 76 bytes too far back; where the first entry happens
//! to have 76 bytes (a name of 30 characters: a stem of 21 in front of `/data.pkl`), it finds the second one there and takes the
//! archive for broken. Hence the long form is used wherever there is one.

use std::io::Read;
use std::sync::Arc;

use super::limits::{MAX_DIRECTORY_BYTES, MAX_ENTRIES, MAX_UNPACKED_BYTES};
use crate::weights::formats::source::{Region, Source};

/// Signatures of the parts of an archive.
const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const LONG_END: &[u8] = b"PK\x06\x06";
const LONG_END_LOCATOR: &[u8] = b"PK\x06\x07";

/// Bytes of these parts without what may follow.
const LOCAL_BYTES: u64 = 30;
const CENTRAL_BYTES: usize = 46;
const END_BYTES: usize = 22;
const LONG_END_BYTES: u64 = 56;
const LOCATOR_BYTES: usize = 20;

/// Maximum length of the comment at the end.
const MAX_COMMENT_BYTES: usize = 0xffff;

/// The extra field of an entry with its large sizes.
const LARGE_SIZES: u16 = 1;

/// How an entry is compressed.
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// An entry of an archive.
#[derive(Debug, Clone)]
pub struct Entry {
    pub name: String,
    is_encrypted: bool,
    method: u16,
    checksum: u32,
    packed: u64,
    /// Its length in bytes, unpacked.
    pub length: u64,
    /// Where its local header begins.
    header: u64,
}

/// The entries of an archive.
#[derive(Debug)]
pub struct Archive {
    source: Arc<Source>,
    pub entries: Vec<Entry>,
}

impl Archive {
    /// Reads the directory at the end.
    pub fn open(source: Arc<Source>) -> Result<Self, String> {
        let (start, length, count) = directory(&source)?;
        if count > MAX_ENTRIES {
            return Err(format!("it contains more than {MAX_ENTRIES} entries"));
        }
        if length > MAX_DIRECTORY_BYTES {
            return Err(broken("its directory is too long"));
        }
        let bytes = source.read(start, length).map_err(broken)?;
        let (mut entries, mut at) = (Vec::new(), 0);
        for _ in 0..count {
            let (entry, next) =
                entry(&bytes, at).ok_or_else(|| broken("an entry is not complete"))?;
            entries.push(entry);
            at = next;
        }
        let packed = entries.iter().filter(|entry| entry.method != STORED);
        let unpacked = packed.fold(0u64, |sum, entry| sum.saturating_add(entry.length));
        if unpacked > MAX_UNPACKED_BYTES {
            return Err(format!(
                "it is compressed and unpacks to more than {MAX_UNPACKED_BYTES} bytes; save it with torch.save"
            ));
        }
        Ok(Self { source, entries })
    }

    /// The content of an entry: a part of the archive, or unpacked in memory.
    pub fn content(&self, entry: &Entry) -> Result<Region, String> {
        let wrong = |problem: &str| broken(format!("{}: {problem}", entry.name));
        if entry.is_encrypted {
            return Err(wrong("is encrypted"));
        }
        let header = self.source.read(entry.header, LOCAL_BYTES);
        let header = header.map_err(|_| wrong("lies outside"))?;
        let lengths = number::<2>(&header, 26).zip(number::<2>(&header, 28));
        let (Some((name, extra)), true) = (lengths, header.starts_with(LOCAL)) else {
            return Err(wrong("has no header"));
        };
        let start = entry.header + LOCAL_BYTES + name + extra;
        let end = start.checked_add(entry.packed);
        if end.is_none_or(|end| end > self.source.len()) {
            return Err(wrong("is not complete"));
        }
        // PyTorch can be told to write no checksums, and writes 0.
        let checksum = Some(entry.checksum).filter(|&checksum| checksum != 0);
        match entry.method {
            STORED if entry.packed == entry.length => Ok(Region {
                source: Arc::clone(&self.source),
                start,
                length: entry.length,
                checksum,
            }),
            DEFLATED => self.unpacked(entry, start, checksum),
            _ => Err(wrong("is compressed in a way that kiln can't read")),
        }
    }

    fn unpacked(&self, entry: &Entry, start: u64, checksum: Option<u32>) -> Result<Region, String> {
        let wrong = || broken(format!("{}: can't be unpacked", entry.name));
        let packed = self.source.read(start, entry.packed).map_err(broken)?;
        let mut bytes = Vec::new();
        // `open` has limited the length; one byte more shows whether the directory is right about it.
        let mut unpacking =
            flate2::read::DeflateDecoder::new(packed.as_slice()).take(entry.length + 1);
        unpacking.read_to_end(&mut bytes).map_err(|_| wrong())?;
        if bytes.len() as u64 != entry.length {
            return Err(wrong());
        }
        Ok(Region {
            source: Arc::new(Source::Memory(bytes.into())),
            start: 0,
            length: entry.length,
            checksum,
        })
    }
}

/// First byte, length and number of entries of the directory.
fn directory(source: &Source) -> Result<(u64, u64, u64), String> {
    let missing = || broken("it has no end");
    let tail_length = (END_BYTES + MAX_COMMENT_BYTES + LOCATOR_BYTES) as u64;
    let tail_start = source.len().saturating_sub(tail_length);
    let tail = source
        .read(tail_start, source.len() - tail_start)
        .map_err(broken)?;
    let last = tail.len().checked_sub(END_BYTES).ok_or_else(missing)?;
    let at = (0..=last)
        .rev()
        .find(|&at| tail[at..].starts_with(END))
        .ok_or_else(missing)?;
    let locator = at.checked_sub(LOCATOR_BYTES).and_then(|at| tail.get(at..));
    let (start, length, count) = match locator {
        Some(locator) if locator.starts_with(LONG_END_LOCATOR) => {
            let at = number::<8>(locator, 8).ok_or_else(missing)?;
            let end = source.read(at, LONG_END_BYTES).map_err(broken)?;
            if !end.starts_with(LONG_END) {
                return Err(missing());
            }
            (
                number::<8>(&end, 48),
                number::<8>(&end, 40),
                number::<8>(&end, 32),
            )
        }
        _ => {
            let end = &tail[at..];
            (
                number::<4>(end, 16),
                number::<4>(end, 12),
                number::<2>(end, 10),
            )
        }
    };
    match (start, length, count) {
        (Some(start), Some(length), Some(count)) => Ok((start, length, count)),
        _ => Err(missing()),
    }
}

/// The entry at a place of the directory, and the place of the next.
fn entry(bytes: &[u8], at: usize) -> Option<(Entry, usize)> {
    let bytes = bytes.get(at..)?;
    if !bytes.starts_with(CENTRAL) {
        return None;
    }
    let name_end = CENTRAL_BYTES + number::<2>(bytes, 28)? as usize;
    let extra_end = name_end + number::<2>(bytes, 30)? as usize;
    let end = extra_end + number::<2>(bytes, 32)? as usize;
    let extra = bytes.get(name_end..extra_end)?;
    bytes.get(..end)?;
    let mut large = large_sizes(extra).unwrap_or_default();
    // Sizes that don't fit stand in the extra field, in this order.
    let mut size = |at: usize| -> Option<u64> {
        let short = number::<4>(bytes, at)?;
        if short != u64::from(u32::MAX) {
            return Some(short);
        }
        let long = number::<8>(large, 0)?;
        large = large.get(8..)?;
        Some(long)
    };
    let (length, packed, header) = (size(24)?, size(20)?, size(42)?);
    let name = bytes.get(CENTRAL_BYTES..name_end)?;
    let entry = Entry {
        name: String::from_utf8_lossy(name).into_owned(),
        is_encrypted: number::<2>(bytes, 8)? & 1 != 0,
        method: number::<2>(bytes, 10)? as u16,
        checksum: number::<4>(bytes, 16)? as u32,
        packed,
        length,
        header,
    };
    Some((entry, at + end))
}

/// The extra field with large sizes, without its head.
fn large_sizes(mut extra: &[u8]) -> Option<&[u8]> {
    loop {
        let (kind, length) = (number::<2>(extra, 0)?, number::<2>(extra, 2)? as usize);
        let field = extra.get(4..4 + length)?;
        if kind == u64::from(LARGE_SIZES) {
            return Some(field);
        }
        extra = &extra[4 + length..];
    }
}

/// A number of `N` bytes, little-endian.
fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let part = bytes.get(at..at + N)?;
    let digits = part.iter().rev();
    Some(digits.fold(0, |number, &byte| number << 8 | u64::from(byte)))
}

fn broken(problem: impl std::fmt::Display) -> String {
    format!("the zip archive can't be read ({problem})")
}
