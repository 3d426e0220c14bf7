//! Why weights can't be loaded.

use crate::error::{ErrorExit, ExitKind, FileError, Problem, one_line};

/// Where a setting has its value from, and so where it is to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The `init` section of a config.
    Config,
    /// The command line.
    Flag,
}

/// Why weights can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file can't be read, or it does not fit the network.
    #[error(transparent)]
    File(#[from] FileError),
    /// A value that says which tensors are used, and under which names, makes no sense for this file. The problem's path is that of
    /// the config's key, as in `init.rename[1]`, or the flag with its value.
    #[error("{}: {}", problem.path, problem.message)]
    Setting {
        /// Where the value is from.
        place: Place,
        /// The key or flag, and what is wrong.
        problem: Problem,
    },
}

impl WeightsError {
    /// The problem of a setting, with what to do about it.
    pub fn setting(place: Place, path: &str, problem: &str, advice: &str) -> Self {
        // Names of a file may hold line breaks.
        let message = format!("{}; {advice}", one_line(problem));
        let problem = Problem::new(one_line(path), message);
        Self::Setting { place, problem }
    }
}

impl ErrorExit for WeightsError {
    fn exit_kind(&self) -> ExitKind {
        match self {
            Self::File(error) => error.exit_kind(),
            Self::Setting { .. } => ExitKind::Usage,
        }
    }
}
