//! The doctor: checks whether this build of kiln works on this machine and in this folder.
//!
//! It computes small layers on every device, trains nothing and leaves no files behind.

mod compare;
mod deep_layers;
mod diagnosis;
pub mod layers;

pub use compare::{Compute, Difference, Layer, TOLERANCE, compare};
pub use diagnosis::{
    BackendReport, DataReport, Diagnosis, FolderReport, LayerReport, SetReport, Versions, examine,
    examine_layer,
};
