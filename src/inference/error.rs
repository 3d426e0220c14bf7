//! Why a model can't be loaded, written or used.

use crate::error::{ErrorExit, ExitKind, FileError};

/// Why a model can't be loaded, written or used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Its file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The device failed.
    #[error("the device failed: {0}")]
    Device(String),
}

impl ErrorExit for ModelError {
    fn exit_kind(&self) -> ExitKind {
        match self {
            ModelError::File(error) => error.exit_kind(),
            ModelError::Device(_) => ExitKind::Failure,
        }
    }
}
