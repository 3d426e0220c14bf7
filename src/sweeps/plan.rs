//! The plan of a sweep: every combination as a checked experiment, before anything is written.
//!
//! A folder is resumed only by the sweep that created it: same axes, same samples, same settings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::error::SweepError;
use super::record::{SWEEP_FILE, SweepRecord, Trial, TrialStatus, overrides};
use super::search_space::{self, Axis, Combination, Sampling};
use super::sweep::Sweep;
use crate::config::difference::{self, shown};
use crate::config::{self, Experiment};
use crate::files::without_mark;
use crate::progress::Monitor;
use crate::run_dir;
use crate::training::{self, TrainError};

/// Longest part of a run's folder name that holds its values, in characters: names stay readable, and far below the limits of
/// file systems.
const MAX_NAME: usize = 60;
/// Maximum number of invalid combinations shown; more would bury the first.
const MAX_PROBLEMS: usize = 8;

/// A sweep whose combinations are all valid experiments. Nothing is written yet.
#[derive(Debug, Clone)]
pub struct SweepPlan {
    /// The content of the `sweep.json` to be written.
    pub record: SweepRecord,
    /// The experiment of each run.
    pub experiments: Vec<Experiment>,
}

impl SweepPlan {
    /// Builds all combinations and checks each of them against the config's rules.
    pub fn new(
        config_file: &Path,
        set: &[String],
        axes: Vec<Axis>,
        random: Option<Sampling>,
    ) -> Result<Self, SweepError> {
        search_space::validate(&axes, set)?;
        let combinations = match random {
            Some(sampling) => search_space::sample(&axes, sampling)?,
            None => search_space::grid(&axes)?,
        };
        let text = config::read(config_file)?;
        let overrides: Vec<Vec<String>> = combinations
            .iter()
            .map(|combination| overrides(set, &by_path(&axes, combination)))
            .collect();
        let experiments = experiments(&text, config_file, &overrides)?;
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
        let record = SweepRecord {
            kiln: env!("CARGO_PKG_VERSION").into(),
            name: experiments
                .first()
                .map_or_else(String::new, |e| e.name.clone()),
            config_file: config_file.to_path_buf(),
            // The text was parsed as JSON before.
            config: serde_json::from_str(without_mark(&text)).unwrap_or_default(),
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

    /// Creates the sweep's folder, or resumes it if this sweep created it earlier.
    pub fn start(self, dir: Option<&Path>) -> Result<Sweep, SweepError> {
        let dir = match dir {
            Some(dir) if dir.join(SWEEP_FILE).is_file() => return self.resume(dir),
            Some(dir) if is_empty(dir) => dir.to_path_buf(),
            Some(dir) if dir.exists() => {
                return Err(SweepError::NotASweep {
                    path: dir.to_path_buf(),
                    problem: "it has files, but no sweep.json; choose a new folder".into(),
                });
            }
            Some(dir) => run_dir::new_folder(dir)?,
            None => run_dir::numbered_folder(Path::new("sweeps"), &self.record.name)?,
        };
        Sweep::create(dir, self.record, self.experiments)
    }

    /// Makes the sweep's folder, or joins the workers that are at work in it.
    pub fn share(self, dir: &Path) -> Result<Sweep, SweepError> {
        let shared = Sweep::share(dir, self.record.clone(), self.experiments.clone())?;
        self.same(dir, shared)
    }

    fn resume(self, dir: &Path) -> Result<Sweep, SweepError> {
        let existing = Sweep::open(dir)?;
        self.same(dir, existing)
    }

    /// The sweep in a folder, if it is this one.
    fn same(&self, dir: &Path, existing: Sweep) -> Result<Sweep, SweepError> {
        match self.difference(&existing) {
            None => Ok(existing),
            Some(difference) => Err(SweepError::OtherSweep {
                path: dir.to_path_buf(),
                difference,
            }),
        }
    }

    /// The first difference between this plan and an existing sweep, if there is one.
    fn difference(&self, existing: &Sweep) -> Option<String> {
        let typed = |record: &SweepRecord| {
            let axes: Vec<String> = record.axes.iter().map(Axis::typed).collect();
            let random = record
                .random
                .map(|random| format!(" --random {} --seed {}", random.count, random.seed));
            axes.join(" ") + &random.unwrap_or_default()
        };
        let (old, new) = (typed(&existing.record), typed(&self.record));
        if old != new {
            return Some(format!("existing: {old}; requested: {new}"));
        }
        let pairs = existing.experiments.iter().zip(&self.experiments);
        pairs
            .flat_map(|(old, new)| difference::between(old, new))
            .map(|first| first.to_string())
            .next()
    }
}

/// Opens the data, the device and the initial weights of every run, each once, so that a sweep does not fail after hours for a
/// reason that existed from the start.
pub fn preflight(
    record: &SweepRecord,
    experiments: &[Experiment],
    monitor: &Monitor,
) -> Result<(), SweepError> {
    let mut checked = Vec::new();
    for experiment in experiments {
        let ranks = experiment.parallel.ranks;
        if ranks > 1 {
            let problem = format!(
                "parallel.ranks: found {ranks}, but the runs of a sweep have one process each; set 1, and let workers divide the runs \
                 (--worker)"
            );
            return Err(TrainError::Mismatch(problem)
                .in_config(&record.config_file)
                .into());
        }
        let needs = (
            experiment.backend,
            experiment.device,
            &experiment.data,
            &experiment.init,
        );
        if !checked.contains(&needs) {
            checked.push(needs);
            training::prepare::prepare(experiment.clone(), monitor)
                .map_err(|error| error.in_config(&record.config_file))?;
        }
    }
    Ok(())
}

/// The experiment of each list of overrides, or everything that is wrong with them.
fn experiments(
    text: &str,
    config_file: &Path,
    overrides: &[Vec<String>],
) -> Result<Vec<Experiment>, SweepError> {
    let mut experiments = Vec::new();
    let mut problems: Vec<String> = Vec::new();
    for overrides in overrides {
        match config::parse(text, config_file, overrides) {
            Ok(mut experiment) => {
                experiment.schema = None;
                experiments.push(experiment);
            }
            Err(error) => problems.extend(error.to_string().lines().map(String::from)),
        }
    }
    if problems.is_empty() {
        return Ok(experiments);
    }
    // Many combinations have the same problem in the same key.
    let mut seen = BTreeSet::new();
    problems.retain(|problem| seen.insert(problem.clone()));
    problems.truncate(MAX_PROBLEMS);
    Err(SweepError::Invalid(problems))
}

fn by_path(axes: &[Axis], combination: &Combination) -> BTreeMap<String, Value> {
    let paths = axes.iter().map(|axis| axis.path.clone());
    paths.zip(combination.iter().cloned()).collect()
}

/// `03_lr-0.002_hidden-64-64`: the number keeps names apart and in order, the values tell which run it is.
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
    let mut values = String::new();
    for letter in parts.join("_").chars() {
        let safe = letter.is_ascii_alphanumeric() || "._-".contains(letter);
        // Brackets, quotes, spaces: one dash for any number of them.
        if safe {
            values.push(letter);
        } else if !values.ends_with('-') {
            values.push('-');
        }
    }
    values.truncate(MAX_NAME);
    let values = values.replace("-_", "_");
    let digits = runs.to_string().len();
    format!("{:0digits$}_{}", index + 1, values.trim_end_matches('-'))
}

fn is_empty(dir: &Path) -> bool {
    std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none())
}
