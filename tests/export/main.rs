//! Models that other programs run: `kiln model export`, checked by those programs.
//!
//! The tests need a Python that has them: `KILN_PYTHON`, or `python3` on the path (see src/build.rs).

#[path = "../common/mod.rs"]
mod common;

mod cases;
mod files;
mod onnx;
mod python;
mod torch;
