//! What a user may rely on about autoencoders: PyTorch's numbers, scikit-image's quality metrics, and the results and pictures of a
//! run.

#[path = "../common/mod.rs"]
mod common;

mod expected;
mod pytorch;
mod quality;
mod runs;
mod sheet;
