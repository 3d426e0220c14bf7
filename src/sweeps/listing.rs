//! Runs in a list: what programs are told about each, and the order of the best.

use std::time::UNIX_EPOCH;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::ranking_metric::RankingMetric;
use super::runs::{RunRecord, State};
use crate::metrics::Metrics;

/// A run in a list, as `kiln runs list --json` and the server write it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RunEntry {
    /// Its folder.
    pub run: String,
    /// The kind of its network.
    pub model: Option<String>,
    /// The kind of its data.
    pub data: Option<String>,
    /// Its seed.
    pub seed: Option<Value>,
    /// Its state: `finished`, `stopped early`, `interrupted`, `failed`, `unfinished`, `imported` or `damaged`.
    pub status: String,
    /// What is wrong with a damaged run.
    pub problem: Option<String>,
    /// Completed epochs.
    pub epochs: usize,
    /// The epoch whose weights were kept.
    pub best_epoch: Option<usize>,
    /// Metrics on the validation split.
    pub valid: Option<Metrics>,
    /// Metrics on the test split.
    pub test: Option<Metrics>,
    /// Wall time of its epochs.
    pub seconds: Option<f64>,
    /// When its newest file was written, in seconds since 1970.
    pub written: Option<u64>,
}

impl RunEntry {
    /// What is known about a run.
    pub fn of(run: &RunRecord) -> Self {
        let problem = match &run.state {
            State::Damaged(problem) => Some(problem.clone()),
            _ => None,
        };
        let written = run
            .written
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Self {
            run: run.path.display().to_string(),
            model: run.setting("/model/kind").map(String::from),
            data: run.setting("/data/kind").map(String::from),
            seed: run.config.get("seed").cloned(),
            status: run.state.name().into(),
            problem,
            epochs: run.epochs.len(),
            best_epoch: run.best_epoch(),
            valid: run.valid().cloned(),
            test: run.test().cloned(),
            seconds: run.seconds,
            written: written.map(|since| since.as_secs()),
        }
    }

    /// The same as JSON, with keys in alphabetical order.
    pub fn json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// The metric that ranks a run, and its validation value.
pub fn ranking_value(run: &RunRecord) -> Option<(RankingMetric, f64)> {
    let valid = run.valid()?;
    let ranking = RankingMetric::of(std::iter::once(valid));
    let value = ranking.value(valid)?;
    Some((ranking, value))
}

/// The best first; runs with the same metric are grouped, those without a value come last. `record` is the run of an item.
pub fn sort_by_valid<T>(items: &mut [T], record: impl Fn(&T) -> &RunRecord) {
    let key = |item: &T| {
        let (ranking, value) = ranking_value(record(item))?;
        Some((ranking.key(), -ranking.score(value)))
    };
    items.sort_by(|a, b| match (key(a), key(b)) {
        (Some(a), Some(b)) => a.0.cmp(b.0).then(a.1.total_cmp(&b.1)),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
}

/// A value of a metric in a table; an accuracy needs no name.
pub fn named_value(ranking: &RankingMetric, value: f64) -> String {
    let value = crate::report::metric_value(ranking.key(), value);
    if value.ends_with('%') {
        value
    } else {
        format!("{} {value}", ranking.name())
    }
}
