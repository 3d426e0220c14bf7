//! Why an evaluation failed.

use crate::data::DataError;
use crate::error::{ErrorExit, ExitKind};
use crate::inference::ModelError;
use crate::progress::Cancelled;

/// Why an evaluation failed.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// The data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The data does not suit the model.
    #[error("{0}")]
    Mismatch(String),
    /// The evaluation was cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl ErrorExit for EvaluateError {
    fn exit_kind(&self) -> ExitKind {
        match self {
            Self::Data(error) => error.exit_kind(),
            Self::Model(error) => error.exit_kind(),
            Self::Mismatch(_) => ExitKind::Usage,
            Self::Cancelled(error) => error.exit_kind(),
        }
    }
}
