//! The connections that are open, and which of them may be closed for another one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

use crate::serve::limits::MAX_CONNECTIONS;

/// The connections that are open.
#[derive(Debug, Default)]
pub struct Registry {
    open: Mutex<Open>,
    /// Requests that are being answered, on all connections.
    requests: AtomicUsize,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    /// By number: the oldest first.
    connections: BTreeMap<u64, Connection>,
}

#[derive(Debug)]
struct Connection {
    activity: Activity,
    task: Option<AbortHandle>,
}

/// What a connection is doing; clones are of the same connection.
#[derive(Debug, Clone, Default)]
pub struct Activity {
    works: Arc<AtomicUsize>,
}

/// The server works on a request of a connection, or streams to it, until this is dropped.
#[derive(Debug)]
pub struct Working(Activity);

impl Activity {
    /// From now on the connection is kept, also if there are too many.
    pub fn begin(&self) -> Working {
        self.works.fetch_add(1, Ordering::Relaxed);
        Working(self.clone())
    }

    fn is_working(&self) -> bool {
        self.works.load(Ordering::Relaxed) > 0
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.works.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request is being answered until this is dropped.
#[derive(Debug)]
pub struct Answering(Arc<Registry>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A place for a connection; it is free again when this is dropped.
#[derive(Debug)]
pub struct Place {
    registry: Arc<Registry>,
    number: u64,
    /// What the connection is doing.
    pub activity: Activity,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.registry.lock().connections.remove(&self.number);
    }
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a new connection. If there are too many, the oldest one on which nothing is being worked is closed; `None` if there is no
    /// such.
    pub fn enter(self: &Arc<Self>) -> Option<Place> {
        if let Some(closed) = self.make_room()? {
            // Without the lock: what is closed gives its place back.
            closed.abort();
        }
        let mut open = self.lock();
        let number = open.next;
        open.next += 1;
        let activity = Activity::default();
        open.connections.insert(
            number,
            Connection {
                activity: activity.clone(),
                task: None,
            },
        );
        Some(Place {
            registry: self.clone(),
            number,
            activity,
        })
    }

    /// What is closed for another connection, if that has to be; `None` if nothing can be.
    fn make_room(&self) -> Option<Option<AbortHandle>> {
        let mut open = self.lock();
        if open.connections.len() < MAX_CONNECTIONS {
            return Some(None);
        }
        let mut all = open.connections.iter();
        let is_idle = |one: &Connection| !one.activity.is_working() && one.task.is_some();
        let (&idle, _) = all.find(|(_, one)| is_idle(one))?;
        open.connections.remove(&idle)?.task.map(Some)
    }

    /// Tells which task serves the connection of a place, so that it can be closed.
    pub fn served_by(&self, number: u64, task: AbortHandle) {
        if let Some(connection) = self.lock().connections.get_mut(&number) {
            connection.task = Some(task);
        }
    }

    /// Connections that are open.
    pub fn connections(&self) -> usize {
        self.lock().connections.len()
    }

    /// Counts a request until the value is dropped.
    pub fn answering(self: &Arc<Self>) -> Answering {
        self.requests.fetch_add(1, Ordering::Relaxed);
        Answering(self.clone())
    }

    /// Requests that are being answered.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Place {
    /// Its number.
    pub fn number(&self) -> u64 {
        self.number
    }
}
