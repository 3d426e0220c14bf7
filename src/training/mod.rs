//! Training: an experiment becomes a run directory.
//!
//! [`prepare`] opens data and device and builds the network; [`run`] starts or resumes a run; [`epochs`] is the training loop,
//! which runs inside burn-train; [`step`] is one training step; [`finish`] evaluates and writes the results. Nothing here
//! prints: progress goes to an [`Observer`].

pub mod batch;
mod burn_panics;
pub mod checkpoint;
pub mod divergence;
mod epochs;
pub mod error;
pub mod features;
mod finish;
mod monitor;
pub mod observer;
pub mod optimization;
pub mod param_groups;
pub mod prepare;
pub mod resume;
pub mod run;
mod start;
pub mod step;
pub mod train_model;

pub use batch::{Batch, DeviceBatches};
pub use error::TrainError;
pub use features::FeatureCache;
pub use monitor::terminal;
pub use observer::{EpochReport, Observer, Plan};
pub use optimization::{average::Average, optimizer, schedule};
pub use prepare::{Prepared, prepare, prepare_resumed};
pub use resume::Resumption;
pub use run::{Options, Outcome, resume, run};
pub use train_model::TrainModel;
