//! Opens a model from a run directory or a bare model file.

use std::path::{Path, PathBuf};

use burn::prelude::*;

use super::classifier::Classifier;
use super::error::ModelError;
use crate::error::{ErrorExit, ExitKind, FileError};
use crate::run_dir::{RunDir, RunDirError};

/// The ending of a model file.
const EXTENSION: &str = "safetensors";

/// Why a model can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The run directory, or its config.
    #[error(transparent)]
    RunDir(#[from] RunDirError),
    /// The model file.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// What a single model file lacks.
    #[error(transparent)]
    File(#[from] FileError),
}

impl ErrorExit for OpenError {
    fn exit_kind(&self) -> ExitKind {
        match self {
            OpenError::RunDir(error) => error.exit_kind(),
            OpenError::Model(error) => error.exit_kind(),
            OpenError::File(error) => error.exit_kind(),
        }
    }
}

/// A model, opened once, with the run that it comes from.
pub struct OpenedModel {
    /// The classifier, which knows how its images are prepared.
    pub classifier: Classifier,
    /// Its file.
    pub file: PathBuf,
    /// Its run; `None` for a single model file.
    run: Option<RunDir>,
}

impl OpenedModel {
    /// Opens a run directory, or a model file that is named `*.safetensors`.
    pub fn open(path: &Path, device: &Device) -> Result<Self, OpenError> {
        let is_file = path.is_file() && path.extension().is_some_and(|found| found == EXTENSION);
        if is_file {
            return Ok(Self {
                classifier: Classifier::load(path, device)?,
                file: path.into(),
                run: None,
            });
        }
        let run = RunDir::open(path)?;
        let file = run.model_file();
        Ok(Self {
            classifier: Classifier::load(&file, device)?,
            file,
            run: Some(run),
        })
    }

    /// The classifier for image files of any shape.
    ///
    /// Older model files don't say how images are prepared: a run takes that from its config, a file alone pads them.
    pub fn for_image_files(self) -> Result<Classifier, OpenError> {
        match &self.run {
            Some(run) if self.classifier.card().is_padded() => {
                let view = run.experiment()?.data.view();
                Ok(self.classifier.with_view(view))
            }
            _ => Ok(self.classifier),
        }
    }

    /// The config of its run. A single model file has none, which is wrong usage.
    pub fn config_file(&self) -> Result<PathBuf, FileError> {
        match &self.run {
            Some(run) => Ok(run.config_file()),
            None => Err(
                FileError::new(&self.file, "a bare model file has no data config")
                    .advise("pass its run directory, or a config with --data")
                    .usage(),
            ),
        }
    }
}
