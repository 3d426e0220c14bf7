//! Opening the model of a run, or the data of a config.

use std::path::Path;
use std::sync::Arc;

use super::compute::ComputeArgs;
use super::failure::{Failure, UsageError};
use super::terminal::output;
use crate::data::{DataConfig, DataSource, Split};
use crate::inference::OpenedModel;
use crate::models::Task;
use crate::progress::Monitor;
use crate::run_dir;

/// Opens a run, or a single model file.
pub fn model(path: &Path, compute: ComputeArgs) -> Result<OpenedModel, Failure> {
    Ok(OpenedModel::open(path, &compute.open()?)?)
}

/// [`model`], but not an autoencoder.
pub fn naming_model(path: &Path, compute: ComputeArgs) -> Result<OpenedModel, Failure> {
    let model = model(path, compute)?;
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

/// Opens the data that a config file describes, to read some of its splits. That of a run is found where the run had it, too.
pub fn data(
    config: &DataConfig,
    file: &Path,
    splits: &[Split],
    monitor: &Monitor,
) -> Result<Arc<dyn DataSource>, Failure> {
    let (source, note) = run_dir::open_data(config, file, splits, monitor)?;
    if let Some(line) = note {
        output::note(&line);
    }
    Ok(source)
}
