//! Whether machine, build, gradients and speed are as they should be.
//!
//! [`doctor`] compares each backend's layers with flex, [`gradcheck`] the gradients with finite differences, [`bench`] measures
//! speed, and [`dry_run`] tries one batch of a run.

pub mod bench;
pub mod doctor;
pub mod dry_run;
pub mod gradcheck;

pub use dry_run::dry_run;
