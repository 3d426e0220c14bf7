//! The model that kiln ships: `artifacts/ocr`, see its MODEL_CARD.md.

use std::path::Path;

use burn::tensor::Device;

use super::mixed::MixedModel;
use crate::inference::{Classifier, ModelError};

/// Part of the binary, so that reading needs no file.
static MODEL: &[u8] = include_bytes!("../../artifacts/ocr/model.safetensors");

/// The network of mixed text, trained by `configs/ocr_mixed.json`.
static MIXED: &[u8] = include_bytes!("../../artifacts/ocr/mixed/model.safetensors");

/// Loads the model for mixed text that kiln ships.
///
/// # Errors
/// [`ModelError`]: the device failed.
pub fn mixed_model(device: &Device) -> Result<MixedModel, ModelError> {
    let name = Path::new("artifacts/ocr/mixed/model.safetensors");
    Ok(MixedModel::new(Classifier::from_bytes(
        MIXED.to_vec(),
        name,
        device,
    )?))
}

/// Loads the model that kiln ships.
///
/// # Errors
/// [`ModelError`]: the device failed.
pub fn shipped_model(device: &Device) -> Result<Classifier, ModelError> {
    let name = Path::new("artifacts/ocr/model.safetensors");
    Classifier::from_bytes(MODEL.to_vec(), name, device)
}
