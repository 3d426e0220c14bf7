//! Jobs on all threads, or on this one where waking the others would take longer than the work.

use rayon::prelude::*;

/// Multiply-adds (or values moved) below which the calling thread works alone: about the time that it takes to wake another
/// one and to be woken by it.
const WORTH_WAKING: usize = 1 << 23;

/// Whether so many multiply-adds are worth more than one thread.
fn worth_sharing(work: usize) -> bool {
    work >= WORTH_WAKING && rayon::current_num_threads() > 1
}

/// Into how many jobs so many multiply-adds are cut: several for each thread, so that one that is late does not hold up the
/// rest; one where they are not worth sharing.
pub(super) fn jobs(work: usize) -> usize {
    const JOBS_PER_THREAD: usize = 4;
    match worth_sharing(work) {
        true => JOBS_PER_THREAD * rayon::current_num_threads(),
        false => 1,
    }
}

/// Runs `job` for every item; `scratch` is made once per thread or oftener.
pub(super) fn for_each<J: Send, S>(
    work: usize,
    items: Vec<J>,
    scratch: impl Fn() -> S + Sync + Send,
    job: impl Fn(&mut S, J) + Sync + Send,
) {
    match worth_sharing(work) {
        true => items.into_par_iter().for_each_init(scratch, job),
        false => {
            let mut scratch = scratch();
            items.into_iter().for_each(|item| job(&mut scratch, item));
        }
    }
}

/// The results of `job` for every item, in their order.
pub(super) fn map<J: Send, R: Send>(
    work: usize,
    items: Vec<J>,
    job: impl Fn(J) -> R + Sync + Send,
) -> Vec<R> {
    match worth_sharing(work) {
        true => items.into_par_iter().map(job).collect(),
        false => items.into_iter().map(job).collect(),
    }
}

/// Runs a step of so many multiply-adds on one of the pool's own threads: the kernels in it then share their work without
/// being handed over to the pool and back for each.
pub fn in_pool<R: Send>(work: usize, step: impl FnOnce() -> R + Send) -> R {
    /// Below, the one hand-over costs more than those that it saves.
    const WORTH_MOVING: usize = 8 * WORTH_WAKING;
    match work >= WORTH_MOVING {
        true => rayon::scope(|_| step()),
        false => step(),
    }
}
