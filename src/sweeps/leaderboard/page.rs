//! The leaderboard as a page, `sweep.html`.

use maud::Markup;
use serde_json::Value;

use super::ranking::{Leaderboard, Row};
use crate::config::difference::shown;
use crate::report::format::metric_value;
use crate::report::overlay::{self, Dots, OverlayData, OverlayRun};
use crate::sweeps::findings;
use crate::sweeps::search_space::Axis;

/// Minimum number of distinct values on an axis for which a chart shows more than the table.
const MIN_DOTS: usize = 5;

impl Leaderboard {
    /// `sweep.html`
    pub fn page(&self) -> String {
        self.show(overlay::render)
    }

    /// What is below the heading of the [`page`](Self::page).
    pub fn body(&self) -> Markup {
        self.show(overlay::body)
    }

    fn show<T>(&self, render: impl FnOnce(&OverlayData) -> T) -> T {
        let runs: Vec<OverlayRun> = self
            .rows
            .iter()
            .map(|row| OverlayRun {
                label: self.label(row),
                value: match self.valid(row) {
                    Some(value) => Some(metric_value(self.ranking.key(), value)),
                    None => Some(row.status.name().into()),
                },
                epochs: if row.is_over() {
                    &row.record.epochs
                } else {
                    &[]
                },
            })
            .collect();
        let metric = self.ranking.name();
        let mut sections = vec![overlay::Section {
            title: "Leaderboard".into(),
            note: format!(
                "Ranked by validation {metric} of the weights each run kept. Duration is training time (all epochs)."
            ),
            tables: vec![self.table()],
            dots: Vec::new(),
            keyed: true,
        }];
        let (tables, dots) = (self.by_value(), self.dots());
        if !tables.is_empty() || !dots.is_empty() {
            sections.push(overlay::Section {
                title: "By setting".into(),
                note: format!(
                    "Per value: best and mean validation {metric} over all other settings, and the gap to the overall \
                     best."
                ),
                tables,
                dots,
                keyed: false,
            });
        }
        render(&OverlayData {
            title: &format!("Sweep of {}", self.record.name),
            findings: &findings::of_sweep(self),
            metric: self.ranking.key(),
            runs: &runs,
            sections: &sections,
            made_by: &self.made_by(),
            config_json: &self.record.config.to_string(),
        })
    }

    /// A run in the legend: its values, each after the last part of its key.
    fn label(&self, row: &Row) -> String {
        let part = |(axis, value): (&Axis, &Value)| {
            let key = axis.path.rsplit('.').next().unwrap_or(&axis.path);
            format!("{key} = {}", shown(value))
        };
        let parts = self.axes.iter().zip(&row.values).map(part);
        parts.collect::<Vec<_>>().join(", ")
    }

    fn made_by(&self) -> Vec<(String, String)> {
        vec![
            ("Command".into(), self.record.command()),
            ("kiln".into(), self.record.kiln.clone()),
        ]
    }

    /// For each axis of enough numbers, the ranked runs over its values.
    fn dots(&self) -> Vec<Dots> {
        let of = |(index, axis): (usize, &Axis)| {
            let numbered = |(rank, (row, value)): (usize, (&Row, f64))| {
                Some((rank, row.values.get(index)?.as_f64()?, value))
            };
            let ranked = self.ranked().enumerate();
            let dots: Vec<_> = ranked.map(numbered).collect::<Option<_>>()?;
            let mut numbers: Vec<f64> = dots.iter().map(|dot: &(usize, f64, f64)| dot.1).collect();
            numbers.sort_by(f64::total_cmp);
            numbers.dedup();
            (numbers.len() >= MIN_DOTS).then(|| Dots {
                setting: axis.path.clone(),
                dots,
            })
        };
        self.axes.iter().enumerate().filter_map(of).collect()
    }
}
