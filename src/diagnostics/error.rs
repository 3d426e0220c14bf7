//! Why a benchmark or a gradient check fails.

use std::path::Path;

use crate::data::DataError;
use crate::device::DeviceError;
use crate::error::{ErrorExit, ExitKind};
use crate::inference::ModelError;
use crate::training::TrainError;

/// Why a benchmark fails.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The backend can't be used.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The data can't be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The experiment can't be trained.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The model can't be used as it is asked for.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Only folders of images are decoded.
    #[error(
        "--mode data times the decoding of image files; it needs a config whose data.kind is image_folder"
    )]
    NoImageFolder,
    /// Only plans have steps to time.
    #[error(
        "--mode layers times the steps that a network takes on the CPU; {0} has none: it is computed layer by layer, or on another backend"
    )]
    NoPlan(String),
    /// The device failed.
    #[error("benchmark: the device failed: {0}")]
    Compute(String),
}

impl BenchError {
    /// The same error with the name of the config file, where it is about the config.
    pub fn in_config(self, file: &Path) -> Self {
        match self {
            Self::Train(error) => Self::Train(error.in_config(file)),
            other => other,
        }
    }

    /// Whether the data to train on is missing, so that only synthetic batches can be timed.
    pub fn lacks_data(&self) -> bool {
        let is_about_data = matches!(
            self,
            Self::Data(_) | Self::Train(TrainError::Data(_) | TrainError::Mismatch(_))
        );
        is_about_data && self.exit_kind() != ExitKind::Cancelled
    }
}

impl ErrorExit for BenchError {
    fn exit_kind(&self) -> ExitKind {
        match self {
            Self::Device(_) | Self::NoImageFolder | Self::NoPlan(_) => ExitKind::Usage,
            Self::Train(error) => error.exit_kind(),
            Self::Data(error) => error.exit_kind(),
            Self::Model(error) => error.exit_kind(),
            Self::Compute(_) => ExitKind::Failure,
        }
    }
}

/// Why gradients can't be checked.
#[derive(Debug, thiserror::Error)]
pub enum GradcheckError {
    /// The backend can't be used.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The data can't be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The data has no classes.
    #[error("the data has no classes")]
    NoClasses,
    /// The config does not match its data.
    #[error("{0}")]
    Mismatch(String),
    /// The loss has no gradient.
    #[error("gradient check: the loss is {0}, which has no gradient")]
    NotFinite(f64),
    /// The loss is not in 64-bit floats.
    #[error("gradient check: the loss is computed in {0}, not in 64-bit floats")]
    Precision(String),
    /// A tensor can't be checked.
    #[error("gradient check: {tensor}: {problem}")]
    Tensor {
        /// Name of the tensor, as in `model.safetensors`.
        tensor: String,
        /// What is wrong with it or its gradient.
        problem: &'static str,
    },
    /// The device failed.
    #[error("gradient check: the device failed: {0}")]
    Compute(String),
}

impl ErrorExit for GradcheckError {
    fn exit_kind(&self) -> ExitKind {
        match self {
            Self::Device(_) | Self::NoClasses | Self::Mismatch(_) => ExitKind::Usage,
            Self::Data(error) => error.exit_kind(),
            _ => ExitKind::Failure,
        }
    }
}
