//! Several processes that train one run: a group, what its members tell each other, and how they are started.
//!
//! A [`Group`] of one ([`Alone`]) does nothing and costs nothing. With the cargo feature `mpi`, the processes that `mpiexec` or `srun` has
//! started form a group over MPI.

mod alone;
mod cores;
mod group;
mod join;
#[cfg(feature = "mpi")]
mod mpi;
mod ordered_sum;
#[cfg(feature = "mpi")]
mod pmi;
mod problems;
mod started;

pub use alone::Alone;
pub use cores::threads;
pub use group::{Group, Incoming, Moment, Outgoing};
pub use join::{JoinError, join};
pub use ordered_sum::OrderedSum;
pub use problems::{RankProblem, problems};
pub use started::{LAUNCHER, Started, started};

/// Whether this program can form groups of several processes.
pub const IS_COMPILED_IN: bool = cfg!(feature = "mpi");

/// What to do where it can't.
pub const HOW_TO_COMPILE_IN: &str =
    "build kiln with --features mpi, which needs an MPI library (docs/many-machines.md)";
