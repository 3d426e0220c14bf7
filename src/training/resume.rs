//! Going on with a run: from a folder (and an epoch) to the checkpoint to start from, or why that can't be.
//!
//! Comes in: `RUN` or `RUN@EPOCH`, and settings to change. Goes out: a [`Resumption`] that holds the run's lock. What is changed
//! must not change the result: everything but more epochs is refused by name, and more epochs too where the schedule is
//! stretched over them. A damaged checkpoint is passed over for the one before it, and told.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::checkpoint::{self, Checkpoint, CheckpointError};
use super::error::TrainError;
use crate::config::ScheduleConfig;
use crate::config::difference::{self, Difference};
use crate::config::{self, Experiment};
use crate::files::{self, LockFile};
use crate::run_dir::{RunDir, RunDirError};

/// The one setting that may change, if the schedule lets it.
const EPOCHS: &str = "training.epochs";

/// How much memory the data may take, which doesn't change it; sources of a mix have one each.
const MEMORY: &str = ".memory_mb";

/// How many differing settings an error names.
const MAX_SHOWN: usize = 3;

/// A run that is to go on.
#[derive(Debug)]
pub struct Resumption {
    /// Its folder.
    pub run_dir: RunDir,
    /// Its experiment, with what was changed.
    pub experiment: Experiment,
    /// What it goes on from; `None` is the beginning.
    pub checkpoint: Option<Checkpoint>,
    /// Later checkpoints that can't be used.
    pub damaged: Vec<CheckpointError>,
    /// Keeps others out; `None` if nothing is to be written.
    pub(super) lock: Option<LockFile>,
}

/// `RUN` or `RUN@EPOCH`; what exists under the whole name is a run.
pub fn parse(target: &Path) -> (PathBuf, Option<usize>) {
    let split = target.to_str().and_then(|text| text.rsplit_once('@'));
    match split {
        Some((run, epoch)) if !target.exists() => match epoch.parse() {
            Ok(epoch) => (run.into(), Some(epoch)),
            Err(_) => (target.into(), None),
        },
        _ => (target.into(), None),
    }
}

impl Resumption {
    /// Opens a run to go on with it; `target` is as [`parse`] takes it.
    pub fn open(target: &Path, overrides: &[String]) -> Result<Self, TrainError> {
        let (path, epoch) = parse(target);
        let run_dir = open_trained(&path)?;
        let lock = run_dir.lock()?;
        let resumption = Self::find(run_dir, epoch, overrides)?;
        Ok(Self {
            lock: Some(lock),
            ..resumption
        })
    }

    /// [`open`](Self::open) for looking only.
    pub fn look(target: &Path, overrides: &[String]) -> Result<Self, TrainError> {
        let (path, epoch) = parse(target);
        let run_dir = open_trained(&path)?;
        match run_dir.is_busy() {
            true => Err(RunDirError::Busy(path).into()),
            false => Self::find(run_dir, epoch, overrides),
        }
    }

    fn find(
        run_dir: RunDir,
        epoch: Option<usize>,
        overrides: &[String],
    ) -> Result<Self, TrainError> {
        let before = run_dir.experiment()?;
        let mut experiment = config::load(&run_dir.config_file(), overrides)?;
        experiment.schema = None;
        let (checkpoint, damaged) = match epoch {
            Some(epoch) => (Some(checkpoint_of(&run_dir, epoch)?), Vec::new()),
            None => last_good(&run_dir, experiment.training.epochs)?,
        };
        let before = checkpoint
            .as_ref()
            .map_or(&before, |checkpoint| &checkpoint.header.experiment);
        check_changes(before, &experiment)?;
        let epochs = experiment.training.epochs;
        if let Some(done) = checkpoint.as_ref().map(Checkpoint::epoch)
            && epochs < done
        {
            return Err(TrainError::Resume(format!(
                "training.epochs: found {epochs}, but the checkpoint is that of epoch {done}; more epochs, or an earlier \
                 checkpoint"
            )));
        }
        Ok(Self {
            run_dir,
            experiment,
            checkpoint,
            damaged,
            lock: None,
        })
    }

    /// The epoch after which the run goes on.
    pub fn epoch(&self) -> usize {
        self.checkpoint.as_ref().map_or(0, Checkpoint::epoch)
    }

    /// Brings the run's files to where the checkpoint is.
    pub(super) fn rewind(&self) -> Result<(), TrainError> {
        files::remove_temporaries(self.run_dir.path());
        files::remove_temporaries(&self.run_dir.checkpoints());
        let run = &self.run_dir;
        // Copies leave empty folders out.
        std::fs::create_dir_all(run.checkpoints())
            .map_err(|source| crate::error::FileError::write(&run.checkpoints(), source))?;
        run.write_json(&run.config_file(), &self.experiment)?;
        let progress = self.checkpoint.as_ref().map(|at| &at.header.progress);
        let mut lines = String::new();
        for record in progress.iter().flat_map(|progress| &progress.epochs) {
            let line = serde_json::to_string(record).map_err(|error| {
                crate::error::FileError::write(&run.metrics_file(), error.into())
            })?;
            lines.push_str(&line);
            lines.push('\n');
        }
        files::write(&run.metrics_file(), lines.as_bytes())?;
        let timing = timing_until(&run.timing_file(), self.epoch());
        files::write(&run.timing_file(), timing.as_bytes())?;
        Ok(())
    }
}

