//! The threads that read and prepare samples.

use std::io;
use std::sync::OnceLock;

use rayon::{ThreadPool, ThreadPoolBuilder};

/// The pool that makes batches: as many threads as compute, so that reading uses all cores where nothing is computed, and not those
/// threads, so that no part of a training step waits behind a photograph.
///
/// # Errors
/// The threads can't be started.
pub fn pool() -> io::Result<&'static ThreadPool> {
    static POOL: OnceLock<ThreadPool> = OnceLock::new();
    if let Some(pool) = POOL.get() {
        return Ok(pool);
    }
    let pool = ThreadPoolBuilder::new()
        .num_threads(rayon::current_num_threads())
        .thread_name(|number| format!("loader-{number}"))
        .start_handler(|_| yield_to_training())
        .build()
        .map_err(|error| io::Error::other(error.to_string()))?;
    // Another thread may have started one meanwhile; then this one ends.
    Ok(POOL.get_or_init(|| pool))
}

/// Lowers the priority of the calling thread: it works in the time that training leaves, and at full speed while training waits for it.
/// Where a priority can't be a single thread's, it stays as it is.
pub fn yield_to_training() {
    /// The lowest of Linux's priorities (`setpriority(2)`).
    #[cfg(target_os = "linux")]
    const NICENESS: i32 = 19;
    // It can't fail: lowering is always allowed.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, NICENESS);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_threads_that_read_give_way_to_all_others() {
        let priority = || rustix::process::getpriority_process(None).unwrap();
        let before = priority();
        let of_the_pool = pool().unwrap().broadcast(|_| priority());
        assert_eq!(of_the_pool.len(), rayon::current_num_threads());
        assert!(of_the_pool.iter().all(|&priority| priority == 19));
        assert_eq!(priority(), before, "that of this thread is as it was");
    }
}
