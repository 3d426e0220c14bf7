//! What a sweep is going to do: every combination as a checked experiment, before anything is written.
//!
//! Comes in: a config's file, axes, draws. Goes out: a [`Plan`], which makes the sweep's folder or goes on with it. A
//! folder is gone on with only by the sweep that made it: same axes, same draws, same settings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::SweepError;
use super::compare::{differences, shown};
use super::search_space::{self, Axis, Combination, Draw};
use super::sweep::{Record, SWEEP_FILE, Sweep, Trial, TrialStatus, overrides};
use crate::config::{self, Experiment};
use crate::files::without_mark;
use crate::run_dir;

/// Longest part of a run's folder name that tells its values: names stay readable, and far below what file systems allow.
const LONGEST_NAME: usize = 60;
/// As many complaints about combinations are shown; more would bury the first.
const MOST_COMPLAINTS: usize = 8;

/// A sweep of which every combination is a valid experiment. Nothing is written yet.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What will be written.
    pub record: Record,
    /// What each run is made with.
    pub experiments: Vec<Experiment>,
}

impl Plan {
    /// Makes all combinations and holds each of them against the config's rules.
    pub fn new(
        config_file: &Path,
        set: &[String],
        axes: Vec<Axis>,
        random: Option<Draw>,
    ) -> Result<Self, SweepError> {
        search_space::check(&axes, set)?;
        let combinations = match random {
            Some(draw) => search_space::draw(&axes, draw)?,
            None => search_space::all(&axes)?,
        };
        let text = config::read(config_file)?;
        let overrides: Vec<Vec<String>> = combinations
            .iter()
            .map(|combination| overrides(set, &by_path(&axes, combination)))
            .collect();
        let experiments = checked(&text, config_file, &overrides)?;
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
        let record = Record {
            kiln: env!("CARGO_PKG_VERSION").into(),
            name: experiments
                .first()
                .map_or_else(String::new, |e| e.name.clone()),
            config_file: config_file.to_path_buf(),
            // The text has been read as JSON before.
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

    /// Makes the sweep's folder, or goes on with the one that this sweep has made before.
    pub fn start(self, dir: Option<&Path>) -> Result<Sweep, SweepError> {
        let dir = match dir {
            Some(dir) if dir.join(SWEEP_FILE).is_file() => return self.go_on(dir),
            Some(dir) if is_empty(dir) => dir.to_path_buf(),
            Some(dir) if dir.exists() => {
                return Err(SweepError::NotASweep {
                    path: dir.to_path_buf(),
                    problem: "it has files, but no sweep.json; name a new folder".into(),
                });
            }
            Some(dir) => run_dir::new_folder(dir)?,
            None => run_dir::numbered_folder(Path::new("sweeps"), &self.record.name)?,
        };
        Sweep::begin(dir, self.record, self.experiments)
    }

    fn go_on(self, dir: &Path) -> Result<Sweep, SweepError> {
        let there = Sweep::open(dir)?;
        match self.difference(&there) {
            None => Ok(there),
            Some(difference) => Err(SweepError::OtherSweep {
                path: dir.to_path_buf(),
                difference,
            }),
        }
    }

    /// In what a sweep differs from this plan, if it does.
    fn difference(&self, there: &Sweep) -> Option<String> {
        let typed = |record: &Record| {
            let axes: Vec<String> = record.axes.iter().map(Axis::typed).collect();
            let draw = record
                .random
                .map(|draw| format!(" --random {} --seed {}", draw.count, draw.seed));
            axes.join(" ") + &draw.unwrap_or_default()
        };
        let (old, new) = (typed(&there.record), typed(&self.record));
        if old != new {
            return Some(format!("{old} there, {new} asked for"));
        }
        let as_json =
            |experiment: &Experiment| serde_json::to_value(experiment).unwrap_or_default();
        let pairs = there.experiments.iter().zip(&self.experiments);
        pairs
            .filter(|(old, new)| old != new)
            .find_map(|(old, new)| {
                let differing = differences(&[&as_json(old), &as_json(new)]);
                let first = differing.first()?;
                let (old, new) = (first.shown(0), first.shown(1));
                Some(format!("{} is {old} there, {new} asked for", first.path))
            })
    }
}

/// The experiment of each list of overrides, or everything that is wrong with them.
fn checked(
    text: &str,
    config_file: &Path,
    overrides: &[Vec<String>],
) -> Result<Vec<Experiment>, SweepError> {
    let mut experiments = Vec::new();
    let mut complaints: Vec<String> = Vec::new();
    for overrides in overrides {
        match config::parse(text, config_file, overrides) {
            Ok(mut experiment) => {
                experiment.schema = None;
                experiments.push(experiment);
            }
            Err(error) => complaints.extend(error.to_string().lines().map(String::from)),
        }
    }
    if complaints.is_empty() {
        return Ok(experiments);
    }
    // The same key gives the same complaint in many combinations.
    let mut seen = BTreeSet::new();
    complaints.retain(|complaint| seen.insert(complaint.clone()));
    complaints.truncate(MOST_COMPLAINTS);
    Err(SweepError::Refused(complaints))
}

fn by_path(axes: &[Axis], combination: &Combination) -> BTreeMap<String, Value> {
    let paths = axes.iter().map(|axis| axis.path.clone());
    paths.zip(combination.iter().cloned()).collect()
}

/// `03_lr-0.002_hidden-64-64`: the number keeps names apart and in order, the values say which run it is.
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
    let mut told = String::new();
    for letter in parts.join("_").chars() {
        let safe = letter.is_ascii_alphanumeric() || "._-".contains(letter);
        // Brackets, quotes, spaces: one dash for any number of them.
        match safe {
            true => told.push(letter),
            false if told.ends_with('-') => {}
            false => told.push('-'),
        }
    }
    told.truncate(LONGEST_NAME);
    let told = told.replace("-_", "_");
    let digits = runs.to_string().len();
    format!("{:0digits$}_{}", index + 1, told.trim_end_matches('-'))
}

fn is_empty(dir: &Path) -> bool {
    std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none())
}
