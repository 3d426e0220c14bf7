//! What programs ask for.

mod compare;
mod events;
mod follow;
mod images;
mod metrics;
mod mistakes;
pub mod openapi;
mod query;
mod reply;
mod runs;

pub use compare::{compare, comparison, sweep, sweeps};
pub use events::events;
pub use images::{explain, ocr, predict};
pub use metrics::{Counters, Observed, metrics};
pub use mistakes::{mistakes, sample};
pub use query::{InPath, Order, RunsQuery, split_of, typed};
pub use reply::blocking;
pub use runs::{ListedRun, listed, run, runs};
