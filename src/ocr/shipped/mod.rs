//! The models that kiln ships: `artifacts/ocr` for capitals and digits, `artifacts/ocr_mixed` for lower case and punctuation as well;
//! see their MODEL_CARD.md.

#[cfg(any(target_arch = "wasm32", test))]
mod packed;

use std::path::Path;

use burn::tensor::Device;

use super::mixed::MixedModel;
use crate::inference::{Classifier, ModelError};

/// A model file, part of the binary, so that reading needs no file.
#[cfg(not(target_arch = "wasm32"))]
macro_rules! model {
    ($folder:literal) => {
        include_bytes!(concat!(
            "../../../artifacts/",
            $folder,
            "/model.safetensors"
        ))
        .to_vec()
    };
}

/// A model file, part of the module, where src/build.rs has packed it.
#[cfg(target_arch = "wasm32")]
macro_rules! model {
    ($folder:literal) => {
        packed::unpack(include_bytes!(concat!(
            env!("OUT_DIR"),
            "/",
            $folder,
            ".packed"
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
