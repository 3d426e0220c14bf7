//! A group of processes, and the few ways in which they exchange data.

use std::fmt;
use std::time::Duration;

/// What the processes of a group are doing when they exchange data; messages of different kinds of moments never meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before training.
    Preparing,
    /// A training step; both are counted from 1.
    Step {
        /// The epoch ...
        epoch: usize,
        /// ... and its step.
        step: usize,
    },
    /// Between the steps of an epoch and those of the next.
    Epoch(usize),
    /// After training: rank 0 evaluates and writes, and the others wait for it, however long that takes.
    Ending,
}

impl Moment {
    /// A number for its kind.
    pub fn kind(self) -> i32 {
        match self {
            Moment::Preparing => 1,
            Moment::Step { .. } => 2,
            Moment::Epoch(_) => 3,
            Moment::Ending => 4,
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Moment::Preparing => f.write_str("before the first step"),
            Moment::Step { epoch, step } => write!(f, "in step {step} of epoch {epoch}"),
            Moment::Epoch(epoch) => write!(f, "after the steps of epoch {epoch}"),
            Moment::Ending => f.write_str("after training"),
        }
    }
}

/// Bytes for another rank.
pub struct Outgoing<'a> {
    /// Whom they are for.
    pub to: usize,
    /// What is sent.
    pub bytes: &'a [u8],
}

/// Room for bytes of another rank.
pub struct Incoming<'a> {
    /// Who sends them.
    pub from: usize,
    /// Is filled; exactly as long as what is sent.
    pub bytes: &'a mut [u8],
}

/// Ends the process when its group falls apart, after the line that it is given.
pub type Ending = Box<dyn Fn(&str) + Send + Sync>;

/// The processes that train one run. All of them make the same calls in the same order.
///
/// A process that does not answer ends the others: no method returns without the data of all, or with an error.
pub trait Group: Send + Sync {
    /// The number of this process, from 0.
    fn rank(&self) -> usize;

    /// The number of processes.
    fn size(&self) -> usize;

    /// Sends to other ranks and receives from them. Several messages between the same two ranks arrive in order.
    fn exchange(&self, moment: Moment, outgoing: &[Outgoing], incoming: &mut [Incoming]);

    /// The name of the machine that this process runs on; empty for one that is alone.
    fn machine(&self) -> String {
        String::new()
    }

    /// How long to wait for another rank before the run is given up; from now on.
    fn set_timeout(&self, _timeout: Duration) {}

    /// Ends this process, and with it the group, for a reason that the others don't know of. A process that is alone goes on.
    fn give_up(&self, _problem: &str) {}

    /// Leaves the group at the end of the program, which the others do as well.
    fn leave(&self) {}

    /// Whether there are no others.
    fn is_alone(&self) -> bool {
        self.size() == 1
    }

    /// Whether this process writes files and messages: rank 0 does.
    fn writes(&self) -> bool {
        self.rank() == 0
    }

    /// What each rank says, in the order of ranks.
    fn gather(&self, moment: Moment, mine: &[u8]) -> Vec<Vec<u8>> {
        let length = (mine.len() as u64).to_le_bytes();
        let mut lengths = vec![[0u8; size_of::<u64>()]; self.size()];
        to_and_from_all(self, moment, &length, &mut lengths);
        let room = |length: &[u8; 8]| usize::try_from(u64::from_le_bytes(*length)).unwrap_or(0);
        let mut all: Vec<Vec<u8>> = lengths.iter().map(|l| vec![0; room(l)]).collect();
        all[self.rank()] = mine.to_vec();
        to_and_from_all(self, moment, mine, &mut all);
        all
    }

    /// The numbers of each rank, in the order of ranks; all give as many. One message each way, where [`gather`](Self::gather) has two.
    fn gather_numbers(&self, moment: Moment, mine: &[f64]) -> Vec<Vec<f64>> {
        let bytes: &[u8] = bytemuck::cast_slice(mine);
        let mut all = vec![vec![0u8; bytes.len()]; self.size()];
        all[self.rank()].copy_from_slice(bytes);
        to_and_from_all(self, moment, bytes, &mut all);
        let numbers = |bytes: &Vec<u8>| {
            let (numbers, _) = bytes.as_chunks();
            numbers.iter().map(|b| f64::from_ne_bytes(*b)).collect()
        };
        all.iter().map(numbers).collect()
    }

    /// What rank 0 says; the others' bytes are not looked at.
    fn broadcast(&self, moment: Moment, mine: &[u8]) -> Vec<u8> {
        let mine = if self.rank() == 0 { mine } else { &[] };
        self.gather(moment, mine).swap_remove(0)
    }

    /// The sums over all ranks, added in the order of ranks, so that every rank has the same bits.
    fn sum(&self, moment: Moment, mine: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; mine.len()];
        for of_rank in self.gather_numbers(moment, mine) {
            for (sum, value) in sums.iter_mut().zip(of_rank) {
                *sum += value;
            }
        }
        sums
    }

    /// Waits for all ranks.
    fn barrier(&self, moment: Moment) {
        self.gather(moment, &[]);
    }
}

/// Sends the same bytes to every other rank, and receives one message from each; the place of this rank is left as it is.
fn to_and_from_all<B: AsMut<[u8]>>(
    group: &(impl Group + ?Sized),
    moment: Moment,
    mine: &[u8],
    all: &mut [B],
) {
    let rank = group.rank();
    let others = (0..group.size()).filter(|&other| other != rank);
    let outgoing: Vec<Outgoing> = others.map(|to| Outgoing { to, bytes: mine }).collect();
    let mut incoming: Vec<Incoming> = all
        .iter_mut()
        .enumerate()
        .filter(|(from, _)| *from != rank)
        .map(|(from, bytes)| Incoming {
            from,
            bytes: bytes.as_mut(),
        })
        .collect();
    group.exchange(moment, &outgoing, &mut incoming);
}
