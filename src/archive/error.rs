//! Why an archive could not be unpacked.

use crate::error::{ErrorExit, ExitKind, FileError, one_line};
use crate::progress::Cancelled;

/// Why an archive could not be unpacked.
#[derive(Debug)]
pub enum UnpackError {
    /// The archive is invalid: one problem without its name.
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

/// Why an archive can't stand in place of a folder.
#[derive(Debug, thiserror::Error)]
pub enum LocateError {
    /// The archive, or what is written.
    #[error(transparent)]
    File(#[from] FileError),
    /// It was cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl ErrorExit for LocateError {
    fn exit_kind(&self) -> ExitKind {
        match self {
            Self::File(error) => error.exit_kind(),
            Self::Cancelled(cancelled) => cancelled.exit_kind(),
        }
    }
}

/// Rejects the archive; its names are not trusted, so the message is made one line.
pub fn refused(problem: String) -> UnpackError {
    UnpackError::Archive(one_line(problem))
}

/// It is not of its format.
pub fn no_archive(kind: &str, error: impl std::fmt::Display) -> UnpackError {
    refused(format!("not a {kind} archive, or corrupted ({error})"))
}

/// One of its files can't be read.
pub fn damaged(name: &str, error: impl std::fmt::Display) -> UnpackError {
    refused(format!("entry {name} is corrupted ({error})"))
}

/// It contains the same name twice, and only one of the two can be unpacked.
pub fn twice(name: &str) -> UnpackError {
    refused(format!("contains {name} twice"))
}

/// One of its entries is not what an archive of files has.
pub fn outside(name: &str, problem: &str) -> UnpackError {
    refused(format!("rejected: entry {name:?} {problem}"))
}
