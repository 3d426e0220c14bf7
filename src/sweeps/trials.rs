//! Carrying out the runs of a sweep, one after the other.
//!
//! Comes in: a [`Sweep`]. Goes out: its folder, filled. A run that fails is noted and the next one begins; a stop ends the
//! run at work as `kiln train` would, and begins no other. After each run the leaderboard's files are written anew, so
//! that there is something to look at.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use burn::train::Interrupter;

use super::SweepError;
use super::leaderboard::Leaderboard;
use super::sweep::{Sweep, Trial, TrialStatus};
use crate::files;
use crate::run_dir::{RunDirError, Status};
use crate::training::{self, Observer, Resumption, TrainError};

/// Stops the run at work and all that would follow. Clones stop the same sweep.
#[derive(Clone, Default)]
pub struct Stopper {
    inner: Arc<Mutex<Stop>>,
}

#[derive(Default)]
struct Stop {
    asked: bool,
    at_work: Option<Interrupter>,
}

impl Stopper {
    /// Asks for the stop.
    pub fn stop(&self, reason: &str) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.asked = true;
        if let Some(interrupter) = &inner.at_work {
            interrupter.stop(Some(reason));
        }
    }

    /// What stops the next run; None if there is to be none. Each run has its own, because a run that fails leaves its
    /// error in it.
    fn next(&self) -> Option<Interrupter> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.asked {
            return None;
        }
        let interrupter = Interrupter::new();
        inner.at_work = Some(interrupter.clone());
        Some(interrupter)
    }
}

/// Someone who watches a sweep.
pub trait Watcher {
    /// Run `number` of `of` is about to start.
    fn begins(&self, number: usize, of: usize, values: &str);
    /// Who watches the run itself.
    fn observer(&self) -> Arc<dyn Observer>;
    /// Run `number` of `of` is over.
    fn ended(&self, number: usize, of: usize, end: &TrialEnd);
}

/// How a run of a sweep ended.
#[derive(Debug)]
pub struct TrialEnd<'a> {
    /// What is noted about it.
    pub trial: &'a Trial,
    /// How long it took, data and evaluation included.
    pub took: Duration,
    /// All runs so far, the best first.
    pub board: &'a Leaderboard,
}

/// How carrying out a sweep ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// No run is left to do.
    Done,
    /// The user stopped it.
    Interrupted,
}

/// Does all runs that are not done.
pub fn carry_out(
    sweep: &mut Sweep,
    stopper: &Stopper,
    watcher: &dyn Watcher,
) -> Result<End, SweepError> {
    let of = sweep.record.trials.len();
    for index in 0..of {
        let trial = &sweep.record.trials[index];
        if matches!(trial.status, TrialStatus::Finished | TrialStatus::Diverged) {
            continue;
        }
        let Some(interrupter) = stopper.next() else {
            return Ok(End::Interrupted);
        };
        watcher.begins(index + 1, of, &sweep.record.values(trial));
        let began = Instant::now();
        let unfinished = unfinished(sweep, index)?;
        if unfinished.is_none() {
            sweep.clear(index)?;
        }
        sweep.note(index, TrialStatus::Running, None)?;
        let options = training::Options {
            run_dir: Some(sweep.run_path(index)),
            dashboard: false,
            interrupter,
            observer: watcher.observer(),
        };
        let outcome = match unfinished {
            Some(run) => training::resume(run, options),
            None => training::run(sweep.experiments[index].clone(), options),
        };
        let (status, error) = judge(outcome);
        sweep.note(index, status, error)?;
        let board = Leaderboard::of(sweep);
        publish(sweep, &board)?;
        let end = TrialEnd {
            trial: &sweep.record.trials[index],
            took: began.elapsed(),
            board: &board,
        };
        watcher.ended(index + 1, of, &end);
        if status == TrialStatus::Interrupted {
            return Ok(End::Interrupted);
        }
    }
    // Also where nothing was left to do: the files may be gone, or of an older kiln.
    publish(sweep, &Leaderboard::of(sweep))?;
    Ok(End::Done)
}

/// A run that was broken off and can go on; None if there is none, or one of other settings.
fn unfinished(sweep: &Sweep, index: usize) -> Result<Option<Resumption>, SweepError> {
    match Resumption::open(&sweep.run_path(index), &[]) {
        Ok(run) => {
            let is_meant = run.experiment == sweep.experiments[index];
            Ok((is_meant && run.checkpoint.is_some()).then_some(run))
        }
        // To be let alone.
        Err(error @ TrainError::RunDir(RunDirError::Busy(_))) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

/// What a run's outcome means for the sweep.
fn judge(outcome: Result<training::Outcome, TrainError>) -> (TrialStatus, Option<String>) {
    match outcome {
        Ok(outcome) if outcome.summary.status == Status::Interrupted => {
            (TrialStatus::Interrupted, None)
        }
        Ok(_) => (TrialStatus::Finished, None),
        Err(error @ TrainError::NotFinite { .. }) => {
            (TrialStatus::Diverged, Some(error.to_string()))
        }
        Err(error) => (TrialStatus::Failed, Some(error.to_string())),
    }
}

/// Writes `leaderboard.csv` and `sweep.html`.
fn publish(sweep: &Sweep, board: &Leaderboard) -> Result<(), SweepError> {
    files::write(&sweep.dir.join("leaderboard.csv"), board.csv().as_bytes())?;
    files::write(&sweep.dir.join("sweep.html"), board.page().as_bytes())?;
    Ok(())
}
