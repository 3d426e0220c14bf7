//! Runs jobs on all threads, or on this one where waking the others would take longer than the work.

use rayon::prelude::*;

use super::operators::Operators;

/// Multiply-adds (or values moved) below which the calling thread works alone: about the time that it takes to wake another
/// one and to be woken by it.
const MIN_SHARED_WORK: usize = 1 << 23;

/// Whether this many multiply-adds are worth more than one thread.
fn worth_sharing(work: usize) -> bool {
    work >= MIN_SHARED_WORK && rayon::current_num_threads() > 1
}

/// The number of jobs into which this many multiply-adds are cut: several for each thread, so that a slow one does not hold up
/// the rest; one if they are not worth sharing.
pub(super) fn jobs(work: usize) -> usize {
    const JOBS_PER_THREAD: usize = 4;
    if worth_sharing(work) {
        JOBS_PER_THREAD * rayon::current_num_threads()
    } else {
        1
    }
}

/// Runs `job` for every item; `scratch` is created at least once per thread.
pub(super) fn for_each<J: Send, S>(
    work: usize,
    items: Vec<J>,
    scratch: impl Fn() -> S + Sync + Send,
    job: impl Fn(&mut S, J) + Sync + Send,
) {
    if worth_sharing(work) {
        items.into_par_iter().for_each_init(scratch, job);
    } else {
        let mut scratch = scratch();
        items.into_iter().for_each(|item| job(&mut scratch, item));
    }
}

/// The results of `job` for every item, in order.
pub(super) fn map<J: Send, R: Send>(
    work: usize,
    items: Vec<J>,
    job: impl Fn(J) -> R + Sync + Send,
) -> Vec<R> {
    if worth_sharing(work) {
        items.into_par_iter().map(job).collect()
    } else {
        items.into_iter().map(job).collect()
    }
}

/// [`map`] with scratch, which is created at least once per thread.
pub(super) fn map_with<J: Send, S, R: Send>(
    work: usize,
    items: Vec<J>,
    scratch: impl Fn() -> S + Sync + Send,
    job: impl Fn(&mut S, J) -> R + Sync + Send,
) -> Vec<R> {
    if worth_sharing(work) {
        items.into_par_iter().map_init(scratch, job).collect()
    } else {
        let mut scratch = scratch();
        items
            .into_iter()
            .map(|item| job(&mut scratch, item))
            .collect()
    }
}

/// Runs a step of `work` multiply-adds on one of the pool's own threads: its kernels then share their work without entering and
/// leaving the pool for each. The step uses this thread's [`Operators`].
pub fn in_pool<R: Send>(work: usize, step: impl FnOnce() -> R + Send) -> R {
    /// Below, entering the pool once costs more than it saves.
    const MIN_MOVED_WORK: usize = 8 * MIN_SHARED_WORK;
    if work < MIN_MOVED_WORK {
        return step();
    }
    let operators = Operators::in_use();
    rayon::scope(move |_| {
        let _guard = operators.scoped();
        step()
    })
}
