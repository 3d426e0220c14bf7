//! Models that other programs run: `kiln model export`, checked by those programs; and ONNX models that kiln runs: its own, and those
//! that PyTorch writes.
//!
//! Tests of the first kind need a Python that has them: `KILN_PYTHON`, or `python3` on the path (see src/build.rs).

#[path = "../common/mod.rs"]
mod common;

mod cases;
mod files;
mod foreign;
mod onnx;
mod own;
mod protobuf;
mod python;
mod refused;
mod torch;
