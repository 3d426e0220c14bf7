//! What a connection is doing, from the head of a request until its answer has left.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::OwnedSemaphorePermit;

use crate::serve::limits::ARRIVAL_TIME;

/// What a connection is doing; clones are of the same connection.
#[derive(Debug, Clone)]
pub struct Activity(Arc<State>);

#[derive(Debug)]
struct State {
    /// Since when `moved` counts.
    began: Instant,
    opened: Instant,
    /// Requests of all connections whose answer is not written yet ...
    all_requests: Arc<AtomicUsize>,
    /// ... and those of this connection.
    requests: AtomicUsize,
    /// Bodies that are being received.
    receiving: AtomicUsize,
    /// Whether the client takes nothing at the moment.
    is_blocked: AtomicBool,
    /// When the last bytes were received or sent, in milliseconds.
    moved: AtomicU64,
    /// Answers of which the last bytes wait to be sent; `None` once the connection is closed.
    handed: Mutex<Option<Vec<Answering>>>,
}

/// In which order connections are closed for others: those without a request first, then those that have stood still for longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Closable {
    has_request: bool,
    moved: u64,
}

impl State {
    fn handed(&self) -> MutexGuard<'_, Option<Vec<Answering>>> {
        self.handed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Activity {
    /// A connection on which nothing has happened yet; `all_requests` counts those of all connections.
    pub fn new(began: Instant, all_requests: Arc<AtomicUsize>) -> Self {
        let activity = Self(Arc::new(State {
            began,
            opened: Instant::now(),
            all_requests,
            requests: AtomicUsize::default(),
            receiving: AtomicUsize::default(),
            is_blocked: AtomicBool::default(),
            moved: AtomicU64::default(),
            handed: Mutex::new(Some(Vec::new())),
        }));
        activity.moved();
        activity
    }

    /// A request begins to be answered.
    pub fn answering(&self) -> Answering {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        self.0.all_requests.fetch_add(1, Ordering::Relaxed);
        Answering {
            activity: self.clone(),
            memory: None,
        }
    }

    /// The body of a request begins to be received.
    pub fn receiving(&self) -> Receiving {
        self.0.receiving.fetch_add(1, Ordering::Relaxed);
        Receiving(self.clone())
    }

    /// Bytes were received or sent.
    pub fn moved(&self) {
        let now = u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.moved.store(now, Ordering::Relaxed);
        self.0.is_blocked.store(false, Ordering::Relaxed);
    }

    /// The client takes nothing at the moment.
    pub fn blocked(&self) {
        self.0.is_blocked.store(true, Ordering::Relaxed);
    }

    /// All that was handed over has left.
    pub fn written(&self) {
        let over = self.0.handed().as_mut().map(std::mem::take);
        drop(over);
    }

    /// The connection is closed: what has not left by now never will.
    pub fn closed(&self) {
        let over = self.0.handed().take();
        drop(over);
    }

    /// Whether the connection may be closed for another one, and before which others: not while the server works for it, or sends what the
    /// client takes, and not before its first request had time to arrive.
    pub fn closable(&self) -> Option<Closable> {
        let load = |count: &AtomicUsize| count.load(Ordering::Relaxed) > 0;
        let has_request = load(&self.0.requests);
        if !has_request && self.0.opened.elapsed() < ARRIVAL_TIME {
            return None;
        }
        let waits = load(&self.0.receiving) || self.0.is_blocked.load(Ordering::Relaxed);
        (!has_request || waits).then(|| Closable {
            has_request,
            moved: self.0.moved.load(Ordering::Relaxed),
        })
    }
}

/// A request is being answered until this is dropped.
#[derive(Debug)]
pub struct Answering {
    activity: Activity,
    /// The memory that a large answer counts for.
    memory: Option<OwnedSemaphorePermit>,
}

impl Answering {
    /// The answer counts for this memory until it is written.
    pub fn holds(&mut self, memory: OwnedSemaphorePermit) {
        self.memory = Some(memory);
    }

    /// The last bytes of the answer were handed over: it is written once they have left.
    pub fn hand_over(self) {
        let state = self.activity.0.clone();
        let mut handed = state.handed();
        match &mut *handed {
            Some(waiting) => waiting.push(self),
            // Not under the lock.
            None => {
                drop(handed);
                drop(self);
            }
        }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.activity.0.requests.fetch_sub(1, Ordering::Relaxed);
        self.activity.0.all_requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The body of a request is being received until this is dropped.
#[derive(Debug)]
pub struct Receiving(Activity);

impl Drop for Receiving {
    fn drop(&mut self) {
        self.0.0.receiving.fetch_sub(1, Ordering::Relaxed);
    }
}
