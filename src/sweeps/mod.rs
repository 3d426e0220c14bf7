//! Studies: what several runs show together.
//!
//! Comes in: a config with the values that some of its keys are to take, or run directories. Goes out: a folder with one
//! run for each combination, and tables and pages that put runs next to each other. Nothing here prints.
//!
//! [`search_space`] are the values and their combinations, [`plan`] checks all of them, [`sweep`] is the folder of a sweep and what
//! it remembers, [`trials`] carries its runs out, [`leaderboard`] ranks them and [`findings`] says in a sentence what came out. [`runs`] reads run
//! directories of any state, [`compare`] says in which metrics and settings they differ, [`defaults`] which settings were
//! chosen at all, and [`ranking_metric`] by which metric runs are ranked.

use std::path::PathBuf;

use crate::config::ConfigError;
use crate::error::{ErrorExit, ExitKind, FileError};
use crate::run_dir::RunDirError;
use crate::training::TrainError;

pub mod compare;
pub mod defaults;
pub mod findings;
pub mod leaderboard;
pub mod plan;
pub mod ranking_metric;
pub mod runs;
pub mod search_space;
pub mod sweep;
pub mod trials;

/// Why a study can't be made or read.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// A `--grid` that can't be used.
    #[error("--grid {typed}: {message}")]
    Grid {
        /// What was typed.
        typed: String,
        /// What is wrong with it.
        message: String,
    },
    /// More runs than anybody means.
    #[error(
        "these are {count} runs, allowed are {}; draw some of them with --random N",
        search_space::MOST_RUNS
    )]
    TooMany {
        /// How many were asked for.
        count: usize,
    },
    /// Fewer combinations than are to be drawn.
    #[error(
        "--random {asked}: there are only {there} combinations; ask for fewer, or leave --random out"
    )]
    TooFew {
        /// How many were asked for.
        asked: usize,
        /// How many could be had.
        there: usize,
    },
    /// Combinations that are no valid config; the text has one line per complaint.
    #[error("{}", .0.join("\n"))]
    Refused(Vec<String>),
    /// The folder is not one that a sweep made.
    #[error("{}: not a folder of a sweep: {problem}", path.display())]
    NotASweep {
        /// The folder.
        path: PathBuf,
        /// Why not.
        problem: String,
    },
    /// The folder holds another sweep.
    #[error(
        "{}: holds another sweep ({difference}); name another --dir, or go on with that one by --resume {}",
        path.display(), path.display()
    )]
    OtherSweep {
        /// The folder.
        path: PathBuf,
        /// The first difference: what is there, what was asked for.
        difference: String,
    },
    /// Another process works on the folder.
    #[error("{}: another kiln sweep is at work here", .0.display())]
    Busy(PathBuf),
    /// A folder can't be read or changed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The config.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A run directory.
    #[error(transparent)]
    RunDir(#[from] RunDirError),
    /// A file of the study.
    #[error(transparent)]
    Write(#[from] FileError),
    /// Data, device or network of the first run.
    #[error(transparent)]
    Train(#[from] TrainError),
}

impl ErrorExit for SweepError {
    fn exit_kind(&self) -> ExitKind {
        match self {
            Self::Grid { .. }
            | Self::TooMany { .. }
            | Self::TooFew { .. }
            | Self::Refused(_)
            | Self::NotASweep { .. }
            | Self::OtherSweep { .. }
            | Self::Config(_) => ExitKind::Usage,
            Self::Train(error) => error.exit_kind(),
            Self::RunDir(error) => error.exit_kind(),
            Self::Busy(_) | Self::Io { .. } | Self::Write(_) => ExitKind::Failure,
        }
    }
}
