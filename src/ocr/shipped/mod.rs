//! The models that kiln ships: `artifacts/ocr` for capitals and digits, `artifacts/ocr_mixed` for lower case and punctuation as well;
//! see their MODEL_CARD.md.

use std::path::Path;

use burn::tensor::Device;

use super::mixed::MixedModel;
use crate::inference::{Classifier, ModelError};

/// A model file, part of the binary, so that reading needs no file.
#[cfg(not(target_arch = "wasm32"))]
macro_rules! model {
    ($folder:literal) => {
        include_bytes!(concat!("../../artifacts/", $folder, "/model.safetensors")).to_vec()
    };
}

/// A model file, part of the module. Its bytes are in the order in which it compresses best: src/build.rs.
#[cfg(target_arch = "wasm32")]
macro_rules! model {
    ($folder:literal) => {
        from_planes(include_bytes!(concat!(
            env!("OUT_DIR"),
            "/",
            $folder,
            ".planes"
        )))
    };
}

/// Loads the model of capitals and digits.
///
/// # Errors
/// [`ModelError`]: the device failed.
pub fn shipped_model(device: &Device) -> Result<Classifier, ModelError> {
    let name = Path::new("artifacts/ocr/model.safetensors");
    Classifier::from_bytes(model!("ocr"), name, device)
}

/// Loads the model of both cases, digits and punctuation.
///
/// # Errors
/// [`ModelError`]: the device failed.
pub fn shipped_mixed_model(device: &Device) -> Result<MixedModel, ModelError> {
    let name = Path::new("artifacts/ocr_mixed/model.safetensors");
    Classifier::from_bytes(model!("ocr_mixed"), name, device).map(MixedModel::new)
}

/// Puts the bytes of even places, which come first, and those of odd ones in turns.
#[cfg(target_arch = "wasm32")]
fn from_planes(planes: &[u8]) -> Vec<u8> {
    let (even, odd) = planes.split_at(planes.len().div_ceil(2));
    let pairs = even.iter().zip(odd).flat_map(|(&even, &odd)| [even, odd]);
    pairs.chain(even.iter().copied().skip(odd.len())).collect()
}
