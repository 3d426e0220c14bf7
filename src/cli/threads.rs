//! The threads that work needs: all of them can be had, or the program says so before it begins.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use super::failure::{Failure, VerbResult};
use crate::error::without_os_number;
use crate::panics;

/// Threads besides those that compute: for signals, batches, metrics, checkpoints, the dashboard and its screen, and two more that
/// other crates may want.
const OTHERS: usize = 8;

/// What to do when a thread can't be started.
const ADVICE: &str = "raise the limits of processes (ulimit -u) and memory (ulimit -v), or set RAYON_NUM_THREADS to compute on \
     fewer threads";

/// Starts the threads that compute, as many as `RAYON_NUM_THREADS` says, or else `count`, or one for each core; and sees whether all
/// others can be started.
pub fn require(count: Option<usize>) -> VerbResult {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::failed(format!(
            "the threads that this work needs can't be started ({}); {ADVICE}",
            without_os_number(&error.to_string())
        ))
    };
    let chosen = std::env::var_os("RAYON_NUM_THREADS").is_some();
    rayon::ThreadPoolBuilder::new()
        .num_threads(count.filter(|_| !chosen).unwrap_or(0))
        .build_global()
        .map_err(|error| failed(&error))?;
    // Each waits for the others to be there.
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock().unwrap_or_else(PoisonError::into_inner);
    let start = || {
        let gate = gate.clone();
        std::thread::Builder::new().spawn(move || drop(gate.lock()))
    };
    let started: Vec<_> = (0..OTHERS).map(|_| start()).collect();
    drop(closed);
    for thread in started {
        let _ = thread.map_err(|error| failed(&error))?.join();
    }
    Ok(())
}

/// Runs a subcommand. Where another crate panics for want of a thread, that is its error.
pub fn guard(verb: impl FnOnce() -> VerbResult) -> VerbResult {
    panics::silence_missing_threads();
    match catch_unwind(AssertUnwindSafe(verb)) {
        Ok(result) => result,
        Err(panic) if panics::is_missing_thread(panic.as_ref()) => Err(Failure::failed(format!(
            "a thread can't be started; {ADVICE}"
        ))),
        Err(panic) => resume_unwind(panic),
    }
}
