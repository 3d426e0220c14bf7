//! Errors of data sources.

use std::io::ErrorKind;
use std::path::Path;

use crate::error::{ErrorExit, ExitKind, FileError};
use crate::photo::PhotoError;
use crate::progress::Cancelled;

/// Errors of data sources; the message names the file or the source, and what to change.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file or folder that is missing, unreadable or invalid.
    #[error(transparent)]
    File(#[from] FileError),
    /// A split without samples, or a sample that does not exist.
    #[error("{0}")]
    Empty(String),
    /// Several images that can't be read: a line, then one for each of them.
    #[error("{0}")]
    Images(String),
    /// A source of a mix that can't be used.
    #[error("data.sources[{index}] ({kind}): {problem}")]
    Source {
        /// Its index in the list, from 0.
        index: usize,
        /// The value of its `kind`.
        kind: &'static str,
        /// The problem.
        problem: String,
    },
    /// Reading was cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl DataError {
    /// An invalid file. The problem may quote the file's content; it becomes one line.
    pub fn format(path: impl AsRef<Path>, problem: impl Into<String>) -> Self {
        FileError::new(path, problem.into()).into()
    }

    /// A failed read; for a missing file the message mentions `KILN_DATA`.
    pub fn io(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        let path = path.as_ref();
        let problem = match source.kind() {
            ErrorKind::NotADirectory if path.is_file() => "is a file, where a folder is expected",
            ErrorKind::IsADirectory => "is a folder, where a file is expected",
            ErrorKind::NotFound | ErrorKind::NotADirectory => "not found",
            _ => return FileError::io(path, source).into(),
        };
        FileError::new(path, problem)
            .advise(NOT_FOUND_ADVICE)
            .into()
    }
}

impl From<PhotoError> for DataError {
    fn from(error: PhotoError) -> Self {
        match error {
            PhotoError::Io { path, source } => Self::io(path, source),
            PhotoError::Format { path, problem } => Self::format(path, problem),
        }
    }
}

/// What to do when a data file is missing.
pub const NOT_FOUND_ADVICE: &str = "set KILN_DATA to the folder that holds the data sets, or change the path in the config; `kiln data fetch --list` shows what kiln can \
     fetch";

impl ErrorExit for DataError {
    fn exit_kind(&self) -> ExitKind {
        match self {
            DataError::File(error) => error.exit_kind(),
            DataError::Empty(_) | DataError::Images(_) | DataError::Source { .. } => {
                ExitKind::Failure
            }
            DataError::Cancelled(cancelled) => cancelled.exit_kind(),
        }
    }
}
