//! Events of a download, and its timeouts and retries.

use std::path::Path;
use std::time::Duration;

use super::checksum::Check;

/// Timeouts and retries.
#[derive(Debug, Clone, PartialEq)]
pub struct Patience {
    /// Maximum time to connect.
    pub connect: Duration,
    /// Maximum time without any data.
    pub stall: Duration,
    /// Pause before the second attempt; it doubles with every further one.
    pub pause: Duration,
    /// Maximum consecutive failed attempts without substantial progress between them.
    pub attempts: u32,
}

impl Default for Patience {
    /// Slow servers answer within seconds; half a minute without a byte means a lost connection (curl and wget wait for minutes,
    /// longer than people do). Four attempts with 1, 2 and 4 s between them outlast a router that reconnects.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            stall: Duration::from_secs(30),
            pause: Duration::from_secs(1),
            attempts: 4,
        }
    }
}

/// Progress of a fetch.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<'a> {
    /// A file that the user placed there is used.
    Found(&'a Path),
    /// A download starts, or resumes after `done` bytes.
    Begins {
        /// The file's URL.
        url: &'a str,
        /// Bytes downloaded so far.
        done: u64,
        /// Bytes of the whole file, if the server reports it.
        total: Option<u64>,
    },
    /// More bytes have arrived.
    Bytes {
        /// Bytes downloaded so far.
        done: u64,
        /// Bytes of the whole file, if the server reports it.
        total: Option<u64>,
    },
    /// The partial file can't be used; the download is restarted.
    StartsOver(&'a str),
    /// The connection failed; the next attempt comes after a pause.
    Waits {
        /// The problem.
        problem: &'a str,
        /// How long.
        pause: Duration,
    },
    /// A URL does not answer, for this reason; a mirror is asked.
    Elsewhere(&'a str),
    /// A file's checksum matches, or is unknown.
    Checked {
        /// The file.
        name: &'a str,
        /// The result.
        check: &'a Check,
    },
    /// All files are complete; the set's folder is being made.
    Unpacks,
}
