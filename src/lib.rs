//! kiln trains small vision models from one JSON file, and reads photographed pages of hand-printed capitals with them.
//!
//! A JSON file becomes a [`config::Experiment`]; the experiment opens a [`data`] source and a network of [`models`] on a
//! [`device`]; [`training`] fits the network to the data and leaves a [`run_dir`]; the run directory opens as a classifier of
//! [`inference`], which knows how its images are prepared; [`segmentation`] finds candidates for letters in a photograph, and
//! [`ocr`] turns the candidates and a classifier into a page of text.
//!
//! The top-level modules, lowest layer first: a module imports only from modules listed before it, and no two files import each other
//! (`tests/house` checks both). `docs/architecture.md` explains the layout.
//!
//! - [`error`]: errors of files, problems of configs, and how they end the program.
//! - [`strict_json`]: strict JSON: duplicate keys are errors.
//! - [`shape`]: the shape of an image.
//! - [`rng`]: seeds and streams of random numbers.
//! - [`panics`]: panics of other crates become errors.
//! - [`timings`]: a stopwatch over the stages of a job.
//! - [`progress`]: long work is watched, and can be cancelled.
//! - [`files`]: bounded reads, atomic writes, locks.
//! - [`parallel`]: several processes that train one run: what they exchange, and how they find each other.
//! - [`archive`]: zip and tar archives, unpacked safely.
//! - [`photo`]: the bytes of an image file become an upright image.
//! - [`document`]: the pages of a PDF, a TIFF or any other image file become upright images.
//! - [`kernels`]: fast operators for the flex backend, with their gradients.
//! - [`metrics`]: metrics of predictions, reconstructions and texts.
//! - [`segmentation`]: a photograph becomes lines, words and candidates for letters, without a network.
//! - [`handwriting`]: strokes, letter shapes and composed pages: everything that draws writing.
//! - [`models`]: the networks, written once for every backend, each with its settings.
//! - [`data`]: the sources of labelled images, each with its settings; augmentation and batches.
//! - [`config`]: a JSON file and overrides become a checked experiment.
//! - [`device`]: the name of a backend becomes a Burn device.
//! - [`run_dir`]: the folder that a run leaves behind.
//! - [`onnx`]: ONNX files as data.
//! - [`weights`]: weights of other programs, in and out.
//! - [`inference`]: a model file and its card become a classifier.
//! - [`export`]: models become files for other programs.
//! - [`fetch`]: data sets are downloaded, verified and unpacked.
//! - [`report`]: results become pages and images.
//! - [`evaluation`]: a model and a split become metrics, confusions and mistakes.
//! - [`tracking`]: the numbers of a run go to TensorBoard and MLflow as well.
//! - [`training`]: an experiment becomes a run directory.
//! - [`data_check`]: what is wrong in a data set: duplicates, wrong labels, unusual images.
//! - [`diagnostics`]: benchmarks, dry runs, gradient checks and the doctor.
//! - [`ocr`]: candidates and a classifier become a page of text, in several formats.
//! - [`sweeps`]: several runs are planned, trained, ranked and compared.
//! - [`serve`]: runs, pages and images in a browser, and the same for programs.
//! - [`cli`]: the command line, the only module that prints.

// Burn's wgpu types nest deeper than the compiler's default of 128 (as in Burn's own examples).
#![recursion_limit = "256"]
// Only the kernels load and store vectors through pointers; they allow it where they do, with the reason.
#![deny(unsafe_code)]

pub mod archive;
pub mod cli;
pub mod config;
pub mod data;
pub mod data_check;
pub mod device;
pub mod diagnostics;
pub mod document;
pub mod error;
pub mod evaluation;
pub mod export;
pub mod fetch;
pub mod files;
pub mod handwriting;
pub mod inference;
pub mod kernels;
pub mod metrics;
pub mod models;
pub mod ocr;
pub mod onnx;
pub mod panics;
pub mod parallel;
pub mod photo;
pub mod progress;
pub mod report;
pub mod rng;
pub mod run_dir;
pub mod segmentation;
pub mod serve;
pub mod shape;
pub mod strict_json;
pub mod sweeps;
pub mod timings;
pub mod tracking;
pub mod training;
pub mod weights;
