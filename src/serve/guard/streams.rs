//! The places for streams of events: each keeps a connection, so that there are only so many.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::progress::CancelToken;
use crate::serve::limits::MAX_STREAMS;
use crate::serve::problem::Problem;

/// A stream lasts this long before it is ended for another one. Browsers connect again by themselves.
const MIN_TIME: Duration = Duration::from_secs(5);

/// The places for streams.
#[derive(Debug, Clone, Default)]
pub struct Streams(Arc<Mutex<Open>>);

#[derive(Debug, Default)]
struct Open {
    next: u64,
    /// By number, the oldest first: when it began, and what ends it.
    all: BTreeMap<u64, (Instant, CancelToken)>,
}

/// A place for a stream; it is free again when this is dropped.
#[derive(Debug)]
pub struct StreamPlace {
    streams: Streams,
    number: u64,
    /// Cancelled when the stream has to end for another one.
    pub cancel: CancelToken,
}

impl Streams {
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place; if all are taken, that of the oldest stream, so that nobody is kept out by streams that nobody reads.
    ///
    /// # Errors
    /// All are taken, and have only begun.
    pub fn enter(&self) -> Result<StreamPlace, Problem> {
        let mut open = self.lock();
        if open.all.len() >= MAX_STREAMS
            && let Some(oldest) = open.all.first_entry()
        {
            if oldest.get().0.elapsed() < MIN_TIME {
                return Err(Problem::busy());
            }
            oldest.remove().1.cancel();
        }
        let number = open.next;
        open.next += 1;
        let cancel = CancelToken::default();
        open.all.insert(number, (Instant::now(), cancel.clone()));
        Ok(StreamPlace {
            streams: self.clone(),
            number,
            cancel,
        })
    }
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        self.streams.lock().all.remove(&self.number);
    }
}
