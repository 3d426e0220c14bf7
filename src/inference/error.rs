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
    /// Products in bfloat16, which have no effect.
    #[error(
        "--precision bf16: this network is computed in 32 bits here (bf16 is for the backend flex, and for networks without \
         attention); remove this option"
    )]
    Precision,
}

impl ErrorExit for ModelError {
    fn exit_kind(&self) -> ExitKind {
        match self {
            ModelError::File(error) => error.exit_kind(),
            ModelError::Device(_) => ExitKind::Failure,
            ModelError::Precision => ExitKind::Usage,
        }
    }
}
