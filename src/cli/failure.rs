//! Failures of subcommands and their exit codes.

use std::fmt;

use crate::error::{ErrorExit, ExitKind, io_problem};

/// The result of a subcommand.
pub type VerbResult = Result<(), Failure>;

/// Why a subcommand did not finish; [`exit_code`](Failure::exit_code) is what the shell sees.
#[derive(Debug)]
pub enum Failure {
    /// An error to print: exit 1 or 2, as the error says.
    Error(Box<dyn ErrorExit>),
    /// Stopped by a signal before there was anything to save: exit 128 and the number of the signal.
    Cancelled,
    /// Stopped by a signal, or from the dashboard, and saved: likewise.
    Interrupted,
    /// Some pages could not be read, or not surely, and `--strict` was given: exit 3.
    Unread(String),
    /// Another process of the run failed with this code, and this is its error.
    OfAnother(String, u8),
    /// A process that was started has printed why it failed, and with what code.
    Told(u8),
    /// Standard output was closed by its reader (`kiln ... | head`): exit 0.
    PipeClosed,
}

impl Failure {
    /// A failure of the subcommand itself: exit 1.
    pub fn failed(message: impl fmt::Display) -> Self {
        Self::Error(Box::new(WorkError(message.to_string())))
    }

    /// Pages that `--strict` doesn't accept.
    pub fn unread(message: impl fmt::Display) -> Self {
        Self::Unread(message.to_string())
    }

    /// The exit code of the program; `signalled` is that of one that a signal ended.
    pub fn exit_code(&self, signalled: u8) -> u8 {
        match self {
            Self::Error(error) => match error.exit_kind() {
                ExitKind::Failure => 1,
                ExitKind::Usage => 2,
                ExitKind::Cancelled => signalled,
            },
            Self::Cancelled | Self::Interrupted => signalled,
            Self::OfAnother(_, code) | Self::Told(code) => *code,
            Self::Unread(_) => 3,
            Self::PipeClosed => 0,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => error.fmt(f),
            Self::Cancelled | Self::Interrupted => f.write_str("interrupted"),
            Self::OfAnother(error, _) => f.write_str(error),
            Self::Told(code) => write!(f, "ended with exit code {code}"),
            Self::Unread(said) => f.write_str(said),
            Self::PipeClosed => f.write_str("standard output is closed"),
        }
    }
}

impl<E: ErrorExit> From<E> for Failure {
    fn from(error: E) -> Self {
        match error.exit_kind() {
            ExitKind::Cancelled => Self::Cancelled,
            ExitKind::Failure | ExitKind::Usage => Self::Error(Box::new(error)),
        }
    }
}

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Self {
        if error.0.kind() == std::io::ErrorKind::BrokenPipe {
            Self::PipeClosed
        } else {
            Self::failed(error)
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::failed(format!("cannot write JSON: {error}"))
    }
}

/// Something that the user should have typed differently.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

impl ErrorExit for UsageError {
    fn exit_kind(&self) -> ExitKind {
        ExitKind::Usage
    }
}

/// A failure in the work of a subcommand.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct WorkError(String);

impl ErrorExit for WorkError {}

/// Standard output cannot be written. Not an [`ErrorExit`]: a closed pipe is not an error.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output: {}", io_problem(.0))]
pub struct OutputError(pub std::io::Error);
