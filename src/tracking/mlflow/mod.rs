//! MLflow: settings, metrics and files of a run go to a server over its REST API.
//!
//! [`MlflowTracker`] writes what the server is to know into a journal in the run directory, which takes as long as a line of
//! `metrics.jsonl`. A thread sends the journal ([`sender`]), and remembers how far it has come ([`delivery`]); what a server misses stays
//! in the journal. Everything can be sent twice without harm, so that nothing is lost where an answer is.

mod api;
mod delivery;
mod journal;
mod sender;
mod tracker;

pub use delivery::{Delivery, Progress, folders, is_unsent};
pub use tracker::MlflowTracker;
