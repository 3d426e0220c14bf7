//! Long work as its caller sees it: it says how far it has come, and it can be cancelled.
//!
//! Reading a folder of photographs, a download or an evaluation takes a [`Monitor`], begins a [`Stage`] and advances it item by
//! item. Advancing fails once the work is cancelled, so that `?` ends it within one item.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::error::{ErrorExit, ExitKind};

/// How long a sleeping thread goes without asking whether it is cancelled: well within the second that people wait.
const NAP: Duration = Duration::from_millis(50);

/// Asks work to stop. Clones ask for the same stop.
#[derive(Debug, Clone, Default)]
pub struct CancelToken {
    is_cancelled: Arc<AtomicBool>,
    /// Cancelled together with this one.
    parent: Option<Arc<CancelToken>>,
}

impl CancelToken {
    /// A token that is cancelled with this one, and that can be cancelled without it.
    pub fn child(&self) -> Self {
        Self {
            is_cancelled: Arc::default(),
            parent: Some(Arc::new(self.clone())),
        }
    }

    /// Asks the work to stop; there is no way back.
    pub fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the work is to stop.
    pub fn is_cancelled(&self) -> bool {
        let parent = self.parent.as_ref();
        self.is_cancelled.load(Ordering::Relaxed) || parent.is_some_and(|p| p.is_cancelled())
    }

    /// Ends work that is to stop.
    ///
    /// # Errors
    /// The token is cancelled.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() {
            Err(Cancelled)
        } else {
            Ok(())
        }
    }

    /// Waits, unless the work is to stop.
    ///
    /// # Errors
    /// The token is cancelled, before or meanwhile.
    pub fn sleep(&self, time: Duration) -> Result<(), Cancelled> {
        let began = Instant::now();
        loop {
            self.check()?;
            let left = time.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(NAP));
        }
    }
}

/// The work was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

impl ErrorExit for Cancelled {
    fn exit_kind(&self) -> ExitKind {
        ExitKind::Cancelled
    }
}

/// Is told how far work has come. The methods are called from any thread and must return quickly.
pub trait Watcher: Send + Sync {
    /// A stage begins, such as "reading images"; `total` is the number of its items, if that is known.
    fn begins(&self, _stage: &'static str, _total: Option<usize>) {}
    /// So many items of the stage are done. Calls of several threads may come out of order.
    fn advances(&self, _done: usize) {}
    /// The stage is over, or was given up.
    fn ends(&self) {}
}

/// A watcher that does nothing.
struct Nobody;

impl Watcher for Nobody {}

/// What long work is given by its caller: someone who watches, and a token that cancels it.
#[derive(Clone)]
pub struct Monitor {
    cancel: CancelToken,
    watcher: Arc<dyn Watcher>,
}

impl Default for Monitor {
    /// Monitor that nobody watches or cancels.
    fn default() -> Self {
        Self::new(CancelToken::default(), Arc::new(Nobody))
    }
}

impl Monitor {
    /// Monitor with a token and a watcher.
    pub fn new(cancel: CancelToken, watcher: Arc<dyn Watcher>) -> Self {
        Self { cancel, watcher }
    }

    /// The same watcher, with another token.
    pub fn with_cancel(&self, cancel: CancelToken) -> Self {
        Self::new(cancel, self.watcher.clone())
    }

    /// The token that cancels the work.
    pub fn cancel(&self) -> &CancelToken {
        &self.cancel
    }

    /// Begins a stage of `total` items (`None`: not known yet). It ends when the value is dropped. There is one
    /// at a time.
    pub fn stage(&self, name: &'static str, total: Option<usize>) -> Stage {
        self.watcher.begins(name, total);
        Stage {
            monitor: self.clone(),
            done: AtomicUsize::new(0),
        }
    }
}

/// A stage of work. Threads may share it.
pub struct Stage {
    monitor: Monitor,
    done: AtomicUsize,
}

impl Stage {
    /// Counts `items` more as done.
    ///
    /// # Errors
    /// The work is cancelled.
    pub fn advance(&self, items: usize) -> Result<(), Cancelled> {
        let done = self.done.fetch_add(items, Ordering::Relaxed) + items;
        self.monitor.watcher.advances(done);
        self.monitor.cancel.check()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.monitor.watcher.ends();
    }
}
