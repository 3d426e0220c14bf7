//! Run directories in any state: finished, running, interrupted or damaged. A file that cannot be read is part of the answer here,
//! not an error.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::Value;

use super::error::SweepError;
use super::record::SWEEP_FILE;
use crate::error::FileError;
use crate::files;
use crate::metrics::{EpochRecord, Metrics};
use crate::run_dir::{RunDir, Status, Summary};

/// Longest plausible duration of a run: a century.
const MAX_SECONDS: f64 = 3.2e9;

/// What can be read of a run.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// Its folder.
    pub path: PathBuf,
    /// The resolved experiment in the folder; null if it cannot be read.
    pub config: Value,
    /// The summary; None if the run is not over.
    pub summary: Option<Summary>,
    /// The epochs that were completed.
    pub epochs: Vec<EpochRecord>,
    /// Wall time of these epochs in seconds; None if it was not recorded.
    pub seconds: Option<f64>,
    /// When the newest of its files was written.
    pub written: Option<SystemTime>,
    /// Its state.
    pub state: State,
}

/// The state of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It ended, in this way.
    Ended(Status),
    /// No summary yet: running, or killed before it could write one.
    Unfinished,
    /// Its weights were imported; it was never trained.
    Imported,
    /// A file cannot be read, and why.
    Damaged(String),
}

impl State {
    /// Its name in tables.
    pub fn name(&self) -> &'static str {
        match self {
            State::Ended(Status::Finished) => "finished",
            State::Ended(Status::StoppedEarly) => "stopped early",
            State::Ended(Status::Interrupted) => "interrupted",
            State::Ended(Status::Failed) => "failed",
            State::Unfinished => "unfinished",
            State::Imported => "imported",
            State::Damaged(_) => "damaged",
        }
    }

    /// Whether the training is complete.
    pub fn is_complete(&self) -> bool {
        matches!(self, State::Ended(Status::Finished | Status::StoppedEarly))
    }
}

impl RunRecord {
    /// Reads what can be read.
    pub fn read(path: &Path) -> Self {
        let run = RunDir::open(path);
        let mut record = Self {
            path: path.to_path_buf(),
            config: Value::Null,
            summary: None,
            epochs: Vec::new(),
            seconds: None,
            written: None,
            state: State::Unfinished,
        };
        let run = match run {
            Ok(run) => run,
            Err(error) => {
                record.written = written(path);
                record.state = State::Damaged(error.to_string());
                return record;
            }
        };
        let mut problems = Vec::new();
        let files = [run.summary_file(), run.metrics_file(), run.config_file()];
        record.written = files.iter().find_map(|file| written(file));
        match json(&run.config_file()) {
            Ok(config) => record.config = config.unwrap_or_default(),
            Err(problem) => problems.push(problem),
        }
        if run.metrics_file().exists() {
            match run.epochs() {
                Ok(epochs) => record.epochs = epochs,
                Err(error) => problems.push(error.to_string()),
            }
        }
        if run.summary_file().exists() {
            match run.summary() {
                Ok(summary) => {
                    record.state = State::Ended(summary.status);
                    record.summary = Some(summary);
                }
                Err(error) => problems.push(error.to_string()),
            }
        }
        record.seconds = seconds(&run.timing_file());
        if run.is_imported() {
            record.state = State::Imported;
        }
        if !problems.is_empty() {
            record.state = State::Damaged(problems.join("; "));
        }
        record
    }

    /// The last part of the path.
    pub fn name(&self) -> String {
        let absolute = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        let name = absolute.file_name().map(|name| name.to_string_lossy());
        name.map_or_else(|| self.path.display().to_string(), |name| name.to_string())
    }

    /// A text in the config, by its JSON pointer.
    pub fn setting(&self, pointer: &str) -> Option<&str> {
        self.config.pointer(pointer)?.as_str()
    }

    /// On the validation split, with the weights that were kept; while there is no summary, in the last epoch.
    pub fn valid(&self) -> Option<&Metrics> {
        match &self.summary {
            Some(summary) => Some(&summary.valid),
            None => self.epochs.last().map(|record| &record.valid),
        }
    }

