//! Why a run directory cannot be created or used.

use std::path::{Path, PathBuf};

use crate::config::ConfigError;
use crate::error::{ErrorExit, ExitKind, FileError};

/// Why a run directory cannot be created or used.
#[derive(Debug, thiserror::Error)]
pub enum RunDirError {
    /// The folder to be created exists.
    #[error("{}: already exists; choose a new folder", .0.display())]
    Exists(PathBuf),
    /// Another process trains in it.
    #[error("{}: another kiln process is training in it; wait for it, or choose another folder", .0.display())]
    Busy(PathBuf),
    /// The folder is not one that kiln made.
    #[error("{}: not a run directory: it has no config.json; use a folder that `kiln train` created", .0.display())]
    NotARun(PathBuf),
    /// The config in the folder is not valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file in the folder cannot be read or written, or the folder cannot be created.
    #[error(transparent)]
    File(#[from] FileError),
}

impl RunDirError {
    /// The error of a path that is not a run directory, or that does not exist. For `RUN@EPOCH` it says where that may stand.
    pub fn no_run(path: &Path) -> Self {
        if path.exists() {
            return Self::NotARun(path.to_path_buf());
        }
        let missing = FileError::new(path, "not found").usage();
        let split = path.to_str().and_then(|text| text.rsplit_once('@'));
        let split = split.filter(|(run, _)| Path::new(run).is_dir());
        Self::File(match split {
            None => missing.advise("use a folder that `kiln train` created"),
            Some((run, epoch)) if epoch.parse::<usize>().is_ok() => missing.advise(format!(
                "RUN@EPOCH is only for `kiln train --resume`; use {run}"
            )),
            Some((run, epoch)) => missing.advise(format!(
                "{epoch:?} is not an epoch number; use {run}, or {run}@5 with `kiln train --resume`"
            )),
        })
    }
}

impl ErrorExit for RunDirError {
    fn exit_kind(&self) -> ExitKind {
        match self {
            Self::Exists(_) | Self::NotARun(_) => ExitKind::Usage,
            Self::Busy(_) | Self::Config(_) => ExitKind::Failure,
            Self::File(error) => error.exit_kind(),
        }
    }
}
