//! What goes wrong with data.

use std::path::{Path, PathBuf};

use crate::error::{ErrorExit, one_line};

/// What goes wrong with data; the text names the file and what to change.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file or folder that is not there.
    #[error("{}: not found; {hint}", path.display())]
    NotFound {
        /// What was looked for.
        path: PathBuf,
        /// What to do about it.
        hint: String,
    },
    /// A file that can't be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that is not what it should be.
    #[error("{}: {problem}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what was expected.
        problem: String,
    },
    /// A split without samples.
    #[error("{0}")]
    Empty(String),
    /// A source of a mix that can't be used.
    #[error("data.sources.{index} ({kind}): {problem}")]
    Source {
        /// Its place in the list, from 0.
        index: usize,
        /// The value of its `kind`.
        kind: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

impl DataError {
    /// A file that is not what it should be. The problem may repeat what the file holds; it becomes one line.
    pub fn format(path: impl AsRef<Path>, problem: impl Into<String>) -> Self {
        DataError::Format {
            path: path.as_ref().to_path_buf(),
            problem: one_line(problem.into()),
        }
    }

    /// A failed read; a missing file gets a hint on `KILN_DATA`.
    pub fn io(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        match source.kind() {
            std::io::ErrorKind::NotFound => DataError::NotFound {
                path,
                hint: NOT_FOUND_HINT.into(),
            },
            _ => DataError::Io { path, source },
        }
    }
}

/// What to do when a data file is missing.
pub const NOT_FOUND_HINT: &str = "set KILN_DATA to the folder that holds the data sets, or set data.folder; `kiln data fetch --list` shows what kiln can \
     fetch";

impl ErrorExit for DataError {}