    /// On the test split, with the weights that were kept.
    pub fn test(&self) -> Option<&Metrics> {
        self.summary.as_ref()?.test.as_ref()
    }

    /// The epoch whose weights were kept.
    pub fn best_epoch(&self) -> Option<usize> {
        self.summary.as_ref().map(|summary| summary.best_epoch)
    }
}

fn written(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

/// A JSON file; None if it does not exist.
fn json(path: &Path) -> Result<Option<Value>, String> {
    let problem = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    match files::read_regular_text(path) {
        Ok(text) => serde_json::from_str(&text).map_err(|error| problem(&error)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(problem(&error)),
    }
}

/// Seconds of all epochs in `timing.jsonl`.
fn seconds(path: &Path) -> Option<f64> {
    #[derive(Deserialize)]
    struct Line {
        seconds: f64,
    }
    let text = files::read_regular_text(path).ok()?;
    let lines = text.lines().map(serde_json::from_str::<Line>);
    let lines: Vec<Line> = lines.collect::<Result<_, _>>().ok()?;
    let sum: f64 = lines.iter().map(|line| line.seconds).sum();
    // Other values are not durations, and converting them would panic.
    (0.0..MAX_SECONDS).contains(&sum).then_some(sum)
}

/// Whether the folder is a run directory, complete or not.
pub fn is_run(path: &Path) -> bool {
    [
        "config.json",
        "metrics.jsonl",
        "summary.json",
        "model.safetensors",
    ]
    .iter()
    .any(|name| path.join(name).is_file())
        || path.join("checkpoints").is_dir()
}

/// The runs in a folder: the folder itself if it is one, else its subfolders, and those of the sweeps among them.
///
/// Errors: a folder that does not exist (usage) or cannot be read.
pub fn find(folder: &Path) -> Result<Vec<RunRecord>, SweepError> {
    let places = places(folder)?;
    for (sweep, _) in &places.unreadable {
        // Its error.
        folders(sweep)?;
    }
    Ok(places
        .runs
        .iter()
        .map(|path| RunRecord::read(path))
        .collect())
}

/// Where runs and sweeps are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// Folders of runs, those of sweeps included.
    pub runs: Vec<PathBuf>,
    /// Folders of sweeps.
    pub sweeps: Vec<PathBuf>,
    /// Those of them whose runs can't be listed, and why.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// Where the runs of [`find`] are, and the sweeps; the folder may be a sweep as well.
///
/// Errors: the folder does not exist (usage) or cannot be read; a sweep in it that can't be is told.
pub fn places(folder: &Path) -> Result<Places, SweepError> {
    if is_run(folder) {
        return Ok(Places {
            runs: vec![folder.to_path_buf()],
            ..Places::default()
        });
    }
    let is_sweep = |path: &Path| path.join(SWEEP_FILE).is_file();
    let mut found = Places::default();
    if is_sweep(folder) {
        found.sweeps.push(folder.to_path_buf());
    }
    for path in folders(folder)? {
        if is_run(&path) {
            found.runs.push(path);
        } else if is_sweep(&path) {
            match folders(&path) {
                Ok(runs) => found
                    .runs
                    .extend(runs.into_iter().filter(|run| is_run(run))),
                Err(error) => found.unreadable.push((path.clone(), error.to_string())),
            }
            found.sweeps.push(path);
        }
    }
    Ok(found)
}

/// The folders within a folder, by name.
fn folders(folder: &Path) -> Result<Vec<PathBuf>, SweepError> {
    let error = |source: std::io::Error| {
        let is_missing = matches!(
            source.kind(),
            ErrorKind::NotFound | ErrorKind::NotADirectory
        );
        let error = FileError::io(folder, source);
        if is_missing { error.usage() } else { error }
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(error)? {
        let entry = entry.map_err(error)?;
        let path = entry.path();
        // A run that was killed while its folder was created never started.
        if path.is_dir() && !files::is_temporary(&entry.file_name()) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
