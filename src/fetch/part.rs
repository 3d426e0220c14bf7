//! A partial download: `<name>.part`, with a note beside it that records where it comes from. It survives the end of the
//! process, however that happens, and is locked while in use.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::FetchError;
use crate::error::FileError;
use crate::files;

/// The file that a part belongs to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// The URL that it comes from.
    pub url: String,
    /// The server's mark for this version of the file (RFC 9110, 13.1.5): an entity tag or a date.
    pub validator: Option<String>,
    /// Bytes of the whole file.
    pub total: Option<u64>,
}

/// The downloaded part of a file.
pub struct Part {
    /// Open for reading and writing, locked.
    pub file: File,
    /// Its path.
    pub path: PathBuf,
    /// Bytes downloaded so far.
    pub length: u64,
    /// The file that it belongs to.
    pub note: Note,
}

impl Part {
    /// Opens the part of a file from `url`; a part from another URL is discarded. Errors: another process has it open, or
    /// it can't be written.
    pub fn open(path: PathBuf, url: &str) -> Result<Self, FetchError> {
        let failed = |error| FileError::write(&path, error);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        lock(&file, &path)?;
        let length = file.metadata().map_err(failed)?.len();
        let note: Note = fs::read(note_path(&path))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        let is_ours = note.url == url && note.total.is_none_or(|total| length <= total);
        let mut part = Self {
            file,
            path,
            length,
            note,
        };
        if !is_ours {
            part.restart(Note {
                url: url.to_string(),
                ..Note::default()
            })?;
        }
        Ok(part)
    }

    /// Discards the content.
    pub fn restart(&mut self, note: Note) -> Result<(), FileError> {
        let failed = |error| FileError::write(&self.path, error);
        // Emptied first, so that no bytes ever exist beside the note of another file.
        self.length = 0;
        self.file.set_len(0).map_err(failed)?;
        self.file.rewind().map_err(failed)?;
        self.set_note(note)
    }

    /// Records the file that the part belongs to.
    pub fn set_note(&mut self, note: Note) -> Result<(), FileError> {
        let bytes = serde_json::to_vec(&note)
            .map_err(|error| FileError::write(&self.path, io::Error::other(error)))?;
        files::write(&note_path(&self.path), &bytes)?;
        self.note = note;
        Ok(())
    }

    /// Seeks to the end, where [`Part::append`] writes.
    pub fn seek_to_end(&mut self) -> Result<(), FileError> {
        self.file
            .seek(SeekFrom::Start(self.length))
            .map(|_| ())
            .map_err(|error| FileError::write(&self.path, error))
    }

    /// Appends bytes.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.file
            .write_all(bytes)
            .map_err(|error| FileError::write(&self.path, error))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Whether the file is known to be complete.
    pub fn is_whole(&self) -> bool {
        self.length > 0 && self.note.total == Some(self.length)
    }
}

/// Removes a part and its note.
pub fn remove(path: &Path) {
    let _ = fs::remove_file(path);
    let _ = fs::remove_file(note_path(path));
}

/// Locks a file against other kiln processes.
pub fn lock(file: &File, path: &Path) -> Result<(), FetchError> {
    if files::try_lock(file) {
        Ok(())
    } else {
        Err(FetchError::Busy(path.to_path_buf()))
    }
}

fn note_path(path: &Path) -> PathBuf {
    path.with_added_extension("json")
}
