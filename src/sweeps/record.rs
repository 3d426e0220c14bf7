//! `sweep.json`: the config, the axes and the status of every run of a sweep.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::SweepError;
use super::search_space::{Axis, Sampling};
use crate::config::difference::shown;
use crate::config::{self, Experiment};
use crate::files;

/// The file that makes a folder that of a sweep.
pub const SWEEP_FILE: &str = "sweep.json";

/// `sweep.json`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepRecord {
    /// Version of kiln that made the sweep.
    pub kiln: String,
    /// Name of the experiment.
    pub name: String,
    /// The config file, as the user named it.
    pub config_file: PathBuf,
    /// The content of the config file.
    pub config: Value,
    /// What `--set` changed.
    pub set: Vec<String>,
    /// What is varied.
    pub axes: Vec<Axis>,
    /// How combinations were sampled; null if all of them are run.
    pub random: Option<Sampling>,
    /// The runs, in the order of their execution.
    pub trials: Vec<Trial>,
}

/// One run of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Its folder, relative to the sweep's.
    pub run: String,
    /// The value of each axis.
    pub values: BTreeMap<String, Value>,
    /// Its status.
    pub status: TrialStatus,
    /// The error that ended it, if one did.
    pub error: Option<String>,
}

impl Trial {
    /// Whether its folder lies directly in the sweep's.
    fn is_inside(&self) -> bool {
        let mut parts = Path::new(&self.run).components();
        matches!(
            (parts.next(), parts.next()),
            (Some(Component::Normal(_)), None)
        )
    }
}

/// The status of a run of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialStatus {
    /// Not started.
    Waiting,
    /// Running, or killed while it was.
    Running,
    /// Stopped by the user; resumed with the sweep.
    Interrupted,
    /// Done.
    Finished,
    /// The loss became infinite or NaN. The same settings would end the same way, so this is a result.
    Diverged,
    /// Something else went wrong; resumed, or restarted, with the sweep.
    Failed,
}

impl TrialStatus {
    /// Whether nothing is left to do.
    pub fn is_done(self) -> bool {
        matches!(self, TrialStatus::Finished | TrialStatus::Diverged)
    }

    /// Its name in tables.
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

impl SweepRecord {
    /// Reads the `sweep.json` of a sweep's folder.
    ///
    /// # Errors
    /// [`SweepError::NotASweep`]: it can't be read, or it names runs outside of its folder.
    pub fn read(dir: &Path) -> Result<Self, SweepError> {
        let not_a_sweep = |problem: &dyn std::fmt::Display| SweepError::NotASweep {
            path: dir.to_path_buf(),
            problem: format!("{SWEEP_FILE}: {problem}"),
        };
        let text =
            files::read_regular_text(&dir.join(SWEEP_FILE)).map_err(|error| not_a_sweep(&error))?;
        let record: Self = serde_json::from_str(&text).map_err(|error| not_a_sweep(&error))?;
        match record.trials.iter().find(|trial| !trial.is_inside()) {
            None => Ok(record),
            Some(trial) => Err(not_a_sweep(&format!(
                "the run {:?} is not a folder of this sweep",
                trial.run
            ))),
        }
    }

    /// A run's values in the order of the axes, as text: `optimizer.lr=0.02 model.hidden=[64]`.
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
        if let Some(sampling) = self.random {
            words.extend(["--random".into(), sampling.count.to_string()]);
            words.extend(["--seed".into(), sampling.seed.to_string()]);
        }
        for set in &self.set {
            words.extend(["--set".into(), set.clone()]);
        }
        shell_words::join(words)
    }

    pub(super) fn experiment(&self, trial: &Trial) -> Result<Experiment, SweepError> {
        let text = self.config.to_string();
        let overrides = overrides(&self.set, &trial.values);
        let mut experiment = config::parse(&text, &self.config_file, &overrides)?;
        experiment.schema = None;
        Ok(experiment)
    }
}

/// Everything that overrides the config file, as one list: a section's kind must come before its other keys.
pub(super) fn overrides(set: &[String], values: &BTreeMap<String, Value>) -> Vec<String> {
    let values = values.iter().map(|(path, value)| format!("{path}={value}"));
    set.iter().cloned().chain(values).collect()
}
