//! Unpacking the wanted files of an archive into a folder.
//!
//! Archives are not trusted. Names only select the wanted entries; the caller decides where these go, never the archive. An archive
//! with a name that points outside its folder, a link or a device is rejected as a whole, and so is one that unpacks to more than the
//! limits.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::data::formats::mat::MAX_FILE_BYTES;
use crate::error::FileError;
use crate::error::one_line;
use crate::progress::{CancelToken, Cancelled};

/// Maximum unpacked bytes of an archive, including unwanted entries. CIFAR-10 has 184 MB, Flowers-17 60 MB.
const MAX_ARCHIVE_BYTES: u64 = 2 << 30;
/// Maximum entries of an archive. Flowers-17 has 1,362.
const MAX_ENTRIES: usize = 100_000;
/// Maximum bytes of an entry that describes the next one: a name has at most 4,096 on Linux, and pax adds times and owners.
const MAX_EXTENSION_BYTES: u64 = 1 << 16;
/// Bytes that are copied at a time.
const BLOCK: usize = 1 << 16;
/// The name of the format in errors.
const TAR_GZ: &str = "gzipped tar";

/// Why an archive could not be unpacked.
#[derive(Debug)]
pub enum UnpackError {
    /// The archive is invalid.
    Archive(String),
    /// A file could not be written.
    Write(FileError),
    /// It was cancelled.
    Cancelled(Cancelled),
}

impl From<Cancelled> for UnpackError {
    fn from(cancelled: Cancelled) -> Self {
        Self::Cancelled(cancelled)
    }
}

/// Where the entry with this name (without folders) goes below the target, if it is wanted.
pub type Place<'a> = &'a dyn Fn(&str) -> Option<PathBuf>;

/// Unpacks the wanted files of a zip archive into `folder`.
pub fn zip(
    archive: &mut File,
    folder: &Path,
    place: Place,
    cancel: &CancelToken,
) -> Result<(), UnpackError> {
    let mut archive =
        zip::ZipArchive::new(BufReader::new(archive)).map_err(|error| no_archive("zip", error))?;
    if archive.len() > MAX_ENTRIES {
        return Err(too_many_entries());
    }
    for index in 0..archive.len() {
        // Raw: entries that are not wanted need not be of a kind that can be unpacked.
        let entry = archive
            .by_index_raw(index)
            .map_err(|error| no_archive("zip", error))?;
        let name = entry
            .name()
            .map_err(|error| no_archive("zip", error))?
            .into_owned();
        if entry.is_symlink() {
            return Err(outside(&name, "is a link"));
        }
        let (base, is_file) = (base_name(&name)?, entry.is_file());
        drop(entry);
        if let Some(path) = place(base).filter(|_| is_file) {
            let mut entry = archive
                .by_index(index)
                .map_err(|error| damaged(base, error))?;
            write(&mut entry, base, &folder.join(path), cancel)?;
        }
    }
    Ok(())
}

/// Unpacks the wanted files of a gzipped tar archive into `folder`. Data after the archive's end is ignored: some
/// have padding there.
pub fn tar_gz(
    archive: &mut File,
    folder: &Path,
    place: Place,
    cancel: &CancelToken,
) -> Result<(), UnpackError> {
    archive
        .seek(SeekFrom::Start(0))
        .map_err(|error| no_archive(TAR_GZ, error))?;
    let mut unpacked = MultiGzDecoder::new(BufReader::new(archive)).take(MAX_ARCHIVE_BYTES);
    let done = tar(&mut unpacked, folder, place, cancel);
    match unpacked.limit() {
        0 => Err(UnpackError::Archive(format!(
            "unpacks to more than {MAX_ARCHIVE_BYTES} bytes"
        ))),
        _ => done,
    }
}

