//! Work that is shared among threads from outside of the kernels.

use crate::kernels::threads;

/// Threads that are worth using for so many multiply-adds.
pub fn threads(work: usize) -> usize {
    if threads::worth_sharing(work) {
        rayon::current_num_threads()
    } else {
        1
    }
}

/// Runs `job` for every item on all threads.
pub fn for_each<J: Send>(items: Vec<J>, job: impl Fn(J) + Sync + Send) {
    threads::for_each(usize::MAX, items, || (), |(), item| job(item));
}
