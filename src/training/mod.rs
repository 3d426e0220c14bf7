//! Training: an experiment becomes a run directory.
//!
//! A run passes through these files, in this order:
//!
//! 1. [`prepare`](mod@prepare) opens device and data and builds the network, with all checks; [`resume`](mod@resume) finds the
//!    checkpoint of a run that stopped.
//! 2. [`run`](mod@run) creates the run directory and starts burn-train.
//! 3. `epochs/training_loop.rs` is the loop over epochs, inside burn-train.
//! 4. [`step`] is one training step, which the dry run and the benchmark use too.
//! 5. [`checkpoint`] stores the state after every epoch.
//! 6. `finish/` evaluates the kept weights and writes model, summary and report.
//!
//! Nothing here prints: progress goes to an [`Observer`].

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
pub mod ranks;
pub mod resume;
pub mod run;
mod start;
pub mod step;
pub mod train_model;

pub use batch::{Batch, DeviceBatches};
pub use epochs::profile::{EpochProfile, Phase, Profile};
pub use error::TrainError;
pub use features::{FeatureCache, Layers};
pub use monitor::screen::restore as restore_terminal;
pub use observer::{EpochReport, Observer, Plan};
pub use optimization::{average::Average, optimizer, schedule};
pub use prepare::{Prepared, prepare, prepare_resumed, weights_file};
pub use resume::Resumption;
pub use run::{Options, Outcome, resume, run};
pub use train_model::TrainModel;
