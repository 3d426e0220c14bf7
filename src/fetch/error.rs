//! Why a data set was not fetched.

use std::path::{Path, PathBuf};

use crate::error::{ErrorExit, ExitKind, FileError, io_problem};
use crate::progress::Cancelled;

/// Why a set was not fetched; the message names the URL or file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// An unusable URL.
    #[error("{url}: {problem}")]
    Address {
        /// The URL.
        url: String,
        /// The problem.
        problem: String,
    },
    /// The server can't be reached, or the connection keeps failing.
    #[error("{url}: {problem}; {}", advice(*done, by_hand))]
    Unreachable {
        /// The URL.
        url: String,
        /// The last problem.
        problem: String,
        /// Bytes downloaded so far, which the next attempt will use.
        done: u64,
        /// Where to place the file instead.
        by_hand: PathBuf,
    },
    /// The server refused the request.
    #[error("{url}: the server returned {status}; {}", advice(0, by_hand))]
    Refused {
        /// The URL.
        url: String,
        /// The HTTP status.
        status: String,
        /// Where to place the file instead.
        by_hand: PathBuf,
    },
    /// A file that can't be the right one.
    #[error(
        "{url}: {bytes} bytes or more, expected at most {most}; this does not look like the right file; use a mirror with --from"
    )]
    TooLarge {
        /// The URL.
        url: String,
        /// Its known length so far.
        bytes: u64,
        /// The maximum.
        most: u64,
    },
    /// A file whose checksum or content is wrong.
    #[error("{file}: {problem}; {}", if *deleted {
        "the download was deleted; try again, or choose a mirror with --from"
    } else {
        "replace or remove this file"
    })]
    Wrong {
        /// Its URL, or its path if the user placed it there.
        file: String,
        /// The problem.
        problem: String,
        /// Whether it was downloaded, and so deleted.
        deleted: bool,
    },
    /// The set's folder has other content.
    #[error("{}: already exists but does not contain {}; move or remove it, then fetch again", folder.display(), missing.display())]
    Occupied {
        /// The set's folder.
        folder: PathBuf,
        /// The first missing file or folder.
        missing: PathBuf,
    },
    /// Another process is downloading the same file.
    #[error("{}: another kiln process is downloading this file; wait for it", .0.display())]
    Busy(PathBuf),
    /// A file that can't be read.
    #[error("{}: {}", path.display(), io_problem(source))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that can't be written.
    #[error(transparent)]
    Write(#[from] FileError),
    /// The fetch was cancelled; what was downloaded is kept.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl FetchError {
    /// Whether the server has given nothing, so that another may be asked.
    pub(super) fn is_without_answer(&self) -> bool {
        matches!(
            self,
            Self::Refused { .. } | Self::Unreachable { done: 0, .. }
        )
    }

    /// What a server that was asked for a file did wrong, without the file and the advice.
    pub(super) fn problem(&self) -> String {
        match self {
            Self::Unreachable { problem, .. } => problem.clone(),
            Self::Refused { status, .. } => format!("the server returned {status}"),
            other => other.to_string(),
        }
    }
}

impl ErrorExit for FetchError {
    fn exit_kind(&self) -> ExitKind {
        match self {
            Self::Cancelled(cancelled) => cancelled.exit_kind(),
            _ => ExitKind::Failure,
        }
    }
}

/// What to do when a download fails.
fn advice(done: u64, by_hand: &Path) -> String {
    let kept = match done {
        0 => String::new(),
        done => format!("{done} bytes are kept for the next attempt; "),
    };
    format!(
        "{kept}try again, use a mirror with --from, or save the file manually as {}",
        by_hand.display()
    )
}
