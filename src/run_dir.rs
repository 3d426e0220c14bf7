//! The run directory: the folder that a run leaves behind, and the unit that every other verb takes.
//!
//! ```text
//! runs/<name>-<n>/
//!   config.json         the resolved experiment; runs again as it stands
//!   metrics.jsonl       one line per epoch
//!   timing.jsonl        seconds and samples per second per epoch (kept apart: times differ between reruns)
//!   checkpoints/        all that going on needs, after the best, the last and the last but one epoch
//!   model.safetensors   the weights that the run hands on
//!   summary.json        what came out
//!   report.html         the same to look at
//!   run.lock            held by the process that trains
//! ```

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::{self, ConfigError, Experiment, experiment::Backend};
use crate::files::{self, WriteError};
use crate::metrics::calibration::Calibration;
use crate::metrics::classification::{ClassReport, ConfusedPair};
use crate::metrics::{EpochRecord, Metrics};
use crate::shape::ImageShape;

/// Where run directories are made that are not named.
const RUNS: &str = "runs";

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
    /// Another process trains in it.
    #[error("{}: another kiln is training in it; wait for it, or name another folder", .0.display())]
    Busy(PathBuf),
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

/// Keeps other processes from training in a run directory, for as long as it lives (and not beyond the process).
#[derive(Debug)]
pub struct RunLock {
    #[expect(dead_code, reason = "unlocks when it is dropped")]
    file: File,
}

impl RunDir {
    /// Makes `runs/<name>-<n>` with the smallest `n` that is free, or exactly `path`, which must not exist; `experiment` becomes
    /// its config. Whoever sees the folder sees the config in it.
    pub fn create(
        path: Option<&Path>,
        name: &str,
        experiment: &impl Serialize,
    ) -> Result<Self, RunDirError> {
        let numbered_in = Path::new(RUNS);
        let parent = match path {
            Some(path) => files::folder_of(path),
            None => numbered_in,
        };
        // Before anything is made: a parent that is not there yet stays away.
        if let Some(path) = path.filter(|path| path.symlink_metadata().is_ok()) {
            return Err(refusal(path));
        }
        make_folder(parent)?;
        let unnamed = files::temporary_folder(parent).map_err(|error| RunDirError::Create {
            path: path.unwrap_or(parent).to_path_buf(),
            // The error's text would name the temporary folder.
            source: error.kind().into(),
        })?;
        let run = Self {
            path: unnamed.path().to_path_buf(),
        };
        let named = |error: WriteError| RunDirError::Create {
            path: path.unwrap_or(parent).to_path_buf(),
            source: error.source,
        };
        make_folder(&run.checkpoints())?;
        run.write_json(&run.config_file(), experiment)
            .map_err(|error| match error {
                RunDirError::Write(error) => named(error),
                other => other,
            })?;
        let path = match path {
            Some(path) => give_name(run.path(), path)?,
            None => give_number(run.path(), numbered_in, name)?,
        };
        let _ = unnamed.keep();
        files::sync_folder(parent).map_err(|source| RunDirError::Create {
            path: path.clone(),
            source,
        })?;
        Ok(Self { path })
    }

    /// Whether [`create`](Self::create) could make the folder, as far as that can be told without writing.
    pub fn could_create(path: Option<&Path>) -> Result<(), RunDirError> {
        let path = path.unwrap_or(Path::new(RUNS));
        if path != Path::new(RUNS) && path.symlink_metadata().is_ok() {
            return Err(refusal(path));
        }
        let made = path.ancestors().find(|folder| folder.exists());
        let made = made.unwrap_or(Path::new("."));
        let problem = match made.is_dir() {
            false => Some(std::io::ErrorKind::NotADirectory.into()),
            true => not_writable(made),
        };
        match problem {
            None => Ok(()),
            Some(source) => Err(RunDirError::Create {
                path: path.to_path_buf(),
                source,
            }),
        }
    }

    /// Keeps other processes from training in the folder.
    pub fn lock(&self) -> Result<RunLock, RunDirError> {
        let path = self.lock_file();
        let error = |source| WriteError::new(&path, source);
        let file = File::create(&path).map_err(error)?;
        match file.try_lock() {
            Ok(()) => Ok(RunLock { file }),
            Err(TryLockError::WouldBlock) => Err(RunDirError::Busy(self.path.clone())),
            Err(TryLockError::Error(source)) => Err(error(source).into()),
        }
    }

    /// Whether a process trains in the folder.
    pub fn is_busy(&self) -> bool {
        // Read-only: asking leaves nothing behind.
        let Ok(file) = File::open(self.lock_file()) else {
            return false;
        };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }

    /// Whether its weights are not those of a training: `kiln model import` writes no history and no summary, and takes no lock.
    pub fn is_imported(&self) -> bool {
        self.model_file().exists()
            && !self.metrics_file().exists()
            && !self.summary_file().exists()
            && !self.lock_file().exists()
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

    /// The files that a run's folder may hold, there or not.
    pub fn files(path: &Path) -> [PathBuf; 6] {
        let run = Self {
            path: path.to_path_buf(),
        };
        [
            run.config_file(),
            run.metrics_file(),
            run.timing_file(),
            run.summary_file(),
            run.model_file(),
            run.report_file(),
        ]
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

    /// `run.lock`
    pub fn lock_file(&self) -> PathBuf {
        self.path.join("run.lock")
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

/// What a folder is called that may be a run's already.
fn refusal(path: &Path) -> RunDirError {
    let path = path.to_path_buf();
    let run = RunDir { path: path.clone() };
    match run.is_busy() {
        true => RunDirError::Busy(path),
        false => RunDirError::Exists(path),
    }
}

/// Renames a folder with something in it to `path`, which must not exist.
fn give_name(from: &Path, path: &Path) -> Result<PathBuf, RunDirError> {
    if path.symlink_metadata().is_ok() {
        return Err(refusal(path));
    }
    match std::fs::rename(from, path) {
        Ok(()) => Ok(path.to_path_buf()),
        // Another process was faster; a folder is never renamed onto one that is not empty.
        Err(_) if path.exists() => Err(refusal(path)),
        Err(source) => Err(RunDirError::Create {
            path: path.to_path_buf(),
            source,
        }),
    }
}

/// Renames a folder with something in it to `<root>/<name>-<n>` with the smallest `n` that is free.
fn give_number(from: &Path, root: &Path, name: &str) -> Result<PathBuf, RunDirError> {
    for number in 1u64.. {
        match give_name(from, &root.join(format!("{name}-{number}"))) {
            Err(RunDirError::Exists(_) | RunDirError::Busy(_)) => continue,
            result => return result,
        }
    }
    unreachable!("there are more numbers than folders")
}

/// Why nothing can be made in a folder, if that can be told.
fn not_writable(folder: &Path) -> Option<std::io::Error> {
    #[cfg(unix)]
    {
        use rustix::fs::Access;
        let access = rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK);
        access.err().map(Into::into)
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        None
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
    files::read_text(path).map_err(|error| match error.kind() {
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
