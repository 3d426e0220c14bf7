//! A sweep on several machines: workers that divide its runs, and the job that starts them on a cluster.

pub mod slurm;
mod work;

pub use work::{WorkerObserver, work};
