//! Why a data set was not fetched.

use std::path::{Path, PathBuf};

use crate::error::{ErrorExit, FileError};

/// Why a set was not fetched; the text names the address or file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// An address that can't be used.
    #[error("{url}: {problem}")]
    Address {
        /// The address.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The server can't be reached, or does not hold out.
    #[error("{url}: {problem}; {}", advice(*done, by_hand))]
    Unreachable {
        /// The address.
        url: String,
        /// What was wrong.
        problem: String,
        /// Bytes that are there and will be used next time.
        done: u64,
        /// Where to put the file instead.
        by_hand: PathBuf,
    },
    /// The server does not give the file.
    #[error("{url}: the server answers {status}; {}", advice(0, by_hand))]
    Refused {
        /// The address.
        url: String,
        /// The HTTP status.
        status: String,
        /// Where to put the file instead.
        by_hand: PathBuf,
    },
    /// A file that can't be the right one.
    #[error(
        "{url}: {bytes} bytes or more, expected at most {most}; this is another file, name a mirror with --from"
    )]
    TooLarge {
        /// The address.
        url: String,
        /// Its length, as far as it is known.
        bytes: u64,
        /// What is allowed.
        most: u64,
    },
    /// A file whose sum, or content, is not that of the set.
    #[error("{file}: {problem}; {}", if *deleted {
        "the download is deleted: try again, or name a mirror with --from"
    } else {
        "replace or remove this file"
    })]
    Wrong {
        /// Its address, or its path if it was put there by hand.
        file: String,
        /// What is wrong with it.
        problem: String,
        /// Whether it was downloaded, and is gone.
        deleted: bool,
    },
    /// Something else stands where the set belongs.
    #[error("{}: is there, but has no {}; move or remove it and fetch again", folder.display(), missing.display())]
    Occupied {
        /// The set's folder.
        folder: PathBuf,
        /// The first that it lacks.
        missing: PathBuf,
    },
    /// Another process fetches the same file.
    #[error("{}: another kiln is fetching this file; wait for it", .0.display())]
    Busy(PathBuf),
    /// A file that can't be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that can't be written.
    #[error(transparent)]
    Write(#[from] FileError),
}

impl ErrorExit for FetchError {}

/// What to do when a server does not give a file.
fn advice(done: u64, by_hand: &Path) -> String {
    let kept = match done {
        0 => String::new(),
        done => format!("{done} bytes are kept for the next attempt; "),
    };
    format!(
        "{kept}try again, name a mirror with --from, or put the file there by hand: {}",
        by_hand.display()
    )
}
