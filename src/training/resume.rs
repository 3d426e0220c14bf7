//! Resuming a run: which checkpoint to continue from, and which settings may change.
//!
//! A resumed run gives the same bytes as one that never stopped. So settings that change the result are refused; more epochs are
//! allowed, unless the schedule is stretched over all epochs.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::checkpoint::{self, Checkpoint};
use super::error::TrainError;
use crate::config::ScheduleConfig;
use crate::config::difference::{self, Difference};
use crate::config::{self, Experiment};
use crate::data;
use crate::error::{FileError, counted};
use crate::files::{self, LockFile};
use crate::run_dir::{RunDir, RunDirError};

/// The one setting that may change, if the schedule allows it.
const EPOCHS: &str = "training.epochs";

/// How long processes wait for each other, which does not change what they compute.
const TIMEOUT: &str = "parallel.timeout_s";

/// Where metrics are sent, which does not change them.
const LOG: &str = "training.log";

/// Where decoded images are kept, and how many, which does not change the data; the sources of a mix have such keys each.
const STORAGE: [&str; 3] = [".memory_mb", ".cache", ".cache_mb"];

/// Number of changed settings that an error names.
const MAX_SHOWN: usize = 3;

/// A run that is about to be resumed.
#[derive(Debug)]
pub struct Resumption {
    /// Its folder.
    pub run_dir: RunDir,
    /// Its experiment, with the changed settings.
    pub experiment: Experiment,
    /// The checkpoint to continue from; `None` starts with the first epoch.
    pub checkpoint: Option<Checkpoint>,
    /// Later checkpoints that can't be used.
    pub damaged: Vec<FileError>,
    /// Keeps other processes out; `None` if nothing is to be written.
    pub(super) lock: Option<LockFile>,
}

/// Splits `RUN@EPOCH`; without an epoch, or if a file of the whole name exists, all of it is the run.
pub fn parse_target(target: &Path) -> (PathBuf, Option<usize>) {
    let split = target.to_str().and_then(|text| text.rsplit_once('@'));
    let epoch = split.and_then(|(run, epoch)| Some((run, epoch.parse().ok()?)));
    match epoch {
        Some((run, epoch)) if !target.exists() => (run.into(), Some(epoch)),
        _ => (target.into(), None),
    }
}

impl Resumption {
    /// Opens and locks a run; `target` is `RUN` or `RUN@EPOCH`.
    ///
    /// # Errors
    /// It is not a run that was trained here, another process works in it, a changed setting would change the result, or its
    /// checkpoints can't be used.
    pub fn open(target: &Path, overrides: &[String]) -> Result<Self, TrainError> {
        let (path, epoch) = parse_target(target);
        let run_dir = open_trained(&path)?;
        let lock = run_dir.lock()?;
        let resumption = Self::find(run_dir, epoch, overrides)?;
        Ok(Self {
            lock: Some(lock),
            ..resumption
        })
    }

    /// [`open`](Self::open) for a process that writes nothing beside one that has the lock.
    ///
    /// # Errors
    /// As those of [`open`](Self::open).
    pub fn follow(target: &Path, overrides: &[String]) -> Result<Self, TrainError> {
        let (path, epoch) = parse_target(target);
        Self::find(open_trained(&path)?, epoch, overrides)
    }

    /// [`open`](Self::open) for a dry run, which writes nothing and takes no lock.
    ///
    /// # Errors
    /// As those of [`open`](Self::open).
    pub fn inspect(target: &Path, overrides: &[String]) -> Result<Self, TrainError> {
        let (path, epoch) = parse_target(target);
        let run_dir = open_trained(&path)?;
        if run_dir.is_busy() {
            return Err(RunDirError::Busy(path).into());
        }
        Self::find(run_dir, epoch, overrides)
    }

    fn find(
        run_dir: RunDir,
        epoch: Option<usize>,
        overrides: &[String],
    ) -> Result<Self, TrainError> {
        let before = run_dir.experiment()?;
        let mut experiment = config::load(&run_dir.config_file(), overrides)?;
        experiment.schema = None;
        let epochs = experiment.training.epochs;
        // With fewer epochs than before, too: the latest checkpoint tells how many are done. Checkpoints beyond both numbers are
        // from before the run went back.
        let latest = before.training.epochs.max(epochs);
        let (checkpoint, damaged) = match epoch {
            Some(epoch) => (Some(checkpoint::of_epoch(&run_dir, epoch)?), Vec::new()),
            None => checkpoint::latest_usable(&run_dir, latest)?,
        };
        let header = checkpoint.as_ref().map(|checkpoint| &checkpoint.header);
        let before = header.map_or(&before, |header| &header.experiment);
        check_changes(before, &experiment)?;
        let resumption = Self {
            run_dir,
            experiment,
            checkpoint,
            damaged,
            lock: None,
        };
        let done = resumption.epoch();
        if epochs < done {
            return Err(resumption.too_few_epochs(epoch.is_some()));
        }
        Ok(resumption)
    }

