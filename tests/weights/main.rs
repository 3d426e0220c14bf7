//! What a user may rely on about weights of other programs: which files can be loaded, the values that come out, and how the
//! others are refused.

#[path = "../common/mod.rs"]
mod common;

mod advice;
mod checkpoints;
mod damaged;
mod files;
mod import;
mod load;
mod mismatch;
mod onnx;
mod patterns;
mod pickle;
mod python;
mod rename;
mod settings;
mod squeezenet;
mod steps;
mod twins;
