//! All ranks go on, or all stop for the same reason.

use crate::error::{ErrorExit, ExitKind, one_line};
use crate::parallel::{Group, Moment, problems};
use crate::training::error::TrainError;

/// Why work was not completed.
pub enum Stop {
    /// By the user.
    Interrupted,
    /// By an error.
    Failed(TrainError),
}

impl<E: Into<TrainError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Stop::Failed(error.into())
    }
}

/// Codes of the ways to stop, between ranks.
const INTERRUPTED: u8 = 1;
const FAILED: u8 = 2;
const WRONG_USAGE: u8 = 3;
const CANCELLED: u8 = 4;

fn code(exit: ExitKind) -> u8 {
    match exit {
        ExitKind::Failure => FAILED,
        ExitKind::Usage => WRONG_USAGE,
        ExitKind::Cancelled => CANCELLED,
    }
}

fn exit_kind(code: u8) -> ExitKind {
    match code {
        WRONG_USAGE => ExitKind::Usage,
        CANCELLED => ExitKind::Cancelled,
        _ => ExitKind::Failure,
    }
}

/// This rank's result, unless another one has stopped: then that is the result of all. An error counts for more than an interruption,
/// and a rank's own error for more than those of others.
///
/// # Errors
/// This rank or another one has stopped.
pub fn agree<T>(group: &dyn Group, moment: Moment, mine: Result<T, Stop>) -> Result<T, Stop> {
    if group.is_alone() {
        return mine;
    }
    let told = match &mine {
        Ok(_) => None,
        Err(Stop::Interrupted) => Some((INTERRUPTED, String::new())),
        Err(Stop::Failed(error)) => Some((code(error.exit_kind()), one_line(error))),
    };
    let all = problems(group, moment, told);
    if let Err(Stop::Failed(error)) = mine {
        return Err(Stop::Failed(error));
    }
    match all.iter().find(|problem| problem.code != INTERRUPTED) {
        Some(problem) => Err(Stop::Failed(TrainError::Rank {
            rank: problem.rank,
            message: problem.message.clone(),
            exit: exit_kind(problem.code),
        })),
        None if all.is_empty() => mine,
        None => Err(Stop::Interrupted),
    }
}

/// [`agree`] for work that is not interrupted.
///
/// # Errors
/// This rank or another one has failed.
pub fn agree_or_fail<T>(
    group: &dyn Group,
    moment: Moment,
    mine: Result<T, TrainError>,
) -> Result<T, TrainError> {
    agree(group, moment, mine.map_err(Stop::Failed)).map_err(|stop| match stop {
        Stop::Failed(error) => error,
        Stop::Interrupted => TrainError::Stopped("another rank was interrupted".into()),
    })
}
