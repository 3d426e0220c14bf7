//! Tracking: the numbers of a run go to other programs too, as its key `training.log` asks.
//!
//! A [`Tracker`] is told the settings, each epoch and the end; `all.rs` has the one list of them. [`Tracking`] is those of a run. None of
//! them changes what is trained, and none can fail a run: a problem is told once, as a warning.
//!
//! - `tensorboard/` writes event files into the run directory.
//! - `mlflow/` keeps what a server is to know in a journal in the run directory, and a thread sends it.

mod all;
mod mlflow;
mod params;
mod pictures;
mod tensorboard;
mod tracker;

pub use all::{Delivered, Sending, Tracking, deliver, is_unsent};
pub use pictures::Picture;
pub use tracker::{Ending, RunFacts, Tell, Timing, TrackError, Tracker};
