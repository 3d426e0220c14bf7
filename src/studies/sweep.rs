//! A sweep: one config, the values that some of its keys are to take, and a folder with a run for each combination.
//!
//! ```text
//! sweeps/<name>-<n>/
//!   sweep.json         config, axes, and every run with how it stands; enough to go on without the config's file
//!   1_lr-0.02/         a run directory, as `kiln train` makes it
//!   unfinished/        runs that were broken off and started again
//!   leaderboard.csv    all runs, the best first
//!   sweep.html         the same to look at, with all curves
//!   sweep.lock         held by the process that works on the folder
//! ```
//!
//! [`Plan`] is a sweep that is checked and not yet written, [`Sweep`] one that has its folder. A folder is gone on with
//! only by the sweep that made it: same axes, same draws, same settings. Nothing here trains.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::StudyError;
use super::axes::{self, Axis, Combination, Draw};
use super::compare::{differences, shown};
use super::runs::RunRecord;
use crate::config::{self, Experiment};
use crate::files;
use crate::run_dir;

/// Name of the file that makes a folder a sweep.
pub const SWEEP_FILE: &str = "sweep.json";
/// Held while a process works on the folder.
const LOCK_FILE: &str = "sweep.lock";
/// Where runs go that were broken off.
const UNFINISHED: &str = "unfinished";
/// Longest part of a run's folder name that tells its values: names stay readable, and far below what file systems allow.
const LONGEST_NAME: usize = 60;
/// As many complaints about combinations are shown; more would bury the first.
const MOST_COMPLAINTS: usize = 8;

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
    /// Stopped by the user; starts again when the sweep goes on.
    Interrupted,
    /// Done.
    Finished,
    /// The loss was no number any more. The same settings would end the same way, so this is a result.
    Diverged,
    /// Something else went wrong; starts again when the sweep goes on.
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

    fn experiment(&self, trial: &Trial) -> Result<Experiment, StudyError> {
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
fn overrides(set: &[String], values: &BTreeMap<String, Value>) -> Vec<String> {
    let values = values.iter().map(|(path, value)| format!("{path}={value}"));
    set.iter().cloned().chain(values).collect()
}

/// A sweep of which every combination is a valid experiment. Nothing is written yet.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What will be written.
    pub record: Record,
    /// What each run is made with.
    pub experiments: Vec<Experiment>,
}

impl Plan {
    /// Makes all combinations and holds each of them against the config's rules.
    pub fn new(
        config_file: &Path,
        set: &[String],
        axes: Vec<Axis>,
        random: Option<Draw>,
    ) -> Result<Self, StudyError> {
        axes::check(&axes, set)?;
        let combinations = match random {
            Some(draw) => axes::draw(&axes, draw)?,
            None => axes::all(&axes)?,
        };
        let text = config::read(config_file)?;
        let mut experiments = Vec::new();
        let mut complaints: Vec<String> = Vec::new();
        for combination in &combinations {
            let overrides = overrides(set, &by_path(&axes, combination));
            match config::parse(&text, config_file, &overrides) {
                Ok(mut experiment) => {
                    experiment.schema = None;
                    experiments.push(experiment);
                }
                // The same key gives the same complaint in many combinations.
                Err(error) => complaints.extend(error.to_string().lines().map(String::from)),
            }
        }
        if !complaints.is_empty() {
            let mut seen = std::collections::BTreeSet::new();
            complaints.retain(|complaint| seen.insert(complaint.clone()));
            complaints.truncate(MOST_COMPLAINTS);
            return Err(StudyError::Refused(complaints));
        }
        let trials = combinations
            .iter()
            .enumerate()
            .map(|(index, combination)| Trial {
                run: folder_name(index, combinations.len(), &axes, combination),
                values: by_path(&axes, combination),
                status: TrialStatus::Waiting,
                error: None,
            })
            .collect();
        let record = Record {
            kiln: env!("CARGO_PKG_VERSION").into(),
            name: experiments
                .first()
                .map_or_else(String::new, |e| e.name.clone()),
            config_file: config_file.to_path_buf(),
            // The text has been read as JSON before.
            config: serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default(),
            set: set.to_vec(),
            axes,
            random,
            trials,
        };
        Ok(Self {
            record,
            experiments,
        })
    }

    /// Makes the sweep's folder, or goes on with the one that this sweep has made before.
    pub fn start(self, dir: Option<&Path>) -> Result<Sweep, StudyError> {
        let dir = match dir {
            Some(dir) if dir.join(SWEEP_FILE).is_file() => return self.go_on(dir),
            Some(dir) if is_empty(dir) => dir.to_path_buf(),
            Some(dir) if dir.exists() => {
                return Err(StudyError::NotASweep {
                    path: dir.to_path_buf(),
                    problem: "it has files, but no sweep.json; name a new folder".into(),
                });
            }
            Some(dir) => run_dir::new_folder(dir)?,
            None => run_dir::numbered_folder(Path::new("sweeps"), &self.record.name)?,
        };
        let sweep = Sweep {
            lock: lock(&dir)?,
            dir,
            record: self.record,
            experiments: self.experiments,
        };
        sweep.save()?;
        Ok(sweep)
    }

    fn go_on(self, dir: &Path) -> Result<Sweep, StudyError> {
        let there = Sweep::open(dir)?;
        match self.difference(&there) {
            None => Ok(there),
            Some(difference) => Err(StudyError::OtherSweep {
                path: dir.to_path_buf(),
                difference,
            }),
        }
    }

