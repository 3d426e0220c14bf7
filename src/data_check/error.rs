//! Why data can't be checked.

use crate::data::DataError;
use crate::device::DeviceError;
use crate::error::{ErrorExit, ExitKind};
use crate::inference::ModelError;
use crate::progress::Cancelled;
use crate::training::TrainError;
use crate::weights::WeightsError;

/// Why data can't be checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The data can't be opened.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The backend can't be used.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The run's model fails.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The run's model does not suit the data.
    #[error("{0}")]
    Mismatch(String),
    /// The weights of the pretrained network can't be read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The models of the folds can't be trained.
    #[error("the models that check the labels: {0}")]
    Train(#[from] TrainError),
    /// The check was cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl ErrorExit for CheckError {
    fn exit_kind(&self) -> ExitKind {
        match self {
            Self::Data(error) => error.exit_kind(),
            Self::Device(error) => error.exit_kind(),
            Self::Mismatch(_) => ExitKind::Usage,
            Self::Weights(error) => error.exit_kind(),
            Self::Cancelled(error) => error.exit_kind(),
            Self::Model(_) | Self::Train(_) => ExitKind::Failure,
        }
    }
}
