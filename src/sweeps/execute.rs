//! Trains the runs of a sweep one after the other.
//!
//! A run that fails is recorded and the next one starts; a stop ends the current run as `kiln train` would, and starts no other.
//! After each run the leaderboard's files are written again, so that there is something to look at.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::SweepError;
use super::leaderboard::Leaderboard;
use super::record::{Trial, TrialStatus};
use super::sweep::Sweep;
use crate::error::{ErrorExit, ExitKind, FileError};
use crate::files;
use crate::parallel::Alone;
use crate::progress::Monitor;
use crate::run_dir::{RunDirError, Status};
use crate::training::{self, Observer, Resumption, TrainError};

/// Someone who watches a sweep.
pub trait SweepObserver {
    /// Run `number` of `of` is about to start.
    fn run_starts(&self, number: usize, of: usize, values: &str);
    /// Who watches the run itself.
    fn run_observer(&self) -> Arc<dyn Observer>;
    /// Run `number` of `of` is over.
    fn run_ended(&self, number: usize, of: usize, end: &TrialEnd);
}

/// How a run of a sweep ended.
#[derive(Debug)]
pub struct TrialEnd<'a> {
    /// What is recorded about it.
    pub trial: &'a Trial,
    /// How long it took, data and evaluation included.
    pub elapsed: Duration,
    /// All runs so far, the best first.
    pub leaderboard: &'a Leaderboard,
}

/// How the execution of a sweep ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SweepEnd {
    /// No run is left to do.
    Done,
    /// The user stopped it.
    Interrupted,
}

/// Trains all runs that are not done. Cancelling `monitor` ends the current run, and no other starts.
pub fn execute(
    sweep: &mut Sweep,
    monitor: &Monitor,
    observer: &dyn SweepObserver,
) -> Result<SweepEnd, SweepError> {
    for index in 0..sweep.record.trials.len() {
        if sweep.record.trials[index].status.is_done() {
            continue;
        }
        if monitor.cancel().is_cancelled() {
            return Ok(SweepEnd::Interrupted);
        }
        let status = run_trial(sweep, index, monitor, observer)?;
        if status == TrialStatus::Interrupted {
            return Ok(SweepEnd::Interrupted);
        }
    }
    // Also if nothing was left to do: the files may be gone, or of an older kiln.
    write_results(sweep, &Leaderboard::of(sweep))?;
    Ok(SweepEnd::Done)
}

/// Trains one run and records how it ended.
pub(super) fn run_trial(
    sweep: &mut Sweep,
    index: usize,
    monitor: &Monitor,
    observer: &dyn SweepObserver,
) -> Result<TrialStatus, SweepError> {
    let of = sweep.record.trials.len();
    let values = sweep.record.values(&sweep.record.trials[index]);
    observer.run_starts(index + 1, of, &values);
    let started = Instant::now();
    let options = training::Options {
        profile: None,
        run_dir: Some(sweep.run_path(index)),
        dashboard: false,
        monitor: monitor.clone(),
        observer: observer.run_observer(),
        group: Arc::new(Alone),
    };
    let (status, error) = train(sweep, index, options)?;
    let leaderboard = sweep.in_turn(|sweep| {
        sweep.set_status(index, status, error)?;
        let leaderboard = Leaderboard::of(sweep);
        write_results(sweep, &leaderboard)?;
        Ok(leaderboard)
    })?;
    let end = TrialEnd {
        trial: &sweep.record.trials[index],
        elapsed: started.elapsed(),
        leaderboard: &leaderboard,
    };
    observer.run_ended(index + 1, of, &end);
    Ok(status)
}

/// Trains or resumes one run, and returns what to record about it.
fn train(
    sweep: &mut Sweep,
    index: usize,
    options: training::Options,
) -> Result<(TrialStatus, Option<String>), SweepError> {
    let resumption = resumption(sweep, index)?;
    if resumption.is_none() {
        sweep.set_aside(index)?;
    }
    sweep.in_turn(|sweep| sweep.set_status(index, TrialStatus::Running, None))?;
    let outcome = match resumption {
        Some(resumption) => training::resume(resumption, options),
        None => training::run(sweep.experiments[index].clone(), options),
    };
    Ok(match outcome {
        Ok(outcome) if outcome.summary.status == Status::Interrupted => {
            (TrialStatus::Interrupted, None)
        }
        Ok(_) => (TrialStatus::Finished, None),
        // While its data was read: there is nothing to keep.
        Err(error) if error.exit_kind() == ExitKind::Cancelled => (TrialStatus::Interrupted, None),
        Err(error @ TrainError::NotFinite { .. }) => {
            (TrialStatus::Diverged, Some(error.to_string()))
        }
        Err(error) => (TrialStatus::Failed, Some(error.to_string())),
    })
}

/// A run that stopped and can be resumed; None if there is none, or one with other settings.
fn resumption(sweep: &Sweep, index: usize) -> Result<Option<Resumption>, SweepError> {
    match Resumption::open(&sweep.run_path(index), &[]) {
        Ok(run) => {
            let is_same = run.experiment == sweep.experiments[index];
            Ok((is_same && run.checkpoint.is_some()).then_some(run))
        }
        // Another process trains in it.
        Err(error @ TrainError::RunDir(RunDirError::Busy(_))) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

/// Writes `leaderboard.csv` and `sweep.html`.
pub(super) fn write_results(sweep: &Sweep, leaderboard: &Leaderboard) -> Result<(), SweepError> {
    let path = sweep.dir.join("leaderboard.csv");
    let csv = leaderboard
        .csv()
        .map_err(|error| FileError::write(&path, error))?;
    files::write(&path, csv.as_bytes())?;
    files::write(&sweep.dir.join("sweep.html"), leaderboard.page().as_bytes())?;
    Ok(())
}
