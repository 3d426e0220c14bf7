//! Opening the model of a run, or a photograph.

use std::path::Path;

use image::RgbImage;

use super::failure::{Failure, UsageError};
use crate::config::experiment::Backend;
use crate::inference::Classifier;
use crate::models::Task;
use crate::run_dir::RunDir;
use crate::{device, photo};

/// Opens the model of a run.
pub fn classifier(run: &Path, backend: Option<Backend>) -> Result<Classifier, Failure> {
    let run = RunDir::open(run)?;
    let device = device::open(backend.unwrap_or_default())?;
    Ok(Classifier::load(&run.model_file(), &device)?)
}

/// Opens the model of a run that must not be an autoencoder.
pub fn naming_classifier(run: &Path, backend: Option<Backend>) -> Result<Classifier, Failure> {
    let model = classifier(run, backend)?;
    match model.task() {
        Task::Classify => Ok(model),
        Task::Reconstruct => Err(UsageError(format!(
            "{}: this model is an autoencoder and predicts no classes; name the run of a classifier, or use `eval`",
            run.display()
        ))
        .into()),
    }
}

/// Opens a photograph as an RGB image.
pub fn photo(path: &Path) -> Result<RgbImage, photo::PhotoError> {
    Ok(photo::open(path)?.into_rgb8())
}
