//! Why training fails.

use super::checkpoint::CheckpointError;
use super::divergence::Largest;
use crate::config::ConfigError;
use crate::data::DataError;
use crate::device::DeviceError;
use crate::error::{ErrorExit, ExitKind, FileError};
use crate::evaluation::EvaluateError;
use crate::inference::ModelError;
use crate::run_dir::RunDirError;

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The settings that were changed.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The backend.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The experiment does not fit its data.
    #[error("{0}")]
    Mismatch(String),
    /// The run directory.
    #[error(transparent)]
    RunDir(#[from] RunDirError),
    /// The run can't go on as it was asked to.
    #[error("--resume: {0}")]
    Resume(String),
    /// The checkpoint to go on from.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A file of the run.
    #[error(transparent)]
    Write(#[from] FileError),
    /// The trained model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The weights to start from.
    #[error("init.weights: {0}")]
    Weights(FileError),
    /// The evaluation at the end.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// The loss is no number any more.
    #[error(
        "the {part} loss is not a finite number in {}epoch {epoch} (learning rate {learning_rate:e}{}); lower \
         optimizer.lr or set optimizer.clip_norm",
        step.map_or_else(String::new, |step| format!("step {step} of ")),
        largest.as_ref().map_or_else(String::new, |largest| format!(", {largest}"))
    )]
    NotFinite {
        /// `training` or `validation`.
        part: &'static str,
        /// The epoch, counted from 1.
        epoch: usize,
        /// The step of the epoch, counted from 1; `None` if it was seen at the epoch's end.
        step: Option<usize>,
        /// The rate of that step, or of the epoch's last.
        learning_rate: f64,
        /// The largest gradient of that step.
        largest: Option<Largest>,
    },
    /// Something stopped the learner.
    #[error("training stopped: {0}")]
    Stopped(String),
    /// The user asked the dashboard to kill the run.
    #[error("killed from the dashboard")]
    Killed,
}

impl ErrorExit for TrainError {
    fn exit_kind(&self) -> ExitKind {
        match self {
            Self::Config(_) | Self::Device(_) | Self::Mismatch(_) | Self::Resume(_) => {
                ExitKind::Usage
            }
            Self::RunDir(error) => error.exit_kind(),
            _ => ExitKind::Failure,
        }
    }
}
