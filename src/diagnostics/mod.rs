//! Checks of the machine, the build, the gradients and the speed.
//!
//! [`doctor`] compares each backend's layers with flex, [`gradcheck`] gradients with finite differences, [`bench`](mod@bench) measures
//! speed, [`layers`] how close each layer comes to what the machine can do, and [`dry_run`](mod@dry_run) tries one batch of a run.

pub mod bench;
pub mod bench_data;
pub mod doctor;
pub mod dry_run;
pub mod error;
pub mod gradcheck;
pub mod layers;
mod memory;

pub use dry_run::dry_run;
pub use error::{BenchError, GradcheckError};
