//! A sweep: one config, the values that some of its keys are to take, and a folder with a run for each combination.
//!
//! ```text
//! sweeps/<name>-<n>/
//!   sweep.json         config, axes, and every run with how it stands; enough to go on without the config's file
//!   1_lr-0.02/         a run directory, as `kiln train` makes it
//!   unfinished/        runs that were broken off without a checkpoint to go on from, and started again
//!   leaderboard.csv    all runs, the best first
//!   sweep.html         the same to look at, with all curves
//!   sweep.lock         held by the process that works on the folder
//! ```
//!
//! Comes in: a checked [`Plan`](super::plan::Plan), or the folder that one has made. Goes out: a [`Sweep`], which knows how
//! each of its runs stands. Nothing here trains.

use std::collections::BTreeMap;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::SweepError;
use super::compare::shown;
use super::runs::RunRecord;
use super::search_space::{Axis, Draw};
use crate::config::{self, Experiment};
use crate::files::{self, LockFile};
use crate::run_dir::{self, RunDir};

/// Name of the file that makes a folder a sweep.
pub const SWEEP_FILE: &str = "sweep.json";
/// Held while a process works on the folder.
const LOCK_FILE: &str = "sweep.lock";
/// Where runs go that were broken off and can't go on.
const UNFINISHED: &str = "unfinished";

/// `sweep.json`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Version of kiln that made the sweep.
    pub kiln: String,
    /// Name of the experiment.
    pub name: String,
    /// The config's file, as it was named.
    pub config_file: PathBuf,
    /// What the config's file said.
    pub config: Value,
    /// What `--set` added to it.
    pub set: Vec<String>,
    /// What is varied.
    pub axes: Vec<Axis>,
    /// How combinations were drawn; null if all of them are run.
    pub random: Option<Draw>,
    /// The runs, in the order in which they are made.
    pub trials: Vec<Trial>,
}

/// One run of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Its folder within the sweep's.
    pub run: String,
    /// The value of each axis.
    pub values: BTreeMap<String, Value>,
    /// How it stands.
    pub status: TrialStatus,
    /// What went wrong, if anything did.
    pub error: Option<String>,
}

/// How a run of a sweep stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialStatus {
    /// Not begun.
    Waiting,
    /// At work, or broken off without a word.
    Running,
    /// Stopped by the user; goes on when the sweep does.
    Interrupted,
    /// Done.
    Finished,
    /// The loss was no number any more. The same settings would end the same way, so this is a result.
    Diverged,
    /// Something else went wrong; goes on, or starts again, when the sweep goes on.
    Failed,
}

impl TrialStatus {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            TrialStatus::Waiting => "waiting",
            TrialStatus::Running => "running",
            TrialStatus::Interrupted => "interrupted",
            TrialStatus::Finished => "finished",
            TrialStatus::Diverged => "diverged",
            TrialStatus::Failed => "failed",
        }
    }
}

impl Record {
    /// The paths of the axes.
    pub fn paths(&self) -> Vec<&str> {
        self.axes.iter().map(|axis| axis.path.as_str()).collect()
    }

    /// A run's values in the order of the axes, as they are shown: `optimizer.lr=0.02 model.hidden=[64]`.
    pub fn values(&self, trial: &Trial) -> String {
        let value = |axis: &Axis| trial.values.get(&axis.path).map(shown).unwrap_or_default();
        let pairs = self
            .axes
            .iter()
            .map(|axis| format!("{}={}", axis.path, value(axis)));
        pairs.collect::<Vec<_>>().join(" ")
    }

    /// The command that makes such a sweep.
    pub fn command(&self) -> String {
        let mut words = vec!["kiln".into(), "sweep".into()];
        words.push(self.config_file.display().to_string());
        for axis in &self.axes {
            words.extend(["--grid".into(), axis.typed()]);
        }
        if let Some(draw) = self.random {
            words.extend(["--random".into(), draw.count.to_string()]);
            words.extend(["--seed".into(), draw.seed.to_string()]);
        }
        for set in &self.set {
            words.extend(["--set".into(), set.clone()]);
        }
        let words: Vec<String> = words.iter().map(|word| in_shell(word)).collect();
        words.join(" ")
    }

    fn experiment(&self, trial: &Trial) -> Result<Experiment, SweepError> {
        let text = self.config.to_string();
        let overrides = overrides(&self.set, &trial.values);
        let mut experiment = config::parse(&text, &self.config_file, &overrides)?;
        experiment.schema = None;
        Ok(experiment)
    }
}

