//! Opening the model of a run, or a photograph.

use std::path::Path;

use image::RgbImage;

use super::failure::{Failure, UsageError};
use crate::config::Backend;
use crate::inference::OpenedModel;
use crate::models::Task;
use crate::{device, photo};

/// Opens a run, or a single model file.
pub fn model(path: &Path, backend: Option<Backend>) -> Result<OpenedModel, Failure> {
    let device = device::open(backend.unwrap_or_default())?;
    Ok(OpenedModel::open(path, &device)?)
}

/// [`model`], but not an autoencoder.
pub fn naming_model(path: &Path, backend: Option<Backend>) -> Result<OpenedModel, Failure> {
    let model = model(path, backend)?;
    match model.classifier.task() {
        Task::Classify => Ok(model),
        Task::Reconstruct => Err(UsageError(format!(
            "{}: this model is an autoencoder, which reconstructs images and does not classify; use a classifier run, or \
             `kiln eval`",
            path.display()
        ))
        .into()),
    }
}

/// Opens a photograph as an RGB image.
pub fn photo(path: &Path) -> Result<RgbImage, photo::PhotoError> {
    Ok(photo::open(path)?.into_rgb8())
}
