//! What a tracker is told, and what it must do with it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::pictures::Picture;
use crate::config::Experiment;
use crate::error::{ErrorExit, FileError};
use crate::metrics::{EpochRecord, Metrics};
use crate::progress::CancelToken;
use crate::run_dir::{RunDir, Status, Summary};

/// Is told a problem in one line.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// A run that is about to train.
#[derive(Debug, Clone, Copy)]
pub struct RunFacts<'a> {
    /// Its folder.
    pub run_dir: &'a RunDir,
    /// Its settings.
    pub experiment: &'a Experiment,
    /// Number of trainable parameters; `None` if it is not known.
    pub parameters: Option<usize>,
}

impl RunFacts<'_> {
    /// The name of the run: that of its folder.
    pub fn name(&self) -> String {
        let path = self.run_dir.path();
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let name = absolute
            .file_name()
            .map(|name| name.to_string_lossy().into());
        name.unwrap_or_else(|| self.experiment.name.clone())
    }
}

/// How long an epoch took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Wall time of the epoch in seconds, validation included.
    pub seconds: f64,
    /// Training samples per second of the training part.
    pub samples_per_second: f64,
}

/// How a run ended.
#[derive(Debug, Clone, Copy)]
pub struct Ending<'a> {
    /// Whether all epochs were trained, and if not, why.
    pub status: Status,
    /// `summary.json`; `None` if the run has none.
    pub summary: Option<&'a Summary>,
    /// Pictures of the report.
    pub pictures: &'a [Picture],
}

/// Why a tracker did not do what it was to do.
#[derive(Debug, thiserror::Error)]
pub enum TrackError {
    /// A file of the run directory can't be written or read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A server is away, or refuses.
    #[error("{0}")]
    Server(String),
}

impl ErrorExit for TrackError {}

/// Something that is told the numbers of a run. The methods are called by the thread that trains and must return quickly, without
/// waiting for another machine.
pub trait Tracker: Send {
    /// What messages call it.
    fn name(&self) -> String;

    /// The run starts, or goes on; returns the last epoch that the tracker has already, 0 if none.
    ///
    /// # Errors
    /// A file can't be read or written.
    fn start(&mut self, run: &RunFacts) -> Result<usize, TrackError>;

    /// An epoch is done. One that the tracker has with the same values is not counted twice: a run that was killed trains the epochs
    /// after its last checkpoint again.
    ///
    /// # Errors
    /// A file can't be written.
    fn epoch(&mut self, record: &EpochRecord, timing: Option<Timing>) -> Result<(), TrackError>;

    /// The run is over.
    ///
    /// # Errors
    /// A file can't be read or written.
    fn finish(&mut self, ending: &Ending) -> Result<(), TrackError>;

    /// Waits until what the tracker was told has arrived, as long as that makes progress and is not cancelled.
    fn close(&mut self, _cancel: &CancelToken) {}
}

/// The numbers of an epoch by name. Those of training and validation, which a run always reproduces.
pub fn scalars(record: &EpochRecord) -> BTreeMap<String, f64> {
    let mut all = under("train", &record.train);
    all.extend(under("valid", &record.valid));
    all.insert("learning_rate".into(), record.learning_rate);
    all
}

/// The times of an epoch by name.
pub fn times(timing: Timing) -> BTreeMap<String, f64> {
    BTreeMap::from([
        ("time/seconds_per_epoch".into(), timing.seconds),
        ("time/samples_per_second".into(), timing.samples_per_second),
    ])
}

/// The results of a run by name: the kept weights on the test and on the validation split.
pub fn results(summary: &Summary) -> BTreeMap<String, f64> {
    let mut all = under("final/valid", &summary.valid);
    if let Some(test) = &summary.test {
        all.extend(under("test", test));
    }
    all
}

fn under(part: &str, metrics: &Metrics) -> BTreeMap<String, f64> {
    let named = metrics.iter();
    named
        .map(|(name, value)| (format!("{part}/{name}"), *value))
        .collect()
}

/// Milliseconds since 1970.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
