//! Errors of image files.

use std::path::PathBuf;

use crate::error::{ErrorExit, ExitKind, io_problem, is_wrong_name};

/// Why an image could not be read.
#[derive(Debug, thiserror::Error)]
pub enum PhotoError {
    /// The file can't be read.
    #[error("{}: {}", path.display(), io_problem(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The bytes are not a supported image.
    #[error("{}: {problem}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The problem, and what to do about it where that is known.
        problem: String,
    },
}

impl ErrorExit for PhotoError {
    fn exit_kind(&self) -> ExitKind {
        match self {
            Self::Io { source, .. } if is_wrong_name(source) => ExitKind::Usage,
            Self::Io { .. } | Self::Format { .. } => ExitKind::Failure,
        }
    }
}
