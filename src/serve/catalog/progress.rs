//! How far a run is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::files;
use crate::run_dir::RunDir;
use crate::sweeps::runs::{RunRecord, State};

/// The time of the remaining epochs is estimated from this many of the last ones: the first of a process is slower.
const RECENT: usize = 5;
/// Longest believable epoch, in seconds: a hundred years.
const MAX_SECONDS: f64 = 3.2e9;

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Progress {
    /// As in the list of runs, or `running`.
    pub state: String,
    /// Completed epochs.
    pub epochs: usize,
    /// Epochs that its config asks for.
    pub of: Option<u64>,
    /// Seconds until the last of them, if a process trains the run and all take as long as the last few did.
    pub seconds_left: Option<f64>,
    /// The epoch whose weights were kept, once the run has ended.
    pub best_epoch: Option<usize>,
}

/// The name of a run's state; one that a process is training is `running`.
pub fn state_name(run: &RunRecord) -> &'static str {
    let is_busy = || RunDir::open(&run.path).is_ok_and(|run| run.is_busy());
    match &run.state {
        State::Imported => run.state.name(),
        // A run that was resumed has the summary of its first end.
        _ if is_busy() => "running",
        state => state.name(),
    }
}

/// How far a run is.
pub fn progress(run: &RunRecord) -> Progress {
    let state = state_name(run);
    let of = run
        .config
        .pointer("/training/epochs")
        .and_then(|epochs| epochs.as_u64());
    let left = of.map(|of| of.saturating_sub(run.epochs.len() as u64));
    let seconds_left = match (state, left) {
        ("running", Some(left)) => epoch_seconds(run).map(|one| one * left as f64),
        _ => None,
    };
    Progress {
        state: state.into(),
        epochs: run.epochs.len(),
        of,
        seconds_left,
        best_epoch: run.best_epoch(),
    }
}

/// The mean time of the last few epochs.
fn epoch_seconds(run: &RunRecord) -> Option<f64> {
    #[derive(Deserialize)]
    struct Line {
        seconds: f64,
    }
    let file = RunDir::open(&run.path).ok()?.timing_file();
    let text = files::read_regular_text(&file).ok()?;
    let all: Vec<f64> = text
        .lines()
        .filter_map(|line| Some(serde_json::from_str::<Line>(line).ok()?.seconds))
        .collect();
    let recent = &all[all.len().saturating_sub(RECENT)..];
    let mean = recent.iter().sum::<f64>() / recent.len() as f64;
    (0.0..=MAX_SECONDS).contains(&mean).then_some(mean)
}