    /// The error of a run that is to have fewer epochs than are done at its checkpoint, which the user may have chosen.
    fn too_few_epochs(&self, is_chosen: bool) -> TrainError {
        let (run, done) = (self.run_dir.path().display(), self.epoch());
        let epochs = self.experiment.training.epochs;
        TrainError::Resume(if is_chosen {
            format!(
                "{EPOCHS}: found {epochs}, but the checkpoint is from epoch {done}; use more epochs, or an earlier checkpoint"
            )
        } else {
            let are = if done == 1 { "epoch is" } else { "epochs are" };
            format!(
                "{run}: {done} {are} done; {EPOCHS} is {epochs}: choose {done} or more, or start a new run"
            )
        })
    }

    /// The number of epochs that are done.
    pub fn epoch(&self) -> usize {
        self.checkpoint.as_ref().map_or(0, Checkpoint::epoch)
    }

    /// Brings the files of the run back to the state of the checkpoint.
    pub(super) fn rewind(&self) -> Result<(), TrainError> {
        let run = &self.run_dir;
        files::remove_temporaries(run.path());
        files::remove_temporaries(&run.checkpoints());
        // A copied run may lack it: many tools leave out empty folders.
        std::fs::create_dir_all(run.checkpoints())
            .map_err(|source| FileError::write(run.checkpoints(), source))?;
        run.write_json(&run.config_file(), &self.experiment)?;
        let before = run.origin();
        let root = data::root_for(
            &self.experiment.data,
            before.as_ref().map(|o| o.data.as_path()),
        );
        if root.is_ok_and(|root| root == data::data_root()) {
            run.record_origin()?;
        }
        let progress = self.checkpoint.as_ref().map(|at| &at.header.progress);
        let records = progress.map_or(&[][..], |progress| &progress.epochs);
        files::write(
            &run.metrics_file(),
            &json_lines(records, &run.metrics_file())?,
        )?;
        let timing = timing_until(&run.timing_file(), self.epoch());
        files::write(&run.timing_file(), timing.as_bytes())?;
        Ok(())
    }
}

/// Opens the folder of a run that was trained here.
fn open_trained(path: &Path) -> Result<RunDir, TrainError> {
    let run_dir = RunDir::open(path)?;
    if run_dir.is_imported() {
        let run = path.display();
        return Err(TrainError::Resume(format!(
            "{run}: its weights were imported, not trained; start a run with them: `kiln train CONFIG --init-from {run}`"
        )));
    }
    Ok(run_dir)
}

/// Values as lines of JSON; `path` is what errors name.
fn json_lines(values: &[impl Serialize], path: &Path) -> Result<Vec<u8>, FileError> {
    let mut lines = Vec::new();
    for value in values {
        serde_json::to_writer(&mut lines, value)
            .map_err(|error| FileError::write(path, error.into()))?;
        lines.push(b'\n');
    }
    Ok(lines)
}

/// The lines of `timing.jsonl` up to an epoch; incomplete lines are dropped.
fn timing_until(path: &Path, epoch: usize) -> String {
    let text = files::read_text(path).unwrap_or_default();
    let is_kept = |line: &&str| {
        let line: Result<Value, _> = serde_json::from_str(line);
        let number = line.ok().and_then(|line| line.get("epoch")?.as_u64());
        number.is_some_and(|number| number <= epoch as u64)
    };
    let lines = text.lines().filter(is_kept);
    lines.map(|line| format!("{line}\n")).collect()
}

/// Refuses changes that would change the result.
fn check_changes(before: &Experiment, now: &Experiment) -> Result<(), TrainError> {
    let (then, ranks) = (before.parallel.ranks, now.parallel.ranks);
    if then != ranks {
        return Err(TrainError::Resume(format!(
            "parallel.ranks: the run is one of {}, and with {ranks} the result would differ; use --ranks {then}, or start as many with \
             mpiexec or srun",
            counted(then, "process", "processes")
        )));
    }
    let mut changes = difference::between(before, now);
    let is_cosine = matches!(now.schedule, ScheduleConfig::Cosine(_));
    if is_cosine && changes.iter().any(|change| change.path == EPOCHS) {
        return Err(TrainError::Resume(format!(
            "{EPOCHS} can't change in a resumed run with a cosine schedule: the schedule spans all epochs, so completed epochs would \
             have used different learning rates; start a new run with --init-from"
        )));
    }
    changes.retain(|change| {
        let is_storage = STORAGE.iter().any(|key| change.path.ends_with(key));
        let is_free = [EPOCHS, TIMEOUT].contains(&change.path.as_str());
        !is_free && !change.path.starts_with(LOG) && !is_storage
    });
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
        "settings can't change in a resumed run, since the result would differ ({}{more}); start a new run with --init-from",
        shown.join(", ")
    )))
}
