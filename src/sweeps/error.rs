//! Why a sweep or a comparison fails.

use std::path::PathBuf;

use crate::config::ConfigError;
use crate::error::{ErrorExit, ExitKind, FileError};
use crate::run_dir::RunDirError;
use crate::training::TrainError;

/// Why a sweep or a comparison fails.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// A `--grid` that cannot be used.
    #[error("--grid {typed}: {message}")]
    Grid {
        /// What was typed.
        typed: String,
        /// What is wrong with it.
        message: String,
    },
    /// More runs than allowed.
    #[error(
        "the sweep would have {count} runs; the maximum is {max}; sample some of them with --random N"
    )]
    TooMany {
        /// The requested number.
        count: usize,
        /// The maximum number.
        max: usize,
    },
    /// Fewer combinations than are to be sampled.
    #[error(
        "--random {asked}: there are only {available} combinations; use a smaller number, or remove --random"
    )]
    TooFew {
        /// The requested number.
        asked: usize,
        /// The available number.
        available: usize,
    },
    /// Combinations that are not a valid config; the message has one line per problem.
    #[error("{}", .0.join("\n"))]
    Invalid(Vec<String>),
    /// Not a sweep directory.
    #[error("{}: not a sweep directory: {problem}", path.display())]
    NotASweep {
        /// The folder.
        path: PathBuf,
        /// Why not.
        problem: String,
    },
    /// The folder contains a different sweep.
    #[error(
        "{}: contains a different sweep ({difference}); choose another --dir, or resume the existing one with --resume {}",
        path.display(), path.display()
    )]
    OtherSweep {
        /// The folder.
        path: PathBuf,
        /// The first difference: existing and requested value.
        difference: String,
    },
    /// Another process works on the folder.
    #[error("{}: another kiln process is working on this sweep", .0.display())]
    Busy(PathBuf),
    /// A file or folder of the sweep.
    #[error(transparent)]
    File(#[from] FileError),
    /// The config.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A run directory.
    #[error(transparent)]
    RunDir(#[from] RunDirError),
    /// The data, device or network of a run.
    #[error(transparent)]
    Train(#[from] TrainError),
}

impl ErrorExit for SweepError {
    fn exit_kind(&self) -> ExitKind {
        match self {
            Self::Grid { .. }
            | Self::TooMany { .. }
            | Self::TooFew { .. }
            | Self::Invalid(_)
            | Self::NotASweep { .. }
            | Self::OtherSweep { .. }
            | Self::Config(_) => ExitKind::Usage,
            Self::Busy(_) => ExitKind::Failure,
            Self::File(error) => error.exit_kind(),
            Self::RunDir(error) => error.exit_kind(),
            Self::Train(error) => error.exit_kind(),
        }
    }
}
