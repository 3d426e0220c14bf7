//! The files that an archive becomes, within its limits.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::error::{UnpackError, damaged, outside, refused, twice};
use super::limits::Limits;
use super::name;
use crate::error::FileError;
use crate::progress::Stage;

/// Bytes that are copied at a time.
const BLOCK: usize = 1 << 16;

/// Where the entry with these parts of its name (folders first) goes below the target, if it is wanted.
pub type Place<'a> = &'a dyn Fn(&[&str]) -> Option<PathBuf>;

/// Where the files of an archive go, and how many there may be.
pub struct Output<'a> {
    folder: &'a Path,
    place: Place<'a>,
    limits: Limits,
    stage: &'a Stage,
    entries: usize,
    bytes: u64,
}

impl<'a> Output<'a> {
    /// Nothing yet.
    pub fn new(folder: &'a Path, place: Place<'a>, limits: Limits, stage: &'a Stage) -> Self {
        Self {
            folder,
            place,
            limits,
            stage,
            entries: 0,
            bytes: 0,
        }
    }

    /// Counts an entry.
    ///
    /// # Errors
    /// There are too many, or it was cancelled.
    pub fn count(&mut self) -> Result<(), UnpackError> {
        self.stage.advance(1)?;
        self.entries += 1;
        if self.entries > self.limits.entries {
            let most = self.limits.entries;
            return Err(refused(format!("contains more than {most} entries")));
        }
        Ok(())
    }

    /// Counts an entry, and says where it goes if it is wanted.
    ///
    /// # Errors
    /// There are too many, its name points outside the target folder, or it was cancelled.
    pub fn target(&mut self, name: &str) -> Result<Option<PathBuf>, UnpackError> {
        self.count()?;
        let parts = name::parts(name)?;
        let wanted = (self.place)(&parts).filter(|_| !parts.is_empty());
        Ok(wanted.map(|path| self.folder.join(path)))
    }

    /// Writes one file, which must not exist yet. Errors of the archive and of the disk are distinguished.
    pub fn write(
        &mut self,
        entry: &mut dyn Read,
        name: &str,
        path: &Path,
    ) -> Result<(), UnpackError> {
        let failed = |error| UnpackError::Write(FileError::write(path, error));
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
                    outside(name, "is inside another entry that is a file, not a folder")
                }
                _ => failed(error),
            })?;
        }
        let mut file = match File::create_new(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(twice(name));
            }
            created => created.map_err(failed)?,
        };
        let mut block = vec![0; BLOCK];
        let mut total = 0;
        loop {
            self.stage.advance(0)?;
            let read = match entry.read(&mut block) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(damaged(name, error)),
            };
            total += read as u64;
            self.bytes += read as u64;
            if total > self.limits.file_bytes {
                let most = self.limits.file_bytes;
                return Err(refused(format!(
                    "entry {name} unpacks to more than {most} bytes"
                )));
            }
            if self.bytes > self.limits.bytes {
                return Err(too_large(self.limits));
            }
            let bytes = block.get(..read).unwrap_or_default();
            file.write_all(bytes).map_err(failed)?;
        }
    }
}

/// Rejects an archive that unpacks to too much.
pub fn too_large(limits: Limits) -> UnpackError {
    refused(format!("unpacks to more than {} bytes", limits.bytes))
}
