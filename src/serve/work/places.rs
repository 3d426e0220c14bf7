//! The places of a queue, and the wait for what is at its end.

use std::future::Future;
use std::sync::Arc;

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

use crate::progress::CancelToken;
use crate::serve::limits::ANSWER_TIME;
use crate::serve::problem::Problem;

/// The places of a queue.
#[derive(Debug, Clone)]
pub struct Places {
    free: Arc<Semaphore>,
    all: usize,
}

/// A place in a queue; it is free again when this is dropped.
#[derive(Debug)]
pub struct Place(
    #[expect(dead_code, reason = "held until the place is dropped")] OwnedSemaphorePermit,
);

impl Places {
    /// So many places.
    pub fn new(all: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(all)),
            all,
        }
    }

    /// A place, if one is free.
    ///
    /// # Errors
    /// All are taken.
    pub fn enter(&self) -> Result<Place, Problem> {
        let place = self.free.clone().try_acquire_owned();
        place.map(Place).map_err(|_| Problem::busy())
    }

    /// Refuses what would find no place now, before its body is read.
    ///
    /// # Errors
    /// All are taken.
    pub fn require(&self) -> Result<(), Problem> {
        match self.free.available_permits() {
            0 => Err(Problem::busy()),
            _ => Ok(()),
        }
    }

    /// Places that are taken.
    pub fn taken(&self) -> usize {
        self.all.saturating_sub(self.free.available_permits())
    }

    /// All places.
    pub fn all(&self) -> usize {
        self.all
    }
}

/// Somebody waits for work; when this is dropped, nobody does any more, and the work is cancelled.
#[derive(Debug, Default)]
pub struct Waiting(CancelToken);

impl Waiting {
    /// What cancels the work.
    pub fn cancel(&self) -> CancelToken {
        self.0.clone()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Waits for the end of work, in queues as well, but not for ever.
///
/// # Errors
/// Those of the work; or it takes too long, and is dropped.
pub async fn in_time<T>(work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    timeout(ANSWER_TIME, work).await.unwrap_or_else(|_| {
        Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!(
                "no answer within {} s; try again later, or send a smaller image",
                ANSWER_TIME.as_secs()
            ),
        ))
    })
}

/// Waits for the answer of a thread.
///
/// # Errors
/// The answer is an error, or whoever worked on it failed.
pub async fn answer<T>(reply: oneshot::Receiver<Result<T, Problem>>) -> Result<T, Problem> {
    let failed = |_| Problem::failed("the work on this request failed");
    reply.await.map_err(failed)?
}
