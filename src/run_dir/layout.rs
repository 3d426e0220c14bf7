//! The files of a run directory, and what is in them.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::RunDirError;
use super::origin::{ORIGIN_FILE, Origin};
use super::summary::Summary;
use crate::config::{self, Experiment};
use crate::error::FileError;
use crate::files::{self, LockFile};
use crate::metrics::EpochRecord;

/// The folder of one run.
#[derive(Debug, Clone)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// Keeps other processes from training in the folder for as long as the lock lives.
    pub fn lock(&self) -> Result<LockFile, RunDirError> {
        LockFile::acquire(&self.lock_file())?.ok_or_else(|| RunDirError::Busy(self.path.clone()))
    }

    /// Whether a process trains in the folder.
    pub fn is_busy(&self) -> bool {
        LockFile::is_held(&self.lock_file())
    }

    /// Whether its weights were imported instead of trained: `kiln model import` writes no history and no summary, and takes no lock.
    pub fn is_imported(&self) -> bool {
        self.model_file().exists()
            && !self.metrics_file().exists()
            && !self.summary_file().exists()
            && !self.lock_file().exists()
    }

    /// The folder that another process writes, perhaps on another machine.
    pub fn of_another_process(path: &Path) -> Self {
        Self::at(path)
    }

    /// The folder of a run, whether it exists or not.
    pub(super) fn at(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
        }
    }

    /// Opens the folder of an existing run.
    pub fn open(path: &Path) -> Result<Self, RunDirError> {
        let run = Self::at(path);
        if run.config_file().is_file() {
            Ok(run)
        } else {
            Err(RunDirError::no_run(path))
        }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The files that a run's folder may hold, whether they exist or not.
    pub fn files(path: &Path) -> [PathBuf; 7] {
        let run = Self::at(path);
        [
            run.config_file(),
            run.origin_file(),
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

    /// `origin.json`
    pub fn origin_file(&self) -> PathBuf {
        self.path.join(ORIGIN_FILE)
    }

    /// Where it was started; `None` in a run of an older kiln.
    pub fn origin(&self) -> Option<Origin> {
        Origin::beside(&self.config_file())
    }

    /// Records that it was started here and now.
    pub fn record_origin(&self) -> Result<(), RunDirError> {
        match Origin::here() {
            Some(origin) => self.write_json(&self.origin_file(), &origin),
            None => Ok(()),
        }
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

    /// The experiment of the run.
    pub fn experiment(&self) -> Result<Experiment, RunDirError> {
        Ok(config::load(&self.config_file(), &[])?)
    }

    /// The results of the run.
    pub fn summary(&self) -> Result<Summary, RunDirError> {
        let path = self.summary_file();
        let text = read(&path, self)?;
        Ok(serde_json::from_str(&text).map_err(|error| self.damaged(&path, error))?)
    }

    /// The run's epochs.
    pub fn epochs(&self) -> Result<Vec<EpochRecord>, RunDirError> {
        let path = self.metrics_file();
        read(&path, self)?
            .lines()
            .map(|line| Ok(serde_json::from_str(line).map_err(|error| self.damaged(&path, error))?))
            .collect()
    }

    /// The error of a results file that can't be parsed. Resuming writes it again, even if all epochs are done.
    fn damaged(&self, path: &Path, error: serde_json::Error) -> FileError {
        FileError::new(path, format!("can't be parsed: {error}")).advise(format!(
            "`kiln train --resume {}` writes it again",
            self.path.display()
        ))
    }

    /// Writes a JSON file of the run.
    pub fn write_json(&self, path: &Path, value: &impl Serialize) -> Result<(), RunDirError> {
        let mut text =
            serde_json::to_string_pretty(value).map_err(|error| FileError::new(path, error))?;
        text.push('\n');
        Ok(files::write(path, text.as_bytes())?)
    }
}

fn read(path: &Path, run: &RunDir) -> Result<String, FileError> {
    files::read_regular_text(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => FileError::new(
            path,
            format!("missing; the run in {} is not finished", run.path.display()),
        ),
        _ => FileError::io(path, error),
    })
}
