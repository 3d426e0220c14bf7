//! The subcommands, one file or folder each.

pub mod bench;
mod bench_layers;
pub mod config;
pub mod data;
pub mod devices;
pub mod doctor;
pub mod eval;
pub mod gradcheck;
pub mod model;
pub mod ocr;
pub mod predict;
mod predict_model;
pub mod runs;
pub mod segment;
pub mod serve;
pub mod setup;
pub mod sweep;
pub mod train;
