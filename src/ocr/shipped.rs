//! The model that kiln ships: `artifacts/ocr`, see its MODEL_CARD.md.

use std::path::Path;

use burn::tensor::Device;

use crate::inference::{Classifier, ModelError};

/// Part of the binary, so that reading needs no file.
static MODEL: &[u8] = include_bytes!("../../artifacts/ocr/model.safetensors");

/// Loads the model that kiln ships.
///
/// # Errors
/// [`ModelError`]: the device failed.
pub fn shipped_model(device: &Device) -> Result<Classifier, ModelError> {
    let name = Path::new("artifacts/ocr/model.safetensors");
    Classifier::from_bytes(MODEL.to_vec(), name, device)
}
