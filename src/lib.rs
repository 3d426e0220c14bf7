//! kiln: from a JSON file to a trained vision model to a page that is read.
//!
//! The map, in the order in which data flows. Arrows point one way:
//! `cli -> studies -> training, cli -> {training, ocr} -> {report, inference, weights, run_dir} -> {models, data, segmentation,
//! metrics} -> {config, device}`.
//!
//! - [`config`]: what the user wrote (JSON, `--set`) becomes a checked [`config::Experiment`].
//! - [`device`]: a backend's name becomes a Burn device, or one clear error.
//! - [`files`]: writing so that nobody ever sees half a file.
//! - [`timings`]: a stopwatch over the stages of a job.
//! - [`photo`]: bytes of an image file become an upright image.
//! - [`data`]: sources of labelled images, fetching them, augmentation, and the loader that makes batches of them.
//! - [`kernels`]: convolutions, fully connected layers and optimizer steps as flex should have them.
//! - [`models`]: the networks, written once for every backend; they know no files.
//! - [`metrics`]: numbers about predictions and texts, as plain functions.
//! - [`run_dir`]: the folder that a run leaves behind and that every other verb takes.
//! - [`inference`]: a run directory becomes a classifier in memory.
//! - [`weights`]: other programs' weights become a network's.
//! - [`training`]: an experiment becomes a run directory.
//! - [`studies`]: several runs, made by a sweep or found in folders, are ranked and compared.
//! - [`segmentation`]: a photograph becomes lines, words and letter crops; knows no network.
//! - [`ocr`]: crops and a classifier become a page of text.
//! - [`report`]: numbers become a page that people look at.
//! - [`doctor`]: whether the machine, the build and the folder are fit for all of this.
//! - [`cli`]: the verbs; the only place that prints.

// Burn's wgpu types nest deeper than the compiler's default of 128 (as in Burn's own examples).
#![recursion_limit = "256"]
// The kernels alone may load and store vectors through pointers; they allow it where they do, and say why.
#![deny(unsafe_code)]

pub mod cli;
pub mod config;
pub mod data;
pub mod device;
pub mod diagnostics;
pub mod error;
pub mod evaluation;
pub mod fetch;
pub mod files;
pub mod handwriting;
pub mod inference;
pub mod kernels;
pub mod metrics;
pub mod models;
pub mod ocr;
pub mod panics;
pub mod photo;
pub mod report;
pub mod rng;
pub mod run_dir;
pub mod segmentation;
pub mod shape;
pub mod sweeps;
pub mod timings;
pub mod training;
pub mod weights;