    /// In what a sweep differs from this plan, if it does.
    fn difference(&self, there: &Sweep) -> Option<String> {
        let typed = |record: &Record| {
            let axes: Vec<String> = record.axes.iter().map(Axis::typed).collect();
            let draw = record
                .random
                .map(|draw| format!(" --random {} --seed {}", draw.count, draw.seed));
            axes.join(" ") + &draw.unwrap_or_default()
        };
        let (old, new) = (typed(&there.record), typed(&self.record));
        if old != new {
            return Some(format!("{old} there, {new} asked for"));
        }
        let as_json =
            |experiment: &Experiment| serde_json::to_value(experiment).unwrap_or_default();
        let pairs = there.experiments.iter().zip(&self.experiments);
        pairs
            .filter(|(old, new)| old != new)
            .find_map(|(old, new)| {
                let differing = differences(&[&as_json(old), &as_json(new)]);
                let first = differing.first()?;
                let (old, new) = (first.shown(0), first.shown(1));
                Some(format!("{} is {old} there, {new} asked for", first.path))
            })
    }
}

fn by_path(axes: &[Axis], combination: &Combination) -> BTreeMap<String, Value> {
    let paths = axes.iter().map(|axis| axis.path.clone());
    paths.zip(combination.iter().cloned()).collect()
}

/// `03_lr-0.002_hidden-64-64`: the number keeps names apart and in order, the values say which run it is.
fn folder_name(index: usize, runs: usize, axes: &[Axis], combination: &Combination) -> String {
    let key = |axis: &Axis| {
        let last = axis.path.rsplit('.').next().unwrap_or(&axis.path);
        let ends_so = |other: &&Axis| other.path.rsplit('.').next() == Some(last);
        match axes.iter().filter(ends_so).count() {
            1 => last.to_string(),
            _ => axis.path.clone(),
        }
    };
    let parts: Vec<String> = axes
        .iter()
        .zip(combination)
        .map(|(axis, value)| format!("{}-{}", key(axis), shown(value)))
        .collect();
    let mut told = String::new();
    for letter in parts.join("_").chars() {
        let safe = letter.is_ascii_alphanumeric() || "._-".contains(letter);
        // Brackets, quotes, spaces: one dash for any number of them.
        match safe {
            true => told.push(letter),
            false if told.ends_with('-') => {}
            false => told.push('-'),
        }
    }
    told.truncate(LONGEST_NAME);
    let told = told.replace("-_", "_");
    let digits = runs.to_string().len();
    format!("{:0digits$}_{}", index + 1, told.trim_end_matches('-'))
}

fn is_empty(dir: &Path) -> bool {
    std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none())
}

/// Makes sure that no other process works on the folder for as long as the file is held.
fn lock(dir: &Path) -> Result<File, StudyError> {
    let path = dir.join(LOCK_FILE);
    let error = |source| StudyError::Io {
        path: path.clone(),
        source,
    };
    let file = File::create(&path).map_err(error)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StudyError::Busy(dir.to_path_buf())),
        Err(TryLockError::Error(source)) => Err(error(source)),
    }
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
    lock: File,
}

impl Sweep {
    /// Opens the folder of a sweep to go on with it. What each run has come to is read from its folder.
    pub fn open(dir: &Path) -> Result<Self, StudyError> {
        let not_a_sweep = |problem: String| StudyError::NotASweep {
            path: dir.to_path_buf(),
            problem,
        };
        let text = std::fs::read_to_string(dir.join(SWEEP_FILE))
            .map_err(|error| not_a_sweep(format!("{SWEEP_FILE}: {error}")))?;
        let lock = lock(dir)?;
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
        let meant = serde_json::to_value(&self.experiments[index]);
        run.state.is_complete()
            && run.path.join("report.html").is_file()
            && meant.is_ok_and(|meant| meant == run.config)
    }

    /// Folder of a run.
    pub fn run_path(&self, index: usize) -> PathBuf {
        self.dir.join(&self.record.trials[index].run)
    }

    /// Moves what a broken-off run has left out of the way.
    pub fn clear(&self, index: usize) -> Result<(), StudyError> {
        let from = self.run_path(index);
        if !from.exists() {
            return Ok(());
        }
        let name = &self.record.trials[index].run;
        let to = run_dir::numbered_folder(&self.dir.join(UNFINISHED), name)?;
        // Not every system renames onto an empty folder.
        std::fs::remove_dir(&to)
            .and_then(|()| std::fs::rename(&from, &to))
            .map_err(|source| StudyError::Io { path: from, source })
    }

    /// Notes how a run stands.
    pub fn note(
        &mut self,
        index: usize,
        status: TrialStatus,
        error: Option<String>,
    ) -> Result<(), StudyError> {
        let trial = &mut self.record.trials[index];
        trial.status = status;
        trial.error = error;
        self.save()
    }

    fn save(&self) -> Result<(), StudyError> {
        let path = self.dir.join(SWEEP_FILE);
        let mut text = serde_json::to_string_pretty(&self.record)
            .map_err(|error| files::WriteError::new(&path, std::io::Error::other(error)))?;
        text.push('\n');
        Ok(files::write(&path, text.as_bytes())?)
    }
}
