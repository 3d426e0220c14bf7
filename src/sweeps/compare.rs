//! Runs side by side: their metrics, and the settings in which they differ, as tables, JSON and a page.

use std::collections::BTreeSet;

use maud::Markup;
use serde_json::{Map, Value, json};

use super::findings;
use super::ranking_metric::RankingMetric;
use super::runs::RunRecord;
use crate::config::difference::{self, Difference, shown};
use crate::metrics::Metrics;
use crate::report::format::{metric_name, metric_value};
use crate::report::overlay::{self, OverlayData, OverlayRun};
use crate::report::table::{ABSENT, Table};

/// Several runs, in the order in which they were named.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The runs.
    pub runs: Vec<RunRecord>,
    /// The settings in which they differ.
    pub differing: Vec<Difference>,
    /// The metric that decides which run is best.
    pub ranking: RankingMetric,
}

impl Comparison {
    /// Compares runs.
    pub fn of(runs: Vec<RunRecord>) -> Self {
        let configs: Vec<&Value> = runs.iter().map(|run| &run.config).collect();
        let differing = difference::among(&configs);
        let ranking = RankingMetric::of(runs.iter().filter_map(RunRecord::valid));
        Self {
            runs,
            differing,
            ranking,
        }
    }

    /// A name for each run: its folder's, or the whole path where folders share a name.
    pub fn labels(&self) -> Vec<String> {
        let names: Vec<String> = self.runs.iter().map(RunRecord::name).collect();
        let is_shared = |name: &String| names.iter().filter(|other| *other == name).count() > 1;
        let label = |(run, name): (&RunRecord, &String)| {
            if is_shared(name) {
                run.path.display().to_string()
            } else {
                name.clone()
            }
        };
        self.runs.iter().zip(&names).map(label).collect()
    }

    /// The runs' metrics, one column per run under `heads`.
    pub fn metrics_table(&self, heads: &[String]) -> Table {
        let mut table = Table::new(std::iter::once("").chain(heads.iter().map(String::as_str)));
        let mut row = |name: String, cell: &dyn Fn(&RunRecord) -> Option<String>| {
            let cells = self
                .runs
                .iter()
                .map(|run| cell(run).unwrap_or(ABSENT.into()));
            table.push(std::iter::once(name).chain(cells));
        };
        row("status".into(), &|run| Some(run.state.name().into()));
        row("parameters".into(), &|run| {
            Some(run.summary.as_ref()?.parameters.to_string())
        });
        row("epochs".into(), &|run| Some(run.epochs.len().to_string()));
        row("best epoch".into(), &|run| {
            Some(run.best_epoch()?.to_string())
        });
        row("seconds".into(), &|run| {
            Some(format!("{:.1}", run.seconds?))
        });
        type Part = fn(&RunRecord) -> Option<&Metrics>;
        let parts: [(&str, Part); 2] =
            [("validation", RunRecord::valid), ("test", RunRecord::test)];
        for (name, part) in parts {
            let metrics: BTreeSet<&String> = self
                .runs
                .iter()
                .filter_map(part)
                .flat_map(Metrics::keys)
                .collect();
            for metric in metrics {
                let title = metric_name(metric);
                row(format!("{name} {title}"), &|run| {
                    Some(metric_value(metric, *part(run)?.get(metric)?))
                });
            }
        }
        table
    }

    /// The settings that differ, one column for each run under `heads`; None if there are none.
    pub fn settings_table(&self, heads: &[String]) -> Option<Table> {
        let mut table = Table::new(std::iter::once("").chain(heads.iter().map(String::as_str)));
        for difference in &self.differing {
            let cells = (0..self.runs.len()).map(|index| cell(difference, index));
            table.push(std::iter::once(difference.path.clone()).chain(cells));
        }
        (!self.differing.is_empty()).then_some(table)
    }

    /// Both tables for a terminal; runs are numbered, because their names may be long.
    pub fn text(&self) -> String {
        let heads: Vec<String> = (1..=self.runs.len()).map(|n| format!("[{n}]")).collect();
        let mut text = String::new();
        for (head, run) in heads.iter().zip(&self.runs) {
            text += &format!("{head}  {}\n", run.path.display());
        }
        text += &format!("\n{}\n", self.metrics_table(&heads).text());
        text += &match self.settings_table(&heads) {
            Some(table) => format!("settings that differ\n{}", table.text()),
            None => "no settings differ\n".into(),
        };
        text
    }

    /// Everything for programs.
    pub fn json(&self) -> Value {
        let run = |run: &RunRecord| {
            json!({
                "run": run.path.display().to_string(),
                "status": run.state.name(),
                "epochs": run.epochs.len(),
                "best_epoch": run.best_epoch(),
                "seconds": run.seconds,
                "valid": run.valid(),
                "test": run.test(),
            })
        };
        let differing: Map<String, Value> = self
            .differing
            .iter()
            .map(|difference| (difference.path.clone(), json!(difference.values)))
            .collect();
        json!({
            "metric": self.ranking.key(),
            "runs": self.runs.iter().map(run).collect::<Vec<_>>(),
            "differing": differing,
        })
    }

    /// A page with all curves in one chart, the best run first in colour and legend.
    pub fn page(&self) -> String {
        self.show(overlay::render)
    }

    /// What is below the heading of the [`page`](Self::page).
    pub fn body(&self) -> Markup {
        self.show(overlay::body)
    }

    fn show<T>(&self, render: impl FnOnce(&OverlayData) -> T) -> T {
        let labels = self.labels();
        let mut order: Vec<(usize, Option<f64>)> = self
            .runs
            .iter()
            .map(|run| run.valid().and_then(|valid| self.ranking.value(valid)))
            .enumerate()
            .collect();
        let score =
            |value: Option<f64>| value.map_or(f64::NEG_INFINITY, |value| self.ranking.score(value));
        order.sort_by(|a, b| score(b.1).total_cmp(&score(a.1)));
        let ranked: Vec<(&str, f64)> = order
            .iter()
            .filter_map(|(index, value)| Some((labels[*index].as_str(), (*value)?)))
            .collect();
        let runs: Vec<OverlayRun> = order
            .iter()
            .map(|&(index, value)| OverlayRun {
                label: labels[index].clone(),
                value: value.map(|value| metric_value(self.ranking.key(), value)),
                epochs: &self.runs[index].epochs,
            })
            .collect();
        let mut sections = vec![overlay::Section {
            title: "Metrics".into(),
            note: "Validation and test metrics are those of the weights that each run kept.".into(),
            tables: vec![self.metrics_table(&labels)],
            dots: Vec::new(),
            keyed: false,
        }];
        if let Some(table) = self.settings_table(&labels) {
            sections.push(overlay::Section {
                title: "Settings that differ".into(),
                note: String::new(),
                tables: vec![table],
                dots: Vec::new(),
                keyed: false,
            });
        }
        render(&OverlayData {
            title: &format!("{} runs compared", self.runs.len()),
            findings: &[findings::of_runs(&self.ranking, &ranked)],
            metric: self.ranking.key(),
            runs: &runs,
            sections: &sections,
            made_by: &[],
            config_json: "",
        })
    }
}

/// A run's value in a table.
fn cell(difference: &Difference, run: usize) -> String {
    match difference.values.get(run) {
        Some(Some(value)) => shown(value),
        _ => ABSENT.into(),
    }
}
