//! The thread that sends a journal while a run trains.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::delivery::{Delivery, Progress};
use crate::progress::CancelToken;
use crate::run_dir::RunDir;
use crate::tracking::tracker::Tell;

/// How long a server that did not answer is left alone; doubled each time, up to the second.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// How long the end of a run waits for a server with which nothing goes on; and once the user wants the program to end.
const PATIENCE: Duration = Duration::from_secs(10);
const PATIENCE_CANCELLED: Duration = Duration::from_millis(500);

/// How often the end of a run asks how the sending goes.
const LOOK: Duration = Duration::from_millis(50);

/// Sends the journal of a run in a thread of its own.
pub struct Sender {
    shared: Arc<Shared>,
    /// `None` if the system gave no thread: then everything is kept.
    _thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    bell: Condvar,
    progress: Progress,
}

#[derive(Default)]
struct State {
    /// The journal may have something new.
    is_pending: bool,
    /// There will be nothing new any more.
    is_closing: bool,
    /// The thread is done.
    is_done: bool,
}

impl Sender {
    /// Starts the thread for the journal in a folder.
    pub fn start(run_dir: &RunDir, folder: &Path, tell: Tell) -> Self {
        let shared = Arc::new(Shared::default());
        let (inside, run_dir, folder) = (shared.clone(), run_dir.clone(), folder.to_path_buf());
        let work = move || {
            run(&inside, &run_dir, &folder, &tell);
            inside.state().is_done = true;
            inside.bell.notify_all();
        };
        let thread = std::thread::Builder::new().name("mlflow".into());
        let thread = thread.spawn(work).ok();
        if thread.is_none() {
            shared.state().is_done = true;
        }
        Self {
            shared,
            _thread: thread,
        }
    }

    /// The journal has something new.
    pub fn wake(&self) {
        self.shared.state().is_pending = true;
        self.shared.bell.notify_all();
    }

    /// Waits until everything is sent, as long as there is progress, or the server is away.
    pub fn close(&self, cancel: &CancelToken) {
        let shared = &self.shared;
        let mut state = shared.state();
        state.is_closing = true;
        shared.bell.notify_all();
        let (mut steps, mut since) = (shared.progress.steps(), Instant::now());
        let mut cancelled = None;
        while !state.is_done {
            let waited = shared.bell.wait_timeout(state, LOOK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            let now = shared.progress.steps();
            if now != steps {
                (steps, since) = (now, Instant::now());
            }
            if cancel.is_cancelled() {
                cancelled.get_or_insert_with(Instant::now);
            }
            let is_enough = cancelled.is_some_and(|at| at.elapsed() > PATIENCE_CANCELLED);
            if is_enough || since.elapsed() > PATIENCE {
                shared.progress.stop();
                return;
            }
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        // A run that ends by a panic, too.
        self.shared.progress.stop();
        self.shared.state().is_closing = true;
        self.shared.bell.notify_all();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is something to send and the server may be asked again; true if it is for the last time.
    fn wait(&self, rest_until: Option<Instant>) -> bool {
        let mut state = self.state();
        loop {
            if state.is_closing {
                return true;
            }
            let rest = rest_until.map_or(Duration::ZERO, |at| {
                at.saturating_duration_since(Instant::now())
            });
            if !state.is_pending {
                state = self
                    .bell
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            } else if rest.is_zero() {
                state.is_pending = false;
                return false;
            } else {
                let waited = self.bell.wait_timeout(state, rest);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }
}

/// Sends until the run is over. The first problem is told, and no other.
fn run(shared: &Shared, run_dir: &RunDir, folder: &Path, tell: &Tell) {
    let mut is_told = false;
    let mut say = |problem: String| {
        if !std::mem::replace(&mut is_told, true) {
            tell(&problem);
        }
    };
    let mut delivery = match Delivery::open(run_dir, folder) {
        Ok(delivery) => delivery,
        Err(error) => return say(format!("mlflow: {error}; nothing is sent")),
    };
    let (mut pause, mut rest_until) = (PAUSES.0, None);
    loop {
        let is_last = shared.wait(rest_until);
        match delivery.drain(&shared.progress) {
            Ok(()) => (pause, rest_until) = (PAUSES.0, None),
            Err(error) => {
                let run = run_dir.path().display();
                say(format!(
                    "mlflow: {error}; what it misses is kept in {} and sent later, or with `kiln track {run}`",
                    folder.display()
                ));
                rest_until = Some(Instant::now() + pause);
                pause = (pause * 2).min(PAUSES.1);
                shared.state().is_pending = true;
            }
        }
        if let Some(refused) = delivery.take_refused() {
            say(format!("mlflow: {refused}; the rest is sent"));
        }
        if is_last {
            return;
        }
    }
}
