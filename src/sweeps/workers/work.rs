//! Workers: processes on any number of machines that train the runs of one sweep, in a folder that all of them see.
//!
//! A worker takes a run by locking a file of the sweep's folder. The system frees the lock of a process that dies, so that another
//! worker goes on with its run, from the run's last checkpoint.

use std::time::Duration;

use crate::files::LockFile;
use crate::progress::Monitor;
use crate::sweeps::error::SweepError;
use crate::sweeps::execute::{SweepEnd, SweepObserver, run_trial, write_results};
use crate::sweeps::leaderboard::Leaderboard;
use crate::sweeps::record::TrialStatus;
use crate::sweeps::sweep::Sweep;

/// Between two looks at the runs of other workers.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);
/// How often a wait asks whether it is cancelled.
const CANCEL_INTERVAL: Duration = Duration::from_millis(50);

/// Who watches a worker.
pub trait WorkerObserver: SweepObserver {
    /// Nothing is free; other workers train this many runs, and the worker waits for them: one of them may die.
    fn waits(&self, runs: usize);
}

/// What a worker finds when it looks for a run.
enum Next {
    /// This one is its own for as long as it holds the lock.
    Run(usize, LockFile),
    /// Other workers have this many.
    Wait(usize),
    Nothing,
}

/// Trains runs that no other worker has until none is left. With `max_runs`, it ends after so many, or when none is free; otherwise it
/// waits for the runs of other workers, to take over those of workers that die.
///
/// A run that failed is not tried again: the next worker would fail at it too. Cancelling `monitor` ends the current run, and no
/// other starts.
pub fn work(
    sweep: &mut Sweep,
    max_runs: Option<usize>,
    monitor: &Monitor,
    observer: &dyn WorkerObserver,
) -> Result<SweepEnd, SweepError> {
    let mut done = 0;
    let mut waits_for = 0;
    while max_runs.is_none_or(|max| done < max) {
        if monitor.cancel().is_cancelled() {
            return Ok(SweepEnd::Interrupted);
        }
        match sweep.in_turn(next)? {
            Next::Run(index, claim) => {
                let status = run_trial(sweep, index, monitor, observer)?;
                drop(claim);
                if status == TrialStatus::Interrupted {
                    return Ok(SweepEnd::Interrupted);
                }
                (done, waits_for) = (done + 1, 0);
            }
            Next::Wait(runs) if max_runs.is_none() => {
                if runs != waits_for {
                    observer.waits(runs);
                    waits_for = runs;
                }
                pause(monitor);
            }
            Next::Wait(_) | Next::Nothing => break,
        }
    }
    sweep.in_turn(|sweep| {
        sweep.remove_claims()?;
        write_results(sweep, &Leaderboard::of(sweep))
    })?;
    Ok(SweepEnd::Done)
}

/// Waits until other workers may have got further, or the user stops this one.
fn pause(monitor: &Monitor) {
    let steps = LOOK_INTERVAL.as_millis() / CANCEL_INTERVAL.as_millis();
    for _ in 0..steps {
        if monitor.cancel().is_cancelled() {
            return;
        }
        std::thread::sleep(CANCEL_INTERVAL);
    }
}

/// The first run that is not done and that nobody has.
fn next(sweep: &mut Sweep) -> Result<Next, SweepError> {
    let mut taken = 0;
    for index in 0..sweep.record.trials.len() {
        let status = sweep.record.trials[index].status;
        if status.is_done() || status == TrialStatus::Failed {
            continue;
        }
        let Some(claim) = sweep.claim(index)? else {
            taken += 1;
            continue;
        };
        if sweep.is_complete(index) {
            // Its worker died between the end of the run and its record.
            sweep.set_status(index, TrialStatus::Finished, None)?;
            continue;
        }
        return Ok(Next::Run(index, claim));
    }
    Ok(if taken > 0 {
        Next::Wait(taken)
    } else {
        Next::Nothing
    })
}
