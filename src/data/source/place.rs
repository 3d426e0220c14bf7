//! Where the files of a source are.

use std::path::{Path, PathBuf};

use super::error::DataError;
use crate::archive::{self, LocateError};
use crate::progress::Monitor;

/// The folder that a source's key `folder` names, below `root`. An archive may be named in place of a folder: it is unpacked the first
/// time (see [`archive::located`]).
pub fn folder_at(root: &Path, folder: &str) -> Result<PathBuf, DataError> {
    folder_watched(root, folder, &Monitor::default())
}

/// [`folder_at`], with unpacking as a stage of `monitor`.
pub fn folder_watched(root: &Path, folder: &str, monitor: &Monitor) -> Result<PathBuf, DataError> {
    archive::located(&root.join(folder), monitor).map_err(|error| match error {
        LocateError::File(error) => error.into(),
        LocateError::Cancelled(cancelled) => cancelled.into(),
    })
}