fn tar(
    unpacked: &mut dyn Read,
    folder: &Path,
    place: Place,
    cancel: &CancelToken,
) -> Result<(), UnpackError> {
    let mut archive = tar::Archive::new(unpacked);
    // Raw: long names come as entries of their own, which the crate would read whole, however long they say they are.
    let entries = archive
        .entries()
        .map_err(|error| no_archive(TAR_GZ, error))?
        .raw(true);
    let mut long_name = None;
    for (index, entry) in entries.enumerate() {
        let mut entry = entry.map_err(|error| no_archive(TAR_GZ, error))?;
        cancel.check()?;
        if index >= MAX_ENTRIES {
            return Err(too_many_entries());
        }
        let kind = entry.header().entry_type();
        if kind.is_pax_global_extensions() {
            continue;
        }
        if kind.is_gnu_longname() {
            let name = short(&mut entry)?;
            let end = name.iter().position(|&byte| byte == 0);
            let name = name.get(..end.unwrap_or(name.len())).unwrap_or_default();
            long_name = Some(String::from_utf8_lossy(name).into_owned());
            continue;
        }
        if kind.is_pax_local_extensions() {
            long_name = pax_path(&short(&mut entry)?).or(long_name);
            continue;
        }
        let own = || String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let name = long_name.take().unwrap_or_else(own);
        let base = base_name(&name)?;
        if !(kind.is_file() || kind.is_dir() || kind.is_contiguous()) {
            return Err(outside(&name, "is neither a file nor a folder"));
        }
        if let Some(path) = place(base).filter(|_| !kind.is_dir()) {
            write(&mut entry, base, &folder.join(path), cancel)?;
        }
    }
    Ok(())
}

/// The content of an entry that describes the next one.
fn short(entry: &mut impl Read) -> Result<Vec<u8>, UnpackError> {
    let mut bytes = Vec::new();
    entry
        .take(MAX_EXTENSION_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| no_archive(TAR_GZ, error))?;
    if bytes.len() as u64 > MAX_EXTENSION_BYTES {
        return Err(no_archive(TAR_GZ, "an entry name of more than 64 KiB"));
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

/// An entry's name without its folders. Errors: a name that points outside the archive's folder.
fn base_name(name: &str) -> Result<&str, UnpackError> {
    // Both separators and drives, whatever this system makes of them.
    let mut parts = name.split(['/', '\\']);
    let leads_out = name.starts_with(['/', '\\'])
        || name.contains('\0')
        || name.as_bytes().get(1) == Some(&b':')
        || parts.any(|part| part == "..");
    if leads_out {
        return Err(outside(name, "points outside the target folder"));
    }
    let name = name.trim_end_matches(['/', '\\']);
    Ok(name.rsplit(['/', '\\']).next().unwrap_or(name))
}

/// Writes one file, which must not exist yet. Errors of the archive and of the disk are distinguished.
fn write(
    entry: &mut dyn Read,
    name: &str,
    path: &Path,
    cancel: &CancelToken,
) -> Result<(), UnpackError> {
    let failed = |error| UnpackError::Write(FileError::write(path, error));
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut file = match File::create_new(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(refused(format!("contains {name} twice")));
        }
        created => created.map_err(failed)?,
    };
    let mut block = vec![0; BLOCK];
    let mut total = 0;
    loop {
        cancel.check()?;
        let read = match entry.read(&mut block) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(damaged(name, error)),
        };
        total += read as u64;
        if total > MAX_FILE_BYTES {
            return Err(refused(format!(
                "entry {name} unpacks to more than {MAX_FILE_BYTES} bytes"
            )));
        }
        let bytes = block.get(..read).unwrap_or_default();
        file.write_all(bytes).map_err(failed)?;
    }
    file.sync_all().map_err(failed)
}

/// Rejects the archive; its names are not trusted, so the message is made one line.
fn refused(problem: String) -> UnpackError {
    UnpackError::Archive(one_line(problem))
}

fn no_archive(kind: &str, error: impl std::fmt::Display) -> UnpackError {
    refused(format!("not a {kind} archive, or corrupted ({error})"))
}

fn damaged(name: &str, error: impl std::fmt::Display) -> UnpackError {
    refused(format!("entry {name} is corrupted ({error})"))
}

fn outside(name: &str, problem: &str) -> UnpackError {
    refused(format!("rejected: entry {name:?} {problem}"))
}

fn too_many_entries() -> UnpackError {
    refused(format!("contains more than {MAX_ENTRIES} entries"))
}
