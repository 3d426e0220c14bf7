//! Writes files that belong together: all of them, or none.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

use super::folders::{PREFIX, SUFFIX, folder_of, sync_folder};
use super::write::{in_place, target, written};
use crate::error::FileError;

/// Writes files, the parts of each one after the other. All are written under temporary names first, so that the last steps
/// rename them. If one can't be written, those that were not there are not there then, and the others are as before.
///
/// A process that is killed between two of the last steps leaves the first of the files. Devices and pipes keep what they got.
pub fn write_together(files: &[(&Path, &[&[u8]])]) -> Result<(), FileError> {
    let mut waiting = Vec::new();
    for (path, parts) in files {
        let one = Waiting::new(path, parts).map_err(|source| FileError::write(path, source))?;
        waiting.push((*path, one));
    }
    let mut published: Vec<Published> = Vec::new();
    for (path, one) in waiting {
        let done = one.publish().and_then(|done| {
            let folder = done
                .as_ref()
                .map(|done| folder_of(&done.path).to_path_buf());
            published.extend(done);
            folder.map_or(Ok(()), |folder| sync_folder(&folder))
        });
        if let Err(source) = done {
            let error = FileError::write(path, source);
            return Err(published
                .into_iter()
                .rev()
                .fold(error, |error, done| done.undo(error)));
        }
    }
    Ok(())
}

/// A file before it has its name.
enum Waiting<'f> {
    /// Written beside it.
    Beside(PathBuf, NamedTempFile),
    /// A device or pipe, opened, and what it gets.
    InPlace(File, &'f [&'f [u8]]),
}

/// A file that has its name.
struct Published {
    path: PathBuf,
    /// The one of this name before.
    before: Option<TempPath>,
}

impl<'f> Waiting<'f> {
    fn new(path: &Path, parts: &'f [&'f [u8]]) -> std::io::Result<Self> {
        let target = target(path);
        if let Some(file) = in_place(&target)? {
            return Ok(Self::InPlace(file, parts));
        }
        let temporary = written(&target, |file| {
            parts.iter().try_for_each(|part| file.write_all(part))
        })?;
        Ok(Self::Beside(target, temporary))
    }

    fn publish(self) -> std::io::Result<Option<Published>> {
        match self {
            Self::InPlace(mut file, parts) => {
                parts.iter().try_for_each(|part| file.write_all(part))?;
                Ok(None)
            }
            Self::Beside(path, temporary) => {
                let before = second_name(&path)?;
                temporary.persist(&path)?;
                Ok(Some(Published { path, before }))
            }
        }
    }
}

impl Published {
    /// Brings back what was there before; adds to the error if that fails.
    fn undo(self, error: FileError) -> FileError {
        let Some(before) = self.before else {
            return match std::fs::remove_file(&self.path) {
                Ok(()) => error,
                Err(_) => error.advise(format!("remove {} as well", self.path.display())),
            };
        };
        match before.persist(&self.path) {
            Ok(()) => error,
            Err(failed) => match failed.path.keep() {
                Ok(kept) => error.advise(format!(
                    "what was in {} before is in {}",
                    self.path.display(),
                    kept.display()
                )),
                Err(_) => error,
            },
        }
    }
}

/// A second, temporary name for a file, which goes with the value; a copy where the file system knows no links. `None` if there is no file.
fn second_name(path: &Path) -> std::io::Result<Option<TempPath>> {
    if path.symlink_metadata().is_err() {
        return Ok(None);
    }
    let mut builder = tempfile::Builder::new();
    let named = builder
        .prefix(PREFIX)
        .suffix(SUFFIX)
        .make_in(folder_of(path), |second| {
            match std::fs::hard_link(path, second) {
                Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                    std::fs::copy(path, second).map(|_| ())
                }
                linked => linked,
            }
        });
    // Only the kind: the error's text would name the temporary file.
    let named = named.map_err(|error| std::io::Error::from(error.kind()))?;
    Ok(Some(named.into_temp_path()))
}
