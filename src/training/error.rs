//! Why training fails.

use std::path::Path;

use super::divergence::{Divergence, LargestGradient};
use crate::config::ConfigError;
use crate::data::DataError;
use crate::device::DeviceError;
use crate::error::{ErrorExit, ExitKind, FileError, Problem};
use crate::evaluation::EvaluateError;
use crate::inference::ModelError;
use crate::run_dir::RunDirError;
use crate::weights::WeightsError;

/// What errors and panics of Burn say when a device has no memory left (cubecl-runtime 0.11, `server/base.rs`, and the drivers).
const OUT_OF_MEMORY: [&str; 6] = [
    "out of device memory",
    "can't allocate buffer of size",
    "out-of-memory error",
    "Not enough memory left",
    "OUT_OF_DEVICE_MEMORY",
    "OUT_OF_MEMORY",
];

/// Why a run can't be started, or failed.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The config, or a changed setting.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The backend can't be used.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The data can't be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The experiment does not match its data or its network.
    #[error("{0}")]
    Mismatch(String),
    /// The run directory can't be created or opened.
    #[error(transparent)]
    RunDir(#[from] RunDirError),
    /// The run can't be resumed in this way.
    #[error("--resume: {0}")]
    Resume(String),
    /// A file of the run can't be written, or a checkpoint can't be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The trained model can't be saved.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The weights to start from can't be used.
    #[error("{setting}: {error}")]
    Weights {
        /// The key or flag that names them.
        setting: &'static str,
        /// The file, and what is wrong with it.
        error: FileError,
    },
    /// The final evaluation failed.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// Training has diverged: the loss is not finite any more.
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
        /// The step of the epoch, counted from 1; `None` if it was noticed in the metrics of the whole epoch.
        step: Option<usize>,
        /// The learning rate of that step, or of the last of the epoch.
        learning_rate: f64,
        /// The largest gradient of that step, if it was still known.
        largest: Option<LargestGradient>,
    },
    /// Another process of the run failed.
    #[error("rank {rank}: {message}")]
    Rank {
        /// Its number.
        rank: usize,
        /// Its error.
        message: String,
        /// How that ends the program.
        exit: ExitKind,
    },
    /// Burn stopped the run.
    #[error("training stopped: {0}")]
    Stopped(String),
    /// The memory of a GPU is too small for a step.
    #[error(
        "the device has no memory left{}; {}, or choose a device with more memory (`kiln devices`)",
        bytes.map_or_else(String::new, |bytes| format!(" for {} MB more", bytes >> 20)),
        smaller(*batch_size)
    )]
    DeviceMemory {
        /// What it was asked for at last, if that is known.
        bytes: Option<u64>,
        /// The samples of a step, if that is known.
        batch_size: Option<usize>,
    },
    /// The user killed the run from the dashboard.
    #[error("killed from the dashboard")]
    Killed,
}

/// What makes a step smaller, of so many samples, if that is known.
fn smaller(batch_size: Option<usize>) -> String {
    match batch_size {
        None => "lower training.batch_size".into(),
        Some(0 | 1) => "train a smaller network, or on smaller images".into(),
        Some(size) => format!(
            "lower training.batch_size (now {size}; {} needs about half)",
            size / 2
        ),
    }
}

impl TrainError {
    /// The error of a key of the config that does not match the data.
    pub fn mismatch(Problem { path, message }: Problem) -> Self {
        Self::Mismatch(format!("{path}: {message}"))
    }

    /// The same error with the name of the config file, where it is about the config.
    pub fn in_config(self, file: &Path) -> Self {
        match self {
            Self::Mismatch(problem) => {
                Self::Config(ConfigError::of(file, Problem::new("", problem)))
            }
            other => other,
        }
    }

    /// The same error, where the weights to start from were named by a flag instead of the config.
    pub fn with_weights_of(self, flag: &'static str) -> Self {
        match self {
            Self::Weights { error, .. } => Self::Weights {
                setting: flag,
                error,
            },
            other => other,
        }
    }

    /// The error behind what Burn said when it stopped.
    pub fn stopped(said: &str) -> Self {
        if !OUT_OF_MEMORY.iter().any(|sign| said.contains(sign)) {
            return Self::Stopped(said.to_string());
        }
        let number = |before: &str| {
            let (_, rest) = said.split_once(before)?;
            let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
            digits.parse().ok()
        };
        Self::DeviceMemory {
            bytes: number("buffer of size: ").or_else(|| number("memory allocating ")),
            batch_size: None,
        }
    }

    /// The same error of a run with so many samples in a step.
    pub fn with_batch_size(self, batch_size: usize) -> Self {
        match self {
            Self::DeviceMemory { bytes, .. } => Self::DeviceMemory {
                bytes,
                batch_size: Some(batch_size),
            },
            other => other,
        }
    }

    /// The error of a step of training that has diverged; epochs are counted from 1.
    pub fn diverged(epoch: usize, divergence: Divergence) -> Self {
        Self::NotFinite {
            part: "training",
            epoch,
            step: Some(divergence.step),
            learning_rate: divergence.learning_rate,
            largest: divergence.largest,
        }
    }
}

impl From<WeightsError> for TrainError {
    fn from(error: WeightsError) -> Self {
        match error {
            WeightsError::File(error) => Self::Weights {
                setting: "init.weights",
                error,
            },
            WeightsError::Setting { problem, .. } => Self::mismatch(problem),
        }
    }
}

impl ErrorExit for TrainError {
    fn exit_kind(&self) -> ExitKind {
        match self {
            Self::Config(_) | Self::Device(_) | Self::Mismatch(_) | Self::Resume(_) => {
                ExitKind::Usage
            }
            Self::Rank { exit, .. } => *exit,
            Self::RunDir(error) => error.exit_kind(),
            Self::Data(error) => error.exit_kind(),
            Self::File(error) | Self::Weights { error, .. } => error.exit_kind(),
            Self::Model(_)
            | Self::Evaluate(_)
            | Self::NotFinite { .. }
            | Self::Stopped(_)
            | Self::DeviceMemory { .. }
            | Self::Killed => ExitKind::Failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_without_memory_is_told_from_other_failures_with_what_to_change() {
        let said = "An error happened during execution\nCaused by:\n  out of device memory allocating 524288000 bytes\n 0: backtrace";
        let error = TrainError::stopped(said).with_batch_size(33);
        assert_eq!(
            error.to_string(),
            "the device has no memory left for 500 MB more; lower training.batch_size (now 33; 16 needs about half), or choose a device \
             with more memory (`kiln devices`)"
        );
        let error = TrainError::stopped(said).with_batch_size(1).to_string();
        assert!(error.contains("; train a smaller network"), "{error}");
        let other = TrainError::stopped("the device is gone").with_batch_size(33);
        assert!(matches!(other, TrainError::Stopped(_)));
    }
}
