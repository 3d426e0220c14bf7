//! The group of processes that MPI has started.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use mpi::Threading;
use mpi::environment::Universe;
use mpi::request::{LocalScope, Request, Scope};
use mpi::topology::{Communicator, SimpleCommunicator};
use mpi::traits::{Destination, Source};

use super::group::{Ending, Group, Incoming, Moment, Outgoing};
use super::pmi;

/// How long to wait for another rank before its config has told.
const TIMEOUT_AT_FIRST: Duration = Duration::from_secs(600);

/// For so long a waiting process only asks MPI, again and again: messages within a machine take less.
const EAGER: Duration = Duration::from_micros(200);

/// For so long it lets others have its core between two questions; after that, it sleeps. Messages of a few megabytes over a network take
/// some ten milliseconds.
const POLITE: Duration = Duration::from_millis(100);

/// How long it sleeps then.
const NAP: Duration = Duration::from_micros(500);

/// All processes that were started together.
pub struct Mpi {
    /// Taken when the group is left. Calls of MPI are made under this lock: one at a time, from any thread.
    universe: Mutex<Option<Universe>>,
    rank: usize,
    size: usize,
    timeout_ms: AtomicU64,
    end: Ending,
}

impl Mpi {
    /// Starts MPI; `None` if it was started before.
    pub fn start(end: Ending) -> Option<Self> {
        let (universe, _) = mpi::initialize_with_threading(Threading::Serialized)?;
        let world = universe.world();
        let number = |number: i32| usize::try_from(number).unwrap_or(0);
        Some(Self {
            rank: number(world.rank()),
            size: number(world.size()),
            universe: Mutex::new(Some(universe)),
            timeout_ms: AtomicU64::new(millis(TIMEOUT_AT_FIRST)),
            end,
        })
    }

    /// Ends the process: others have not answered.
    fn give_up_on(&self, silent: &[usize], moment: Moment, waited: Duration) -> ! {
        let silent: BTreeSet<usize> = silent.iter().copied().collect();
        let silent: Vec<String> = silent.iter().map(usize::to_string).collect();
        let are = if silent.len() == 1 { "rank" } else { "ranks" };
        (self.end)(&format!(
            "rank {}: {are} {} did not answer for {:.0} s {moment}; the last checkpoint stands, and --resume continues from it",
            self.rank,
            silent.join(", "),
            waited.as_secs_f64(),
        ));
        std::process::abort()
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A message that is under way, and the rank at its other end.
type UnderWay<'a, 's> = (usize, Request<'a, [u8], &'s LocalScope<'a>>);

/// The messages that are still under way.
fn still_under_way<'a, 's>(messages: Vec<UnderWay<'a, 's>>) -> Vec<UnderWay<'a, 's>>
where
    &'s LocalScope<'a>: Scope<'a>,
{
    let still = messages
        .into_iter()
        .filter_map(|(other, request)| request.test().err().map(|request| (other, request)));
    still.collect()
}

impl Drop for Mpi {
    fn drop(&mut self) {
        let universe = self
            .universe
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        // A process that ends without having left the group is lost: to leave now would mean to wait for the others, which wait for it.
        std::mem::forget(universe.take());
    }
}

impl Group for Mpi {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn exchange(&self, moment: Moment, outgoing: &[Outgoing], incoming: &mut [Incoming]) {
        let universe = self.universe.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(universe) = universe.as_ref() else {
            return;
        };
        let world: SimpleCommunicator = universe.world();
        let tag = moment.kind();
        let of = |rank: usize| world.process_at_rank(i32::try_from(rank).unwrap_or(i32::MAX));
        let timeout = Duration::from_millis(self.timeout_ms.load(Ordering::Relaxed));
        mpi::request::scope(|scope| {
            let mut messages: Vec<UnderWay> = Vec::with_capacity(incoming.len() + outgoing.len());
            for Incoming { from, bytes } in incoming.iter_mut() {
                let request = of(*from).immediate_receive_into_with_tag(scope, *bytes, tag);
                messages.push((*from, request));
            }
            for Outgoing { to, bytes } in outgoing {
                let request = of(*to).immediate_send_with_tag(scope, *bytes, tag);
                messages.push((*to, request));
            }
            let began = Instant::now();
            loop {
                messages = still_under_way(messages);
                if messages.is_empty() {
                    return;
                }
                let waited = began.elapsed();
                if waited < EAGER {
                    std::hint::spin_loop();
                } else if waited < POLITE && moment != Moment::Ending {
                    std::thread::yield_now();
                } else {
                    std::thread::sleep(NAP);
                }
                if waited > timeout && moment != Moment::Ending {
                    let silent: Vec<usize> = messages.iter().map(|(other, _)| *other).collect();
                    self.give_up_on(&silent, moment, waited);
                }
            }
        });
    }

    fn machine(&self) -> String {
        mpi::environment::processor_name().unwrap_or_default()
    }

    fn set_timeout(&self, timeout: Duration) {
        self.timeout_ms.store(millis(timeout), Ordering::Relaxed);
    }

    fn give_up(&self, problem: &str) {
        (self.end)(problem);
    }

    fn leave(&self) {
        let mut universe = self.universe.lock().unwrap_or_else(PoisonError::into_inner);
        let universe = universe.take();
        if universe.is_some() && pmi::leave() {
            std::mem::forget(universe);
        }
    }
}
