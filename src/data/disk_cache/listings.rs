//! What was in the folders of a data set: a folder whose time of change is the same need not be listed again.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, FileType};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::stamp::Stamp;
use crate::data::DataError;
use crate::error::FileError;
use crate::files;
use crate::progress::Stage;

/// The first bytes of the file, with the version of its format.
const MAGIC: &[u8] = b"kiln listings 1\n";

/// Maximum length of the file in bytes: tens of millions of names.
const MAX_FILE: u64 = 1 << 30;

/// What an entry of a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A folder.
    Folder,
    /// A file.
    File,
    /// A link; what it leads to may change.
    Link,
    /// A pipe, socket or device.
    Special,
}

impl EntryKind {
    /// With the bytes that stand for them.
    const ALL: [(Self, u8); 4] = [
        (Self::Folder, b'd'),
        (Self::File, b'f'),
        (Self::Link, b'l'),
        (Self::Special, b's'),
    ];

    fn byte(self) -> u8 {
        let known = Self::ALL.iter().find(|(kind, _)| *kind == self);
        known.map_or(b's', |(_, byte)| *byte)
    }

    fn from_byte(byte: u8) -> Option<Self> {
        let known = Self::ALL.iter().find(|(_, known)| *known == byte);
        known.map(|(kind, _)| *kind)
    }
}

impl From<FileType> for EntryKind {
    fn from(kind: FileType) -> Self {
        if kind.is_dir() {
            Self::Folder
        } else if kind.is_file() {
            Self::File
        } else if kind.is_symlink() {
            Self::Link
        } else {
            Self::Special
        }
    }
}

/// The entries of a folder, in the order of the file system.
pub type Entries = Vec<(OsString, EntryKind)>;

/// Lists a folder; each entry is an item of the stage.
///
/// # Errors
/// The folder can't be read, or the work is cancelled.
pub fn list(folder: &Path, stage: &Stage) -> Result<Entries, DataError> {
    let failed = |error| DataError::io(folder, error);
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        stage.advance(1)?;
        // Whoever asks what the link leads to finds out why this failed.
        let kind = entry.file_type().map_or(EntryKind::Link, EntryKind::from);
        entries.push((entry.file_name(), kind));
    }
    Ok(entries)
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Listed {
    stamp: Stamp,
    entries: Vec<(String, EntryKind)>,
}

/// By the folder's path.
type Folders = BTreeMap<String, Listed>;

/// The folders of a data set that were listed.
#[derive(Debug)]
pub struct FolderListings {
    path: PathBuf,
    folders: Mutex<Folders>,
    /// Whether they differ from what the file holds.
    have_changed: AtomicBool,
}

impl FolderListings {
    /// Those of a file; none if there is no such file, or if it is damaged.
    pub fn load(path: &Path) -> Self {
        let bytes = files::read(path, MAX_FILE).ok();
        let folders = bytes.and_then(|bytes| decode(&bytes));
        Self {
            path: path.to_path_buf(),
            have_changed: AtomicBool::new(folders.is_none()),
            folders: Mutex::new(folders.unwrap_or_default()),
        }
    }

    /// The entries of a folder: as they were, if it is unchanged.
    ///
    /// # Errors
    /// As those of [`list`].
    pub fn list(&self, folder: &Path, stage: &Stage) -> Result<Entries, DataError> {
        let place = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
        let (Some(name), Ok(stamp)) = (place.to_str(), Stamp::of(folder)) else {
            return list(folder, stage);
        };
        if let Some(known) = self
            .folders()
            .get(name)
            .filter(|known| known.stamp == stamp)
        {
            stage.advance(known.entries.len())?;
            let entries = known.entries.iter();
            return Ok(entries.map(|(name, kind)| (name.into(), *kind)).collect());
        }
        let entries = list(folder, stage)?;
        let text = entries
            .iter()
            .map(|(name, kind)| Some((name.to_str()?.to_owned(), *kind)));
        let listed = text.collect::<Option<Vec<_>>>();
        self.have_changed.store(true, Ordering::Relaxed);
        // What has just changed may change again within the same time.
        match listed.filter(|_| stamp.is_settled()) {
            Some(entries) => self
                .folders()
                .insert(name.to_owned(), Listed { stamp, entries }),
            None => self.folders().remove(name),
        };
        Ok(entries)
    }

    /// Writes the listings if they have changed.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn save(&self) -> Result<(), FileError> {
        if !self.have_changed.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut folders = self.folders();
        folders.retain(|name, _| Path::new(name).is_dir());
        files::write(&self.path, &encode(&folders))
    }

    fn folders(&self) -> MutexGuard<'_, Folders> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// After the magic bytes, for each folder: path, stamp, number of entries, and for each of these its kind and name; at the end a
/// CRC-32. Texts have their length before them; numbers have 4 bytes, the lowest first.
fn encode(folders: &Folders) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    for (name, listed) in folders {
        push_text(&mut bytes, name);
        bytes.extend(listed.stamp.to_bytes());
        push_number(&mut bytes, listed.entries.len());
        for (name, kind) in &listed.entries {
            bytes.push(kind.byte());
            push_text(&mut bytes, name);
        }
    }
    let sum = crc32fast::hash(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

fn push_text(bytes: &mut Vec<u8>, text: &str) {
    push_number(bytes, text.len());
    bytes.extend(text.as_bytes());
}

/// Numbers of entries and lengths of names are far below 2^32.
fn push_number(bytes: &mut Vec<u8>, number: usize) {
    bytes.extend((number as u32).to_le_bytes());
}

/// `None` if the bytes are damaged.
fn decode(bytes: &[u8]) -> Option<Folders> {
    let (content, sum) = bytes.split_last_chunk::<4>()?;
    if crc32fast::hash(content) != u32::from_le_bytes(*sum) {
        return None;
    }
    let mut rest = content.strip_prefix(MAGIC)?;
    let mut folders = Folders::new();
    while !rest.is_empty() {
        let name = take_text(&mut rest)?;
        let stamp = Stamp::from_bytes(*take(&mut rest, Stamp::BYTES)?.first_chunk()?);
        let count = take_number(&mut rest)?;
        let mut entries = Vec::new();
        for _ in 0..count {
            let kind = EntryKind::from_byte(*take(&mut rest, 1)?.first()?)?;
            entries.push((take_text(&mut rest)?, kind));
        }
        folders.insert(name, Listed { stamp, entries });
    }
    Some(folders)
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(count)?;
    *rest = after;
    Some(taken)
}

fn take_number(rest: &mut &[u8]) -> Option<usize> {
    Some(u32::from_le_bytes(*take(rest, 4)?.first_chunk()?) as usize)
}

fn take_text(rest: &mut &[u8]) -> Option<String> {
    let length = take_number(rest)?;
    String::from_utf8(take(rest, length)?.to_vec()).ok()
}
