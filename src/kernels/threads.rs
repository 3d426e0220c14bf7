//! Runs jobs on all threads, or on this one where waking the others would take longer than the work.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::operators::{ComputePrecision, Operators};

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
    map_with(work, items, scratch, job);
}

/// The results of `job` for every item, in order.
pub(super) fn map<J: Send, R: Send>(
    work: usize,
    items: Vec<J>,
    job: impl Fn(J) -> R + Sync + Send,
) -> Vec<R> {
    map_with(work, items, || (), |(), item| job(item))
}

/// [`map`] with scratch, which is created at least once per thread.
pub(super) fn map_with<J: Send, S, R: Send>(
    work: usize,
    items: Vec<J>,
    scratch: impl Fn() -> S + Sync + Send,
    job: impl Fn(&mut S, J) -> R + Sync + Send,
) -> Vec<R> {
    let count = items.len();
    if count < 2 || !worth_sharing(work) {
        let mut scratch = scratch();
        return items
            .into_iter()
            .map(|item| job(&mut scratch, item))
            .collect();
    }
    let items = Mutex::new(items.into_iter().enumerate());
    let finished = Mutex::new(Vec::with_capacity(count));
    let next = || locked(&items).next();
    on_threads(count.min(rayon::current_num_threads()), &|| {
        let mut scratch = scratch();
        while let Some((index, item)) = next() {
            let result = job(&mut scratch, item);
            locked(&finished).push((index, result));
        }
    });
    let mut finished = finished
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    finished.sort_unstable_by_key(|&(index, _)| index);
    finished.into_iter().map(|(_, result)| result).collect()
}

/// Runs `work` `count` times at once. Not generic: rayon's machinery is compiled once, not for every kernel.
fn on_threads(count: usize, work: &(dyn Fn() + Sync)) {
    rayon::scope(|scope| {
        for _ in 1..count {
            scope.spawn(|_| work());
        }
        work();
    });
}

/// A job that panics holds neither lock, and its panic ends the whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a step of `work` multiply-adds on one of the pool's own threads: its kernels then share their work without entering and
/// leaving the pool for each. The step uses this thread's [`Operators`] and
/// [`ComputePrecision`].
pub fn in_pool<R: Send>(work: usize, step: impl FnOnce() -> R + Send) -> R {
    /// Below, entering the pool once costs more than it saves.
    const MIN_MOVED_WORK: usize = 8 * MIN_SHARED_WORK;
    if work < MIN_MOVED_WORK {
        return step();
    }
    let (operators, precision) = (Operators::in_use(), ComputePrecision::in_use());
    rayon::scope(move |_| {
        let _operators = operators.scoped();
        let _precision = precision.scoped();
        step()
    })
}