/// Opens the folder of a run that has been trained.
fn open_trained(path: &Path) -> Result<RunDir, TrainError> {
    let run_dir = RunDir::open(path)?;
    match run_dir.is_imported() {
        false => Ok(run_dir),
        true => {
            let run = path.display();
            Err(TrainError::Resume(format!(
                "{run}: its weights were imported, not trained; begin a run with them: `kiln train CONFIG --init-from {run}`"
            )))
        }
    }
}

/// The lines of `timing.jsonl` up to an epoch, as far as they are whole.
fn timing_until(path: &Path, epoch: usize) -> String {
    let text = files::read_text(path).unwrap_or_default();
    let is_meant = |line: &&str| {
        let line: Result<Value, _> = serde_json::from_str(line);
        let number = line.ok().and_then(|line| line.get("epoch")?.as_u64());
        number.is_some_and(|number| number <= epoch as u64)
    };
    let lines = text.lines().filter(is_meant);
    lines.map(|line| format!("{line}\n")).collect()
}

/// The checkpoint that was asked for.
fn checkpoint_of(run: &RunDir, epoch: usize) -> Result<Checkpoint, TrainError> {
    let epochs = checkpoint::epochs(run);
    let there = || {
        let good = |&&epoch: &&usize| checkpoint::read(&checkpoint::path_of(run, epoch)).is_ok();
        let good: Vec<String> = epochs.iter().filter(good).map(usize::to_string).collect();
        match good.is_empty() {
            true => "there is no other".to_string(),
            false => format!("there are good ones of epoch {}", good.join(", ")),
        }
    };
    if !epochs.contains(&epoch) {
        let run = run.path().display();
        let there = there();
        return Err(TrainError::Resume(format!(
            "{run}: no checkpoint of epoch {epoch} is kept; {there}"
        )));
    }
    let mut read = checkpoint::read(&checkpoint::path_of(run, epoch)).and_then(|c| fits(c, epoch));
    if let Err(error) = &mut read {
        error.problem = format!("{}; {}", error.problem, there());
    }
    Ok(read?)
}

/// The last checkpoint that can be used, and those after it; none at all of a run that was stopped before its first.
fn last_good(
    run: &RunDir,
    most: usize,
) -> Result<(Option<Checkpoint>, Vec<CheckpointError>), TrainError> {
    let mut damaged = Vec::new();
    let epochs = checkpoint::epochs(run);
    for &epoch in epochs.iter().rev().filter(|&&epoch| epoch <= most) {
        let read = checkpoint::read(&checkpoint::path_of(run, epoch)).and_then(|c| fits(c, epoch));
        match read {
            Ok(checkpoint) => return Ok((Some(checkpoint), damaged)),
            Err(error) => damaged.push(error),
        }
    }
    let config = run.config_file();
    if let Some(mut error) = damaged.into_iter().next_back() {
        error.problem = format!(
            "{}; there is no good one before it; `kiln train {}` starts anew",
            error.problem,
            config.display()
        );
        return Err(error.into());
    }
    if let Some(epoch) = epochs.first() {
        return Err(TrainError::Resume(format!(
            "{EPOCHS}: found {most}, but the first checkpoint is that of epoch {epoch}"
        )));
    }
    // A run that has made epochs has made checkpoints, unless an older kiln made it or they were removed.
    match run.summary().is_ok_and(|summary| summary.epochs > 0) || has_foreign_checkpoints(run) {
        false => Ok((None, Vec::new())),
        true => Err(TrainError::Resume(format!(
            "{}: there are no checkpoints to go on from; `kiln train {}` starts anew, and --init-from takes its weights",
            run.path().display(),
            config.display()
        ))),
    }
}

/// Whether there are files of an older kiln.
fn has_foreign_checkpoints(run: &RunDir) -> bool {
    let entries = std::fs::read_dir(run.checkpoints());
    let mut entries = entries.into_iter().flatten().flatten();
    entries.any(|entry| {
        entry
            .path()
            .extension()
            .is_some_and(|ending| ending == "bpk")
    })
}

/// A checkpoint must be of the epoch that its file is named after.
fn fits(checkpoint: Checkpoint, epoch: usize) -> Result<Checkpoint, CheckpointError> {
    match checkpoint.epoch() == epoch {
        true => Ok(checkpoint),
        false => Err(CheckpointError {
            problem: format!("it is that of epoch {}", checkpoint.epoch()),
            path: checkpoint.path,
        }),
    }
}

/// Refuses changes that would change the result.
fn check_changes(before: &Experiment, now: &Experiment) -> Result<(), TrainError> {
    let mut changes = difference::between(before, now);
    let is_cosine = matches!(now.schedule, ScheduleConfig::Cosine(_));
    if is_cosine && changes.iter().any(|change| change.path == EPOCHS) {
        return Err(TrainError::Resume(format!(
            "{EPOCHS} can't be changed in a run that goes on: the cosine schedule is stretched over all epochs, so the epochs \
             that are done would have been others; start a new run with --init-from"
        )));
    }
    changes.retain(|change| change.path != EPOCHS && !change.path.ends_with(MEMORY));
    if changes.is_empty() {
        return Ok(());
    }
    let shown: Vec<String> = changes
        .iter()
        .take(MAX_SHOWN)
        .map(Difference::to_string)
        .collect();
    let more = match changes.len().saturating_sub(MAX_SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Err(TrainError::Resume(format!(
        "a resumed run keeps its settings, since the results would differ ({}{more}); start a new run with --init-from",
        shown.join(", ")
    )))
}
