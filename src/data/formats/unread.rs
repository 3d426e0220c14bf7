//! Why a file was not read to its end.

use std::path::Path;

use crate::data::DataError;
use crate::error::FileError;
use crate::progress::Cancelled;

/// Why a file was not read to its end.
#[derive(Debug)]
pub enum Unread {
    /// It is not what it should be: one problem without its name.
    Problem(String),
    /// What it holds does not fit into the temporary folder.
    Disk(std::io::Error),
    /// The work was cancelled.
    Cancelled(Cancelled),
}

impl From<String> for Unread {
    fn from(problem: String) -> Self {
        Self::Problem(problem)
    }
}

impl From<Cancelled> for Unread {
    fn from(cancelled: Cancelled) -> Self {
        Self::Cancelled(cancelled)
    }
}

impl Unread {
    /// The error of a file.
    pub fn of_file(self, path: &Path) -> DataError {
        match self {
            Self::Problem(problem) => DataError::format(path, problem),
            Self::Disk(error) => FileError::write(std::env::temp_dir(), error).into(),
            Self::Cancelled(cancelled) => cancelled.into(),
        }
    }

    /// The same, of a column.
    pub fn of_column(self, column: &str) -> Self {
        match self {
            Self::Problem(problem) => Self::Problem(format!("{column}: {problem}")),
            other => other,
        }
    }
}
