//! Where the files of a source are.

use std::path::{Path, PathBuf};

use super::error::DataError;
use super::split_names::split_named;
use crate::archive::{self, LocateError};
use crate::error::FileError;
use crate::progress::Monitor;

/// The folder that a source's key `folder` names, below `root`. An archive may be named in place of a folder: it is unpacked the first
/// time (see [`archive::located`]).
pub fn folder_at(root: &Path, folder: &str) -> Result<PathBuf, DataError> {
    folder_watched(root, folder, &Monitor::default())
}

/// [`folder_at`], with unpacking as a stage of `monitor`.
pub fn folder_watched(root: &Path, folder: &str, monitor: &Monitor) -> Result<PathBuf, DataError> {
    let is_split = |name: &str| split_named(name).is_some();
    archive::located(&root.join(folder), &is_split, monitor).map_err(|error| match error {
        LocateError::File(error) => error.into(),
        LocateError::Cancelled(cancelled) => cancelled.into(),
    })
}

/// Checks that a key that names a file does not name an archive.
///
/// # Errors
/// It does.
pub fn refuse_archive(root: &Path, file: &str) -> Result<(), DataError> {
    let path = root.join(file);
    if !archive::is_archive(&path) {
        return Ok(());
    }
    let error = FileError::new(path, "an archive, where a single file is expected");
    Err(error.advise("unpack it, and name the file in it").into())
}
