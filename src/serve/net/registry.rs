//! The connections that are open, and which of them may be closed for another one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::task::AbortHandle;

use super::activity::{Activity, Closable};
use crate::serve::limits::MAX_CONNECTIONS;

/// The connections that are open.
#[derive(Debug)]
pub struct Registry {
    open: Mutex<Open>,
    began: Instant,
    /// Requests whose answer is not written yet, on all connections.
    requests: Arc<AtomicUsize>,
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
        self.activity.closed();
        self.registry.lock().connections.remove(&self.number);
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self {
            open: Mutex::default(),
            began: Instant::now(),
            requests: Arc::default(),
        }
    }
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a new connection. If there are too many, one of the others is closed; `None` if none may be.
    pub fn enter(self: &Arc<Self>) -> Option<Place> {
        if let Some(closed) = self.make_room()? {
            // Without the lock: what is closed gives its place back.
            closed.abort();
        }
        let mut open = self.lock();
        let number = open.next;
        open.next += 1;
        let activity = Activity::new(self.began, self.requests.clone());
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

    /// What is closed for another connection, if that has to be: one without a request, or else one that stands still, and of these the
    /// one on which nothing has moved for the longest. `None` if nothing may be.
    fn make_room(&self) -> Option<Option<AbortHandle>> {
        let mut open = self.lock();
        if open.connections.len() < MAX_CONNECTIONS {
            return Some(None);
        }
        let all = open.connections.iter();
        let closable = all.filter(|(_, one)| one.task.is_some());
        let closable = closable.filter_map(|(&number, one)| {
            let closable: Closable = one.activity.closable()?;
            Some((closable, number))
        });
        let (_, number) = closable.min()?;
        open.connections.remove(&number)?.task.map(Some)
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

    /// Requests whose answer is not written yet.
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
