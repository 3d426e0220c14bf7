//! The run directory: the folder that a run leaves behind, and the unit that every other verb takes.
//!
//! ```text
//! runs/<name>-<n>/
//!   config.json         the resolved experiment; runs again as it stands
//!   metrics.jsonl       one line per epoch
//!   timing.jsonl        seconds and samples per second per epoch (kept apart: times differ between reruns)
//!   checkpoints/        model, optimizer and schedule of the best and the last epoch
//!   model.safetensors   the weights that the run hands on
//!   summary.json        what came out
//!   report.html         the same to look at
//! ```

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::{self, ConfigError, Experiment, experiment::Backend};
use crate::data::ImageShape;
use crate::files::{self, WriteError};
use crate::metrics::calibration::Calibration;
use crate::metrics::classification::{ClassReport, ConfusedPair};
use crate::metrics::{EpochRecord, Metrics};

/// Why a run directory can't be made or used.
#[derive(Debug, thiserror::Error)]
pub enum RunDirError {
    /// The folder to be made exists.
    #[error("{}: already exists; --run-dir names a folder that is not there yet", .0.display())]
    Exists(PathBuf),
    /// The folder can't be made.
    #[error("{}: can't be made: {source}", path.display())]
    Create {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The folder is not one that kiln made.
    #[error("{}: not a run directory: {missing} is not there; name a folder that `kiln train` made", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// What should be in it.
        missing: &'static str,
    },
    /// A file in the folder can't be read.
    #[error("{}: {problem}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The config in the folder is not valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file in the folder can't be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// The folder of one run.
#[derive(Debug, Clone)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// Makes `runs/<name>-<n>` with the smallest `n` that is free, or exactly `path`, which must not exist.
    pub fn create(path: Option<&Path>, name: &str) -> Result<Self, RunDirError> {
        let path = match path {
            Some(path) => new_folder(path)?,
            None => numbered_folder(Path::new("runs"), name)?,
        };
        let run = Self { path };
        make_folder(&run.checkpoints())?;
        Ok(run)
    }

    /// Opens a folder that a run left behind.
    pub fn open(path: &Path) -> Result<Self, RunDirError> {
        let run = Self {
            path: path.to_path_buf(),
        };
        match run.config_file().is_file() {
            true => Ok(run),
            false => Err(RunDirError::NotARun {
                path: run.path,
                missing: "config.json",
            }),
        }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `config.json`
    pub fn config_file(&self) -> PathBuf {
        self.path.join("config.json")
    }

    /// `metrics.jsonl`
    pub fn metrics_file(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// `timing.jsonl`
    pub fn timing_file(&self) -> PathBuf {
        self.path.join("timing.jsonl")
    }

    /// `summary.json`
    pub fn summary_file(&self) -> PathBuf {
        self.path.join("summary.json")
    }

    /// `model.safetensors`
    pub fn model_file(&self) -> PathBuf {
        self.path.join("model.safetensors")
    }

    /// `report.html`
    pub fn report_file(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// `checkpoints/`
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// The experiment that the run was made with.
    pub fn experiment(&self) -> Result<Experiment, RunDirError> {
        Ok(config::load(&self.config_file(), &[])?)
    }

    /// What came out of the run.
    pub fn summary(&self) -> Result<Summary, RunDirError> {
        let path = self.summary_file();
        let text = read(&path, self)?;
        serde_json::from_str(&text).map_err(|error| damaged(&path, error))
    }

    /// The run's epochs.
    pub fn epochs(&self) -> Result<Vec<EpochRecord>, RunDirError> {
        let path = self.metrics_file();
        read(&path, self)?
            .lines()
            .map(|line| serde_json::from_str(line).map_err(|error| damaged(&path, error)))
            .collect()
    }

    /// Writes a JSON file of the run.
    pub fn write_json(&self, path: &Path, value: &impl Serialize) -> Result<(), RunDirError> {
        let mut text = serde_json::to_string_pretty(value).map_err(|error| damaged(path, error))?;
        text.push('\n');
        Ok(files::write(path, text.as_bytes())?)
    }
}

/// Makes exactly `path`, which must not exist.
pub fn new_folder(path: &Path) -> Result<PathBuf, RunDirError> {
    if let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        make_folder(parent)?;
    }
    let path = path.to_path_buf();
    match std::fs::create_dir(&path) {
        Ok(()) => Ok(path),
        Err(source) if source.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(RunDirError::Exists(path))
        }
        Err(source) => Err(RunDirError::Create { path, source }),
    }
}

/// Makes `<root>/<name>-<n>` with the smallest `n` that is free.
pub fn numbered_folder(root: &Path, name: &str) -> Result<PathBuf, RunDirError> {
    make_folder(root)?;
    // `create_dir` fails where the folder exists, so that two processes never share one.
    for number in 1u64.. {
        match new_folder(&root.join(format!("{name}-{number}"))) {
            Err(RunDirError::Exists(_)) => continue,
            result => return result,
        }
    }
    unreachable!("there are more numbers than folders")
}

fn make_folder(path: &Path) -> Result<(), RunDirError> {
    std::fs::create_dir_all(path).map_err(|source| RunDirError::Create {
        path: path.to_path_buf(),
        source,
    })
}

fn read(path: &Path, run: &RunDir) -> Result<String, RunDirError> {
    std::fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => RunDirError::Damaged {
            path: path.to_path_buf(),
            problem: format!(
                "not there; the run in {} has not come to its end",
                run.path.display()
            ),
        },
        _ => damaged(path, error),
    })
}

fn damaged(path: &Path, error: impl std::fmt::Display) -> RunDirError {
    RunDirError::Damaged {
        path: path.to_path_buf(),
        problem: error.to_string(),
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All epochs.
    Finished,
    /// Validation no longer improved.
    StoppedEarly,
    /// By Ctrl-C or from the dashboard.
    Interrupted,
    /// By an error after at least one good epoch, whose weights are kept.
    Failed,
}

/// `summary.json`: what came out of a run. Holds no times, so that reruns agree to the byte.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Version of kiln that made the run.
    pub kiln: String,
    /// Name of the experiment.
    pub name: String,
    /// Seed of the run.
    pub seed: u64,
    /// Engine that computed it.
    pub backend: Backend,
    /// How it ended.
    pub status: Status,
    /// Number of trainable parameters.
    pub parameters: usize,
    /// Class names in the order of the logits.
    pub classes: Vec<String>,
    /// Shape of one input image.
    pub input: ImageShape,
    /// Number of samples per split.
    pub samples: Samples,
    /// Epochs that were completed.
    pub epochs: usize,
    /// The epoch whose weights are in `model.safetensors`; 0 if the first was never completed.
    pub best_epoch: usize,
    /// On the validation split, with those weights; empty if the first epoch was never completed.
    pub valid: Metrics,
    /// On the test split, with those weights; null if there is none, or if the run was interrupted.
    pub test: Option<Metrics>,
    /// Of a classifier that was calibrated: what its temperature changed on the validation split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// Precision, recall and F1 of each class on the test split (on validation if there is no test).
    pub per_class: Vec<ClassReport>,
    /// What is taken for what most often.
    pub most_confused: Vec<ConfusedPair>,
}

/// Number of samples per split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Samples {
    /// Training.
    pub train: usize,
    /// Validation.
    pub valid: usize,
    /// Test.
    pub test: usize,
}
