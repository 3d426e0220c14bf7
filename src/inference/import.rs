//! Imports weights from another program as a run directory.

use std::path::{Path, PathBuf};

use burn::prelude::*;

use super::card::ModelCard;
use super::class_names;
use super::classifier::Classifier;
use super::error::ModelError;
use crate::config::{self, ConfigError, Experiment};
use crate::data::{self, ClassOrder, DataError};
use crate::error::{ErrorExit, ExitKind, FileError, Problem, counted};
use crate::models::{Network, Task};
use crate::progress::Monitor;
use crate::run_dir::{RunDir, RunDirError};
use crate::weights::{self, Place, Settings, Taken, WeightsError};

/// Minimum number of classes of a classifier.
const MIN_CLASSES: usize = 2;

/// Why weights can't be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The folder to make, or the file of class names.
    #[error(transparent)]
    File(#[from] FileError),
    /// The weights, or what says which of them are used.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The config.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A key of the config that does not match the data, before the name of the file is known.
    #[error("{}: {}", .0.path, .0.message)]
    Mismatch(Problem),
    /// The data, which would tell the classes.
    #[error("the number of classes is unknown ({0}); pass --classes FILE|N")]
    Data(#[from] DataError),
    /// The number of classes.
    #[error("--classes: {0}")]
    Classes(String),
    /// The run directory.
    #[error(transparent)]
    RunDir(#[from] RunDirError),
    /// The model file.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl ImportError {
    /// The same error with the name of the config file, where it is about the config.
    pub fn in_config(self, file: &Path) -> Self {
        match self {
            Self::Mismatch(problem)
            | Self::Weights(WeightsError::Setting {
                place: Place::Config,
                problem,
            }) => Self::Config(ConfigError::of(file, problem)),
            other => other,
        }
    }
}

impl ErrorExit for ImportError {
    fn exit_kind(&self) -> ExitKind {
        match self {
            ImportError::File(error) => error.exit_kind(),
            ImportError::Weights(error) => error.exit_kind(),
            ImportError::Config(error) => error.exit_kind(),
            ImportError::Data(_) | ImportError::Classes(_) | ImportError::Mismatch(_) => {
                ExitKind::Usage
            }
            ImportError::RunDir(error) => error.exit_kind(),
            ImportError::Model(error) => error.exit_kind(),
        }
    }
}

/// Where the names of classes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClassNames {
    /// Numbers from 0, as many as this.
    Count(usize),
    /// A text file with a name in each line.
    File(PathBuf),
}

/// What an import made.
#[derive(Debug)]
pub struct Imported {
    /// The new run directory.
    pub run: RunDir,
    /// Which tensors came from the file.
    pub taken: Taken,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// Why they are numbers, where nobody said so: the data is missing, or has another number of classes.
    pub numbered: Option<String>,
    /// The order of the classes that was assumed, where they are named by folders and another order is as likely.
    pub class_order: Option<ClassOrder>,
}

/// Makes the run directory `to`, which must not exist, from the weights in `file` and the config of their network. The config's
/// `init.except` and `init.rename` are about the file; `settings` says where the user wrote them, for messages.
///
/// Without `names`, the classes are those of the data, or numbers from 0 if the config tells how many.
///
/// # Errors
/// The file, or the number of classes, does not fit the network; a file can't be read or written. Nothing is left behind then.
pub fn import(
    file: &Path,
    mut experiment: Experiment,
    settings: Settings,
    to: &Path,
    names: Option<ClassNames>,
) -> Result<Imported, ImportError> {
    if to.exists() {
        return Err(FileError::new(to, "already exists")
            .advise("choose a new folder")
            .usage()
            .into());
    }
    experiment.schema = None;
    // The folder's config describes the model as it is, whatever it was made from.
    let init = std::mem::take(&mut experiment.init);
    let is_given = matches!(names, Some(ClassNames::File(_)));
    let (classes, numbered) = match names {
        Some(ClassNames::File(names)) => (read_names(&experiment, &names)?, None),
        Some(ClassNames::Count(count)) => (numbers(&experiment, count)?, None),
        None => names_of_data(&experiment)?,
    };
    let device = Device::flex();
    let shape = experiment.data.shape();
    let network = Network::new(&experiment.model, shape, classes.len(), &device);
    let (network, taken) =
        weights::load_renamed(network, file, &init.except, &init.rename, settings)?;
    let card = ModelCard::new(experiment.model.clone(), &experiment.data, classes.clone());
    let run = RunDir::create(Some(to), &experiment.name, &experiment)?;
    let saved = Classifier::new(&network, card, &device).save(&run.model_file());
    if let Err(error) = saved {
        // The folder is this import's own: it did not exist before. The first error is the one to tell.
        let _ = std::fs::remove_dir_all(run.path());
        return Err(error.into());
    }
    let class_order = experiment.data.class_order();
    Ok(Imported {
        run,
        taken,
        class_order: class_order.filter(|_| !is_given && ClassOrder::matters_for(&classes)),
        classes,
        numbered,
    })
}

/// The class names of the data, or numbers, for which the network is not too large; and why they are numbers.
fn names_of_data(experiment: &Experiment) -> Result<(Vec<String>, Option<String>), ImportError> {
    let (names, numbered) = known_names(experiment)?;
    match config::class_problem(experiment, names.len()) {
        None => Ok((names, numbered)),
        Some(problem) => Err(ImportError::Mismatch(problem)),
    }
}

/// The class names of the data, or numbers and the reason for them.
fn known_names(experiment: &Experiment) -> Result<(Vec<String>, Option<String>), DataError> {
    let source = data::open(&experiment.data, &Monitor::default());
    let (count, reason) = match (source, experiment.model.classes()) {
        (Ok(source), count) => {
            let names = source.classes();
            match count.filter(|&count| count != names.len()) {
                None => return Ok((names.to_vec(), None)),
                Some(count) => {
                    let of_data = counted(names.len(), "class", "classes");
                    let key = experiment.model.classes_key();
                    (
                        count,
                        format!("the data has {of_data}, but model.{key} is for {count}"),
                    )
                }
            }
        }
        (Err(error), Some(count)) => (count, error.to_string()),
        (Err(error), None) => return Err(error),
    };
    Ok((sorted_numbers(experiment, count), Some(reason)))
}

/// Numbers from 0, in the order of the data's classes.
fn sorted_numbers(experiment: &Experiment, count: usize) -> Vec<String> {
    let mut names: Vec<String> = (0..count).map(|class| class.to_string()).collect();
    let order = experiment.data.class_order().unwrap_or_default();
    order.sort(&mut names);
    names
}

/// Numbers from 0, as many as were asked for.
fn numbers(experiment: &Experiment, count: usize) -> Result<Vec<String>, ImportError> {
    if let Some(problem) = count_problem(experiment, count) {
        return Err(ImportError::Classes(problem));
    }
    // Before there are as many names.
    match size_problem(experiment, count) {
        None => Ok(sorted_numbers(experiment, count)),
        Some(problem) => Err(ImportError::Classes(problem)),
    }
}

/// The class names in a file, one per line.
fn read_names(experiment: &Experiment, file: &Path) -> Result<Vec<String>, FileError> {
    let names = class_names::read(file)?;
    let count = names.len();
    let problem = count_problem(experiment, count).or_else(|| size_problem(experiment, count));
    if let Some(problem) = problem {
        return Err(FileError::new(file, problem).usage());
    }
    class_names::validate_distinct(&names, file)?;
    Ok(names)
}

/// What is wrong with a number of class names.
fn count_problem(experiment: &Experiment, count: usize) -> Option<String> {
    match experiment.model.classes() {
        Some(wanted) if wanted != count => {
            let (names, key) = (
                counted(count, "name", "names"),
                experiment.model.classes_key(),
            );
            Some(format!(
                "{names}, but the config's model.{key} is for {wanted}"
            ))
        }
        None if count < MIN_CLASSES && experiment.model.task() == Task::Classify => Some(format!(
            "{}; a classifier has at least {MIN_CLASSES}",
            counted(count, "name", "names")
        )),
        _ => None,
    }
}

/// Why a network is too large with so many classes: configs are checked without knowing their number.
fn size_problem(experiment: &Experiment, classes: usize) -> Option<String> {
    let shape = experiment.data.shape();
    let Problem { path, message } = experiment.model.size_problem(shape, classes)?;
    let key = if path.is_empty() {
        path
    } else {
        format!(".{path}")
    };
    let counted = counted(classes, "class", "classes");
    Some(format!("with {counted}, model{key}: {message}"))
}
