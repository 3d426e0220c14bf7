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
//! - [`read_back`]: values of tensors are read into main memory, and counted.
//! - [`timings`]: a stopwatch over the stages of a job.
//! - [`progress`]: long work is watched, and can be cancelled.
//! - [`files`]: bounded reads, atomic writes, locks.
//! - [`parallel`]: several processes that train one run: what they exchange, and how they find each other.
//! - [`archive`]: zip and tar archives, unpacked safely.
//! - [`photo`]: the bytes of an image file become an upright image.
//! - [`document`]: the pages of a PDF, a TIFF or any other image file become upright images.
//! - [`vectorized`](https://github.com/kiln-ml/kiln/blob/main/src/vectorized.rs): plain loops, compiled for the SIMD of the processor.
//! - [`kernels`]: fast operators for the flex backend, with their gradients.
//! - [`metrics`]: metrics of predictions, reconstructions and texts.
//! - [`segmentation`]: a photograph becomes lines, words and candidates for letters, without a network.
//! - [`fitting`]: an image of any shape becomes the values of a network's input.
//! - [`handwriting`]: strokes, letter shapes and composed pages: everything that draws writing.
//! - [`models`]: the networks, written once for every backend, each with its settings.
//! - [`data`]: the sources of labelled images, each with its settings; augmentation and batches.
//! - [`config`]: a JSON file and overrides become a checked experiment.
//! - [`device`]: the names of backends and the numbers of their devices become Burn devices.
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
//! - [`wasm`](https://github.com/kiln-ml/kiln/blob/main/docs/wasm.md): the reader for JavaScript, only in WebAssembly.
//!
//! Without the cargo feature `app`, only the reader is built: [`ocr`] and what it needs to read with the models that are part of it, without
//! training, configs, downloads, the server and the command line. `docs/wasm.md` says what for.

// Burn's wgpu types nest deeper than the compiler's default of 128 (as in Burn's own examples).
#![recursion_limit = "256"]
// The documentation is of the whole: it names modules that the reader alone lacks.
#![cfg_attr(not(feature = "app"), allow(rustdoc::broken_intra_doc_links))]
// Only the kernels load and store vectors through pointers; they allow it where they do, with the reason.
#![deny(unsafe_code)]

#[cfg(feature = "app")]
pub mod archive;
#[cfg(feature = "app")]
pub mod cli;
#[cfg(feature = "app")]
pub mod config;
#[cfg(feature = "app")]
pub mod data;
#[cfg(feature = "app")]
pub mod data_check;
#[cfg(feature = "app")]
pub mod device;
#[cfg(feature = "app")]
pub mod diagnostics;
pub mod document;
pub mod error;
#[cfg(feature = "app")]
pub mod evaluation;
#[cfg(feature = "app")]
pub mod export;
#[cfg(feature = "app")]
pub mod fetch;
pub mod files;
pub mod fitting;
#[cfg(feature = "app")]
pub mod handwriting;
pub mod inference;
pub mod kernels;
pub mod metrics;
pub mod models;
pub mod ocr;
#[cfg(feature = "app")]
pub mod onnx;
pub mod panics;
#[cfg(feature = "app")]
pub mod parallel;
pub mod photo;
pub mod progress;
pub mod read_back;
#[cfg(feature = "app")]
pub mod report;
pub mod rng;
#[cfg(feature = "app")]
pub mod run_dir;
pub mod segmentation;
#[cfg(feature = "app")]
pub mod serve;
pub mod shape;
#[cfg(feature = "app")]
pub mod strict_json;
#[cfg(feature = "app")]
pub mod sweeps;
pub mod timings;
#[cfg(feature = "app")]
pub mod tracking;
#[cfg(feature = "app")]
pub mod training;
mod vectorized;
#[cfg(target_arch = "wasm32")]
pub mod wasm;
pub mod weights;
