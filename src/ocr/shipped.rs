//! The models that kiln ships: `artifacts/ocr` for capitals and digits, `artifacts/ocr_mixed` for lower case and punctuation as well;
//! see their MODEL_CARD.md.

use std::path::Path;

use burn::tensor::Device;

use super::mixed::MixedModel;
use crate::inference::{Classifier, ModelError};

/// Part of the binary, so that reading needs no file.
static MODEL: &[u8] = include_bytes!("../../artifacts/ocr/model.safetensors");
static MIXED_MODEL: &[u8] = include_bytes!("../../artifacts/ocr_mixed/model.safetensors");

/// Loads the model of capitals and digits.
///
/// # Errors
/// [`ModelError`]: the device failed.
pub fn shipped_model(device: &Device) -> Result<Classifier, ModelError> {
    let name = Path::new("artifacts/ocr/model.safetensors");
    Classifier::from_bytes(MODEL.to_vec(), name, device)
}

/// Loads the model of both cases, digits and punctuation.
///
/// # Errors
/// [`ModelError`]: the device failed.
pub fn shipped_mixed_model(device: &Device) -> Result<MixedModel, ModelError> {
    let name = Path::new("artifacts/ocr_mixed/model.safetensors");
    Classifier::from_bytes(MIXED_MODEL.to_vec(), name, device).map(MixedModel::new)
}
