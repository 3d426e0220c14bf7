//! Tar archives, gzipped or not. Data after the archive's end is ignored: some have padding there.

use std::fs::File;
use std::io::{BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use super::error::{UnpackError, no_archive, outside};
use super::limits::Limits;
use super::output::{Output, too_large};

/// Maximum bytes of an entry that describes the next one: a name has at most 4,096 on Linux, and pax adds times and owners.
const MAX_EXTENSION_BYTES: u64 = 1 << 16;

/// Unpacks the wanted files of a tar archive, gzipped if `kind` says so.
pub fn unpack(
    archive: &mut File,
    kind: Compression,
    limits: Limits,
    output: &mut Output,
) -> Result<(), UnpackError> {
    let archive = BufReader::new(archive);
    let plain: Box<dyn Read + '_> = match kind {
        Compression::None => Box::new(archive),
        Compression::Gzip => Box::new(MultiGzDecoder::new(archive)),
    };
    // Unwanted entries and headers count, too.
    let mut plain = plain.take(limits.bytes.saturating_add(headers(limits)));
    let done = entries(&mut plain, kind.name(), output);
    match plain.limit() {
        0 => Err(too_large(limits)),
        _ => done,
    }
}

/// How a tar archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// With gzip.
    Gzip,
}

impl Compression {
    fn name(self) -> &'static str {
        match self {
            Self::None => "tar",
            Self::Gzip => "gzipped tar",
        }
    }
}

/// Bytes of the headers of as many entries as there may be, with their padding.
fn headers(limits: Limits) -> u64 {
    const HEADER: u64 = 1024;
    HEADER.saturating_mul(limits.entries as u64)
}

fn entries(
    plain: &mut dyn Read,
    format: &'static str,
    output: &mut Output,
) -> Result<(), UnpackError> {
    let broken = |error| no_archive(format, error);
    let mut archive = tar::Archive::new(plain);
    // Raw: long names come as entries of their own, which the crate would read whole, however long they say they are.
    let entries = archive.entries().map_err(broken)?.raw(true);
    let mut long_name = None;
    for entry in entries {
        let mut entry = entry.map_err(broken)?;
        let kind = entry.header().entry_type();
        if kind.is_pax_global_extensions() {
            output.count()?;
            continue;
        }
        if kind.is_gnu_longname() {
            output.count()?;
            let name = short(&mut entry, format)?;
            let end = name.iter().position(|&byte| byte == 0);
            let name = name.get(..end.unwrap_or(name.len())).unwrap_or_default();
            long_name = Some(String::from_utf8_lossy(name).into_owned());
            continue;
        }
        if kind.is_pax_local_extensions() {
            output.count()?;
            long_name = pax_path(&short(&mut entry, format)?).or(long_name);
            continue;
        }
        let own = || String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let name = long_name.take().unwrap_or_else(own);
        let target = output.target(&name)?;
        if !(kind.is_file() || kind.is_dir() || kind.is_contiguous()) {
            return Err(outside(&name, "is neither a file nor a folder"));
        }
        if let Some(path) = target.filter(|_| !kind.is_dir()) {
            output.write(&mut entry, &name, &path)?;
        }
    }
    Ok(())
}

/// The content of an entry that describes the next one.
fn short(entry: &mut impl Read, format: &str) -> Result<Vec<u8>, UnpackError> {
    let mut bytes = Vec::new();
    entry
        .take(MAX_EXTENSION_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| no_archive(format, error))?;
    if bytes.len() as u64 > MAX_EXTENSION_BYTES {
        return Err(no_archive(format, "an entry name of more than 64 KiB"));
    }
    Ok(bytes)
}

/// The name of the next entry in POSIX extensions, if any.
fn pax_path(bytes: &[u8]) -> Option<String> {
    tar::PaxExtensions::new(bytes)
        .flatten()
        .filter(|extension| extension.key_bytes() == b"path")
        .map(|extension| String::from_utf8_lossy(extension.value_bytes()).into_owned())
        .last()
}
