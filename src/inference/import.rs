//! Imports weights from another program as a run directory.

use std::path::Path;

use burn::prelude::*;

use super::card::ModelCard;
use super::classifier::Classifier;
use super::error::ModelError;
use crate::config::Experiment;
use crate::config::InitConfig;
use crate::data::{self, DataError};
use crate::error::{ErrorExit, ExitKind, FileError};
use crate::files;
use crate::models::{Network, Task};
use crate::run_dir::{RunDir, RunDirError};
use crate::weights::{self, Taken};

/// Minimum number of classes of a classifier.
const MIN_CLASSES: usize = 2;

/// Why weights can't be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The weights, the folder to make, or the file of class names.
    #[error(transparent)]
    File(#[from] FileError),
    /// The data, which provides the class names.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The run directory.
    #[error(transparent)]
    RunDir(#[from] RunDirError),
    /// The model file.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl ErrorExit for ImportError {
    fn exit_kind(&self) -> ExitKind {
        match self {
            ImportError::File(error) => error.exit_kind(),
            ImportError::Data(error) => error.exit_kind(),
            ImportError::RunDir(error) => error.exit_kind(),
            ImportError::Model(error) => error.exit_kind(),
        }
    }
}

/// What an import made.
#[derive(Debug)]
pub struct Imported {
    /// The new run directory.
    pub run: RunDir,
    /// Which tensors came from the file.
    pub taken: Taken,
}

/// Makes the run directory `to`, which must not exist, from the weights in `file` and the config of their network.
///
/// `names` is a text file with a class name in each line; without it, the classes are those of the data, or numbers from 0.
pub fn import(
    file: &Path,
    mut experiment: Experiment,
    to: &Path,
    names: Option<&Path>,
) -> Result<Imported, ImportError> {
    if to.exists() {
        return Err(FileError::new(to, "already exists")
            .advise("choose a new folder")
            .usage()
            .into());
    }
    experiment.schema = None;
    // The folder's config describes the model as it is, whatever it was made from.
    experiment.init = InitConfig::default();
    let classes = match names {
        Some(names) => read_names(&experiment, names)?,
        None => known_names(&experiment)?,
    };
    let device = Device::flex();
    let shape = experiment.data.shape();
    let network = Network::new(&experiment.model, shape, classes.len(), &device);
    let (network, taken) = weights::load(network, file, &[])?;
    let card = ModelCard::new(experiment.model.clone(), &experiment.data, classes);
    let run = RunDir::create(Some(to), &experiment.name, &experiment)?;
    Classifier::new(&network, card, &device).save(&run.model_file())?;
    Ok(Imported { run, taken })
}

/// The class names of the data, or numbers.
fn known_names(experiment: &Experiment) -> Result<Vec<String>, DataError> {
    let source = data::open(&experiment.data);
    match (source, experiment.model.classes()) {
        (Ok(source), None) => Ok(source.classes().to_vec()),
        (Ok(source), Some(count)) if source.classes().len() == count => {
            Ok(source.classes().to_vec())
        }
        (_, Some(count)) => Ok((0..count).map(|class| class.to_string()).collect()),
        (Err(error), None) => Err(error),
    }
}

/// The class names in a file, one per line.
fn read_names(experiment: &Experiment, file: &Path) -> Result<Vec<String>, FileError> {
    let text = files::read_text(file).map_err(|error| FileError::named(file, error))?;
    let names: Vec<String> = text.lines().map(|line| line.trim().to_string()).collect();
    let count = names.len();
    let problem = match experiment.model.classes() {
        Some(wanted) if wanted != count => {
            format!("{count} names, but model.classes is {wanted}")
        }
        None if count < MIN_CLASSES && experiment.model.task() == Task::Classify => {
            format!("{count} names; a classifier has at least {MIN_CLASSES}")
        }
        _ => return Ok(names),
    };
    Err(FileError::new(file, problem).usage())
}
