//! Threads that work on the steps of a plan together, and wait a little for the next run before they end: waking a thread takes longer than a
//! step of a small network.
//!
//! They are not rayon's: one that waits would keep other work from a thread of its pool. A thread that is started gets an idle processor, while
//! one that is woken may have to wait behind the thread that woke it.

use std::hint;
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A part of a step: works on the item with an index.
type Job<'a> = &'a (dyn Fn(usize) + Sync);

/// Most items of a step that are shared: those of a larger one are worked on alone.
const MOST_ITEMS: usize = 1 << 16;

/// How long a thread waits for more work.
const LINGER: Duration = Duration::from_millis(1);

/// The threads of a plan.
#[derive(Default)]
pub struct Helpers(Arc<Shared>);

/// Threads at work: those of [`Helpers`], or the calling one alone. The calling thread does what no other one has taken: it never waits for
/// one that has not come.
pub struct Team<'a> {
    shared: Option<&'a Arc<Shared>>,
    threads: usize,
}

/// What threads share.
#[derive(Default)]
struct Shared {
    /// Whether a run uses the threads.
    is_taken: AtomicBool,
    /// Threads that work or wait, beside the calling one.
    helpers: AtomicUsize,
    /// The step's number (32 bits), and the first (16 bits) and the end (16 bits) of the items that nobody has taken.
    ticket: AtomicU64,
    /// Points to the step's [`Job`].
    job: AtomicPtr<()>,
    /// Items of the step that are done.
    done: AtomicUsize,
    /// Whether an item of the step panicked.
    panicked: AtomicBool,
}

/// A ticket: the number of a step, and its items that nobody has taken.
fn ticket(step: u64, left: Range<usize>) -> u64 {
    (step & u64::from(u32::MAX)) << 32 | (left.start as u64) << 16 | left.end as u64
}

/// Number of a step, and its items that nobody has taken.
fn parts(ticket: u64) -> (u64, Range<usize>) {
    let low = |shift: u32| (ticket >> shift) as usize & (MOST_ITEMS - 1);
    (ticket >> 32, low(16)..low(0))
}

/// From which end of a step's items a thread takes the next: each finds in its cache what it wrote of the same rows in the step before.
#[derive(Clone, Copy)]
enum End {
    First,
    Last,
}

impl Helpers {
    /// Runs `work` with a team of all threads, if so many multiply-adds are worth it and no other run uses them.
    pub fn gather<R>(&self, multiply_adds: usize, work: impl FnOnce(&Team) -> R) -> R {
        /// Less takes no longer than to share it.
        const MIN_WORK: usize = 1 << 20;
        let threads = if multiply_adds < MIN_WORK {
            1
        } else {
            rayon::current_num_threads()
        };
        if threads < 2 || self.0.is_taken.swap(true, Ordering::Acquire) {
            return work(&Team::alone());
        }
        // Also where `work` panics.
        let _release = Release(&self.0);
        work(&Team {
            shared: Some(&self.0),
            threads,
        })
    }
}

/// Gives the threads to the next run.
struct Release<'a>(&'a Shared);

impl Drop for Release<'_> {
    fn drop(&mut self) {
        self.0.is_taken.store(false, Ordering::Release);
    }
}

impl Team<'_> {
    /// The calling thread alone.
    pub fn alone() -> Self {
        Self {
            shared: None,
            threads: 1,
        }
    }

    /// Number of threads.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Parts into which a step of so many multiply-adds is cut: none that takes less time than to hand it over.
    pub fn parts(&self, multiply_adds: usize) -> usize {
        /// Parts for each thread, so that a slow one does not hold up the rest.
        const PARTS: usize = 2;
        const MIN_WORK: usize = 1 << 17;
        if self.threads < 2 {
            return 1;
        }
        (self.threads * PARTS).min(multiply_adds / MIN_WORK).max(1)
    }

    /// Runs `job` for every item, in any order.
    pub fn for_each<J: Send>(&self, items: Vec<J>, job: impl Fn(J) + Sync) {
        let Some(shared) = self
            .shared
            .filter(|_| (2..MOST_ITEMS).contains(&items.len()))
        else {
            items.into_iter().for_each(job);
            return;
        };
        while shared.helpers.load(Ordering::Relaxed) + 1 < self.threads {
            let helper = Arc::clone(shared);
            shared.helpers.fetch_add(1, Ordering::Relaxed);
            let thread = thread::Builder::new().name("inference".into());
            if thread.spawn(move || helper.help()).is_err() {
                shared.helpers.fetch_sub(1, Ordering::Relaxed);
                break;
            }
        }
        let items: Vec<Mutex<Option<J>>> = items
            .into_iter()
            .map(|item| Mutex::new(Some(item)))
            .collect();
        shared.share(items.len(), &|index| {
            let mut item = items[index].lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(item) = item.take() {
                job(item);
            }
        });
    }
}

impl Shared {
    /// Runs `job` for the indices up to `items`.
    fn share(&self, items: usize, job: Job) {
        let (last, ..) = parts(self.ticket.load(Ordering::Relaxed));
        self.done.store(0, Ordering::Relaxed);
        self.panicked.store(false, Ordering::Relaxed);
        self.job
            .store((&raw const job).cast_mut().cast(), Ordering::Relaxed);
        // Whoever sees the ticket sees what was stored before.
        self.ticket
            .store(ticket(last + 1, 0..items), Ordering::Release);
        while self.take(End::First) {}
        // The job is borrowed until all have done what they took.
        let mut spins = 0;
        while self.done.load(Ordering::Acquire) < items {
            pause(&mut spins);
        }
        if self.panicked.load(Ordering::Relaxed) {
            panic!("a thread of a plan panicked");
        }
    }

    /// Works on the next item of the present step; `false` if there is none.
    #[allow(unsafe_code)]
    fn take(&self, end: End) -> bool {
        let now = self.ticket.load(Ordering::Acquire);
        let (step, left) = parts(now);
        if left.is_empty() {
            return false;
        }
        let (next, rest) = match end {
            End::First => (left.start, left.start + 1..left.end),
            End::Last => (left.end - 1, left.start..left.end - 1),
        };
        let taken = self.ticket.compare_exchange(
            now,
            ticket(step, rest),
            Ordering::Acquire,
            Ordering::Relaxed,
        );
        if taken.is_ok() {
            let job = self.job.load(Ordering::Relaxed).cast::<Job>();
            // SAFETY: the item of this step was not done yet, so that `share` has not returned: its job lives, and the next one has not
            // been stored.
            let job = unsafe { *job };
            // What the job borrows lives until all are done: a panic waits for the others.
            if panic::catch_unwind(AssertUnwindSafe(|| job(next))).is_err() {
                self.panicked.store(true, Ordering::Relaxed);
            }
            self.done.fetch_add(1, Ordering::Release);
        }
        true
    }

    /// Takes items until there has been none for a while.
    fn help(&self) {
        let mut spins = 0;
        let mut idle_since = Instant::now();
        loop {
            if self.take(End::Last) {
                spins = 0;
                idle_since = Instant::now();
            } else if idle_since.elapsed() < LINGER {
                pause(&mut spins);
            } else {
                break;
            }
        }
        self.helpers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Waits a moment: at first without giving up the processor, later letting other threads run.
fn pause(spins: &mut u32) {
    /// About ten microseconds.
    const SPINS: u32 = 256;
    *spins += 1;
    if *spins < SPINS {
        hint::spin_loop();
    } else {
        thread::yield_now();
    }
}
