//! What using a cache has found, for people.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::one_line;

/// Counts what the user should know.
#[derive(Debug, Default)]
pub struct Tally {
    damaged: AtomicUsize,
    /// Nothing is written any more.
    has_stopped: AtomicBool,
    /// Why, until it is told.
    why_stopped: Mutex<Option<String>>,
}

impl Tally {
    /// Counts a damaged entry.
    pub fn damaged(&self) {
        self.damaged.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether nothing is written any more.
    pub fn has_stopped(&self) -> bool {
        self.has_stopped.load(Ordering::Relaxed)
    }

    /// Stops writing since the cache has reached its limit in bytes.
    pub fn full(&self, limit: u64) {
        self.stop(format!(
            "has reached its limit of {}; further images are decoded on every read, or kept in memory; raise data.cache_mb to keep \
             them on the disk",
            megabytes(limit)
        ));
    }

    /// Stops writing since that has failed.
    pub fn failed(&self, error: &dyn std::fmt::Display) {
        self.stop(format!(
            "can't be written: {}; training goes on, and further images are decoded on every read, or kept in memory",
            one_line(error)
        ));
    }

    fn stop(&self, why: String) {
        if !self.has_stopped.swap(true, Ordering::Relaxed) {
            *self.lock() = Some(why);
        }
    }

    /// What was not told yet, a line each; `root` is the cache's folder.
    pub fn take(&self, root: &Path) -> Vec<String> {
        let damaged = match self.damaged.swap(0, Ordering::Relaxed) {
            0 => None,
            1 => Some("1 damaged image was decoded again and replaced".to_string()),
            more => Some(format!(
                "{more} damaged images were decoded again and replaced"
            )),
        };
        let stopped = self.lock().take();
        let lines = damaged.into_iter().chain(stopped);
        lines
            .map(|line| format!("cache {}: {line}", root.display()))
            .collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.why_stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes in the unit of `data.cache_mb`.
pub fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes >> 20)
}