/// A word as a shell takes it.
fn in_shell(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/=,:+".contains(c);
    match word.chars().all(is_plain) {
        true => word.to_string(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// All that is set on top of the config's file. As one list: a section's kind comes before its other keys.
pub(super) fn overrides(set: &[String], values: &BTreeMap<String, Value>) -> Vec<String> {
    let values = values.iter().map(|(path, value)| format!("{path}={value}"));
    set.iter().cloned().chain(values).collect()
}

/// Makes sure that no other process works on the folder for as long as the file is held.
fn lock(dir: &Path) -> Result<LockFile, SweepError> {
    LockFile::acquire(&dir.join(LOCK_FILE))?.ok_or_else(|| SweepError::Busy(dir.to_path_buf()))
}

/// A sweep with its folder, which no other process works on.
#[derive(Debug)]
pub struct Sweep {
    /// Its folder.
    pub dir: PathBuf,
    /// What is known of it.
    pub record: Record,
    /// What each run is made with.
    pub experiments: Vec<Experiment>,
    #[expect(dead_code, reason = "held until the sweep is dropped")]
    lock: LockFile,
}

impl Sweep {
    /// Makes an empty folder that of a sweep.
    pub(super) fn begin(
        dir: PathBuf,
        record: Record,
        experiments: Vec<Experiment>,
    ) -> Result<Self, SweepError> {
        let sweep = Self {
            lock: lock(&dir)?,
            dir,
            record,
            experiments,
        };
        sweep.save()?;
        Ok(sweep)
    }

    /// Opens the folder of a sweep to go on with it. What each run has come to is read from its folder.
    pub fn open(dir: &Path) -> Result<Self, SweepError> {
        let not_a_sweep = |problem: String| SweepError::NotASweep {
            path: dir.to_path_buf(),
            problem,
        };
        let text = files::read_text(&dir.join(SWEEP_FILE))
            .map_err(|error| not_a_sweep(format!("{SWEEP_FILE}: {error}")))?;
        let lock = lock(dir)?;
        files::remove_temporaries(dir);
        let record: Record = serde_json::from_str(&text)
            .map_err(|error| not_a_sweep(format!("{SWEEP_FILE}: {error}")))?;
        let experiments = record.trials.iter().map(|trial| record.experiment(trial));
        let experiments = experiments.collect::<Result<Vec<_>, _>>()?;
        let mut sweep = Self {
            dir: dir.to_path_buf(),
            record,
            experiments,
            lock,
        };
        for index in 0..sweep.record.trials.len() {
            sweep.take_stock(index);
        }
        Ok(sweep)
    }

    /// Believes the run's folder rather than what was noted about it.
    fn take_stock(&mut self, index: usize) {
        let complete = self.is_complete(index);
        let trial = &mut self.record.trials[index];
        trial.status = match (complete, trial.status) {
            (true, _) => TrialStatus::Finished,
            (false, TrialStatus::Diverged) => TrialStatus::Diverged,
            (false, _) => TrialStatus::Waiting,
        };
        if trial.status != TrialStatus::Diverged {
            trial.error = None;
        }
    }

    /// Whether a run's folder holds the whole of the run that is meant.
    fn is_complete(&self, index: usize) -> bool {
        let run = RunRecord::read(&self.run_path(index));
        // By what the config means: an older kiln wrote fewer keys.
        let meant = || RunDir::open(&run.path).and_then(|run| run.experiment());
        run.state.is_complete()
            && run.path.join("report.html").is_file()
            && meant().is_ok_and(|experiment| experiment == self.experiments[index])
    }

    /// Folder of a run.
    pub fn run_path(&self, index: usize) -> PathBuf {
        self.dir.join(&self.record.trials[index].run)
    }

    /// Moves what a broken-off run has left out of the way.
    pub fn clear(&self, index: usize) -> Result<(), SweepError> {
        let from = self.run_path(index);
        if !from.exists() {
            return Ok(());
        }
        let name = &self.record.trials[index].run;
        let to = run_dir::numbered_folder(&self.dir.join(UNFINISHED), name)?;
        // Not every system renames onto an empty folder.
        std::fs::remove_dir(&to)
            .and_then(|()| std::fs::rename(&from, &to))
            .map_err(|source| SweepError::Io { path: from, source })
    }

    /// Notes how a run stands.
    pub fn note(
        &mut self,
        index: usize,
        status: TrialStatus,
        error: Option<String>,
    ) -> Result<(), SweepError> {
        let trial = &mut self.record.trials[index];
        trial.status = status;
        trial.error = error;
        self.save()
    }

    fn save(&self) -> Result<(), SweepError> {
        let path = self.dir.join(SWEEP_FILE);
        let mut text = serde_json::to_string_pretty(&self.record)
            .map_err(|error| crate::error::FileError::write(&path, std::io::Error::other(error)))?;
        text.push('\n');
        Ok(files::write(&path, text.as_bytes())?)
    }
}
