//! What a download reports, and how patient it is.

use std::path::Path;
use std::time::Duration;

use super::checksum::Check;

/// How long to wait, and how often to try again.
#[derive(Debug, Clone, PartialEq)]
pub struct Patience {
    /// Longest time until a connection stands.
    pub connect: Duration,
    /// Longest time without any data.
    pub stall: Duration,
    /// Pause before the second attempt; it doubles with every further one.
    pub pause: Duration,
    /// Attempts that may fail in a row, without a good part of the file between them.
    pub attempts: u32,
}

impl Default for Patience {
    /// Slow servers answer within seconds; half a minute without a byte is a broken line (curl and wget wait for minutes,
    /// in which people give up). Four attempts with 1, 2 and 4 s between them outlast a router that reconnects.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            stall: Duration::from_secs(30),
            pause: Duration::from_secs(1),
            attempts: 4,
        }
    }
}

/// What happens on the way.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<'a> {
    /// A file that was put there by hand is used.
    Found(&'a Path),
    /// A download begins, or goes on after `done` bytes.
    Begins {
        /// The file's address.
        url: &'a str,
        /// Bytes that are there.
        done: u64,
        /// Bytes of the whole file, if the server tells.
        total: Option<u64>,
    },
    /// More bytes have come.
    Bytes {
        /// Bytes that are there.
        done: u64,
        /// Bytes of the whole file, if the server tells.
        total: Option<u64>,
    },
    /// The partial file can't be used; the download is restarted.
    StartsOver(&'a str),
    /// The connection failed; the next attempt comes after a pause.
    Waits {
        /// What was wrong.
        problem: &'a str,
        /// How long.
        pause: Duration,
    },
    /// A file was compared with its sum and is not a wrong one.
    Checked {
        /// The file.
        name: &'a str,
        /// What was found.
        check: &'a Check,
    },
    /// The files are here; the set's folder is being made.
    Unpacks,
}
