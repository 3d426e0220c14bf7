//! The trackers of a run: the list of all kinds, and how they are called.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::mlflow::{self, MlflowTracker};
use super::tensorboard::EventWriter;
use super::tracker::{Ending, RunFacts, Tell, Timing, TrackError, Tracker};
use crate::config::{EventFiles, LogServer, LogTarget};
use crate::error::FileError;
use crate::files;
use crate::metrics::EpochRecord;
use crate::progress::CancelToken;
use crate::run_dir::RunDir;

/// When servers are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// At once, by a thread.
    Now,
    /// By [`deliver`].
    Later,
}

/// The tracker of a target: the one list of all kinds.
fn open(target: &LogTarget, run_dir: &RunDir, sending: Sending, tell: &Tell) -> Box<dyn Tracker> {
    match target {
        LogTarget::Events(EventFiles::TensorBoard) => Box::new(EventWriter::new(run_dir)),
        LogTarget::Server(LogServer { mlflow }) => {
            let tell = (sending == Sending::Now).then(|| tell.clone());
            Box::new(MlflowTracker::new(mlflow, run_dir, tell))
        }
    }
}

/// The trackers of a run. Their problems are told, each tracker's first only, and go no further.
pub struct Tracking {
    trackers: Mutex<Vec<Told>>,
    tell: Tell,
}

/// A tracker, and whether a problem of it was told.
struct Told {
    tracker: Box<dyn Tracker>,
    is_told: bool,
}

impl Tracking {
    /// Starts the trackers of a run, and gives them the epochs of `metrics.jsonl` that they lack.
    pub fn start(targets: &[LogTarget], run: &RunFacts, sending: Sending, tell: Tell) -> Self {
        let trackers = targets.iter().map(|target| Told {
            tracker: open(target, run.run_dir, sending, &tell),
            is_told: false,
        });
        let tracking = Self {
            trackers: Mutex::new(trackers.collect()),
            tell,
        };
        tracking.each(|tracker| {
            let last = tracker.start(run)?;
            for (record, timing) in history(run.run_dir)? {
                if record.epoch > last {
                    tracker.epoch(&record, timing)?;
                }
            }
            Ok(())
        });
        tracking
    }

    /// Whether nobody is told anything.
    pub fn is_empty(&self) -> bool {
        self.trackers().is_empty()
    }

    /// An epoch is done, and is in `metrics.jsonl`.
    pub fn epoch(&self, record: &EpochRecord, timing: Timing) {
        self.each(|tracker| tracker.epoch(record, Some(timing)));
    }

    /// The run is over. Waits until everything has arrived, as long as that makes progress; once cancelled, only a moment.
    pub fn finish(&self, ending: &Ending, cancel: &CancelToken) {
        self.each(|tracker| tracker.finish(ending));
        self.each(|tracker| {
            tracker.close(cancel);
            Ok(())
        });
    }

    fn each(&self, mut call: impl FnMut(&mut dyn Tracker) -> Result<(), TrackError>) {
        for told in self.trackers().iter_mut() {
            if let Err(error) = call(told.tracker.as_mut())
                && !std::mem::replace(&mut told.is_told, true)
            {
                let name = told.tracker.name();
                (self.tell)(&format!("{name}: {error}; the run goes on without it"));
            }
        }
    }

    fn trackers(&self) -> MutexGuard<'_, Vec<Told>> {
        self.trackers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The epochs of a run so far, with their times where these are known.
fn history(run_dir: &RunDir) -> Result<Vec<(EpochRecord, Option<Timing>)>, FileError> {
    let (metrics, timing) = (run_dir.metrics_file(), run_dir.timing_file());
    if !metrics.exists() {
        return Ok(Vec::new());
    }
    let text = files::read_text(&timing).unwrap_or_default();
    let times: Vec<(usize, Timing)> = text.lines().filter_map(timing_line).collect();
    let text = files::read_text(&metrics).map_err(|error| FileError::io(&metrics, error))?;
    let record = |line: &str| -> Result<_, FileError> {
        let record: EpochRecord =
            serde_json::from_str(line).map_err(|error| FileError::new(&metrics, error))?;
        let timing = times.iter().find(|(epoch, _)| *epoch == record.epoch);
        Ok((record, timing.map(|(_, timing)| *timing)))
    };
    text.lines().map(record).collect()
}

/// A line of `timing.jsonl`; `None` for one that is not whole.
fn timing_line(line: &str) -> Option<(usize, Timing)> {
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    let epoch = usize::try_from(value.get("epoch")?.as_u64()?).ok()?;
    Some((epoch, serde_json::from_value(value).ok()?))
}

/// What was sent to a server now.
#[derive(Debug)]
pub struct Delivered {
    /// Its address.
    pub server: String,
    /// How many things it was told: settings, epochs, files, the end.
    pub entries: usize,
    /// Why it has not got everything.
    pub error: Option<TrackError>,
}

/// Sends what a run keeps for servers that were away, and returns what was sent to each. The caller holds the lock of the run.
///
/// # Errors
/// What is kept can't be read.
pub fn deliver(run_dir: &RunDir) -> Result<Vec<Delivered>, TrackError> {
    let mut all = Vec::new();
    for folder in mlflow::folders(run_dir) {
        let mut delivery = mlflow::Delivery::open(run_dir, &folder)?;
        let error = delivery.drain(&mlflow::Progress::default()).err();
        all.push(Delivered {
            server: delivery.server().to_string(),
            entries: delivery.delivered(),
            error,
        });
    }
    Ok(all)
}

/// Whether a run keeps something for a server that was away.
pub fn is_unsent(run_dir: &RunDir) -> bool {
    let folders = mlflow::folders(run_dir);
    folders.iter().any(|folder| mlflow::is_unsent(folder))
}
