//! How a process finds its group.

use std::sync::Arc;

use super::alone::Alone;
use super::group::{Ending, Group};
use super::started::started;
use super::{HOW_TO_COMPILE_IN, IS_COMPILED_IN};
use crate::error::{ErrorExit, ExitKind};

/// Why a process can't join the others that were started with it.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The program was built without groups.
    #[error(
        "{by} has started {size} processes, but this kiln is built for one; {HOW_TO_COMPILE_IN}, or start one process"
    )]
    NotCompiledIn {
        /// The launcher.
        by: &'static str,
        /// How many it has started.
        size: usize,
    },
    /// The launcher and the MPI library don't know each other.
    #[error(
        "{by} has started {size} processes, but MPI sees {seen}: the launcher belongs to another MPI library than the one that kiln was \
         built with; use that one's mpiexec (with Slurm: `srun --mpi=pmi2` or `--mpi=pmix`)"
    )]
    Strangers {
        /// The launcher.
        by: &'static str,
        /// How many it has started.
        size: usize,
        /// How many MPI knows of.
        seen: usize,
    },
    /// MPI was begun before, in this process.
    #[error("MPI can't be started")]
    NotStarted,
}

impl ErrorExit for JoinError {
    fn exit_kind(&self) -> ExitKind {
        match self {
            Self::NotCompiledIn { .. } | Self::Strangers { .. } => ExitKind::Usage,
            Self::NotStarted => ExitKind::Failure,
        }
    }
}

/// The group of this process: all that were started together with it. `end` must end the process; it is called when another one has
/// not answered in time.
///
/// # Errors
/// Several were started, but can't form a group.
pub fn join(end: Ending) -> Result<Arc<dyn Group>, JoinError> {
    let Some(started) = started() else {
        return Ok(Arc::new(Alone));
    };
    let (by, size) = (started.by, started.size);
    if !IS_COMPILED_IN {
        return Err(JoinError::NotCompiledIn { by, size });
    }
    let group = over_mpi(end)?;
    match group.size() {
        seen if seen == size => Ok(group),
        seen => Err(JoinError::Strangers { by, size, seen }),
    }
}

#[cfg(feature = "mpi")]
fn over_mpi(end: Ending) -> Result<Arc<dyn Group>, JoinError> {
    let group = super::mpi::Mpi::start(end).ok_or(JoinError::NotStarted)?;
    Ok(Arc::new(group))
}

#[cfg(not(feature = "mpi"))]
fn over_mpi(_end: Ending) -> Result<Arc<dyn Group>, JoinError> {
    Err(JoinError::NotStarted)
}
