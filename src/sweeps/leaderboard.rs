//! The runs of a sweep, the best first: as a table, as CSV, as JSON and as a page.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::compare::shown;
use super::findings;
use super::ranking_metric::Yardstick;
use super::runs::RunRecord;
use super::search_space::{Axis, Choices};
use super::sweep::{Record, Sweep, TrialStatus};
use crate::metrics::Metrics;
use crate::report::format::{duration, metric_name, metric_value};
use crate::report::overlay::{self, Dots, OverlayData, OverlayRun};
use crate::report::table::{ABSENT, Table};

/// Fewest different numbers on an axis for which a chart shows more than the table.
const FEWEST_DOTS: usize = 5;

/// All runs of a sweep.
#[derive(Debug, Clone)]
pub struct Leaderboard {
    /// The sweep's folder.
    pub dir: PathBuf,
    /// What is varied.
    pub axes: Vec<Axis>,
    /// By which the runs are ranked.
    pub yardstick: Yardstick,
    /// The runs, the best first; those without a place follow in the order in which they are made.
    pub rows: Vec<Row>,
    record: Record,
}

/// One run.
#[derive(Debug, Clone)]
pub struct Row {
    /// Counted from 1; None unless the run is finished and has a finite figure.
    pub place: Option<usize>,
    /// The value of each axis.
    pub values: Vec<Value>,
    /// Folder within the sweep's.
    pub run: String,
    /// How it stands.
    pub status: TrialStatus,
    /// What went wrong, if anything did.
    pub error: Option<String>,
    /// What its folder holds.
    pub record: RunRecord,
}

impl Row {
    fn test(&self) -> Option<&Metrics> {
        self.record.test().filter(|_| self.place.is_some())
    }

    /// Whether its curves say something about its settings.
    fn is_drawn(&self) -> bool {
        matches!(
            self.status,
            TrialStatus::Finished | TrialStatus::Diverged | TrialStatus::Failed
        )
    }
}

impl Leaderboard {
    /// Ranks the runs by what is in their folders.
    pub fn of(sweep: &Sweep) -> Self {
        let axes = sweep.record.axes.clone();
        let trials = sweep.record.trials.iter().enumerate();
        let mut rows: Vec<Row> = trials
            .map(|(index, trial)| Row {
                place: None,
                values: axes
                    .iter()
                    .map(|axis| trial.values.get(&axis.path).cloned().unwrap_or_default())
                    .collect(),
                run: trial.run.clone(),
                status: trial.status,
                error: trial.error.clone(),
                record: RunRecord::read(&sweep.run_path(index)),
            })
            .collect();
        let finished = rows
            .iter()
            .filter(|row| row.status == TrialStatus::Finished);
        let yardstick = Yardstick::of(finished.filter_map(|row| row.record.valid()));
        let value = |row: &Row| match row.status {
            TrialStatus::Finished => yardstick.value(row.record.valid()?),
            _ => None,
        };
        let merit = |row: &Row| value(row).map_or(f64::NEG_INFINITY, |v| yardstick.merit(v));
        // Stable: equals stay in the order in which they were made.
        rows.sort_by(|a, b| merit(b).total_cmp(&merit(a)));
        for (place, row) in (1..).zip(&mut rows) {
            row.place = value(row).map(|_| place);
        }
        Self {
            dir: sweep.dir.clone(),
            axes,
            yardstick,
            rows,
            record: sweep.record.clone(),
        }
    }

    /// The runs that have a place, with their figure, the best first.
    pub fn ranked(&self) -> impl Iterator<Item = (&Row, f64)> {
        let placed = self.rows.iter().filter(|row| row.place.is_some());
        placed.filter_map(|row| Some((row, self.yardstick.value(row.record.valid()?)?)))
    }

    /// What the sweep shows, in sentences.
    pub fn findings(&self) -> Vec<String> {
        findings::of_sweep(self)
    }

    fn valid(&self, row: &Row) -> Option<f64> {
        row.place?;
        self.yardstick.value(row.record.valid()?)
    }

    /// One run a row.
    pub fn table(&self) -> Table {
        let metric = &self.yardstick.metric;
        let has_test = self.rows.iter().any(|row| row.test().is_some());
        let mut header = vec!["".to_string()];
        header.extend(self.axes.iter().map(|axis| axis.path.clone()));
        header.push("Validation".into());
        header.extend(has_test.then(|| "Test".into()));
        header.extend(["Best epoch", "Duration", "Run"].map(String::from));
        let last = header.len() - 1;
        let mut table = Table::new(header).with_words([last]);
        let shown_metric = |value: Option<f64>| {
            value.map_or_else(|| ABSENT.into(), |value| metric_value(metric, value))
        };
        for row in &self.rows {
            let mut cells = vec![row.place.map_or_else(String::new, |p| p.to_string())];
            cells.extend(row.values.iter().map(shown));
            cells.push(match row.place {
                Some(_) => shown_metric(self.valid(row)),
                None => row.status.name().into(),
            });
            if has_test {
                let test = row.test().and_then(|test| self.yardstick.value(test));
                cells.push(shown_metric(test));
            }
            cells.push(match (row.place, row.record.best_epoch()) {
                (Some(_), Some(best)) => format!("{best} of {}", row.record.epochs.len()),
                _ => ABSENT.into(),
            });
            let seconds = row.record.seconds.filter(|_| row.is_drawn());
            let took = seconds.map(took);
            cells.push(took.unwrap_or_else(|| ABSENT.into()));
            cells.push(row.run.clone());
            table.push(cells);
        }
        table
    }

    /// For each axis, the best run and the mean of each of its values. None for a single axis, whose runs are all told already, and for
    /// ranges, whose every value is another.
    pub fn by_value(&self) -> Vec<Table> {
        if self.axes.len() < 2 {
            return Vec::new();
        }
        let best = self.ranked().next().map(|(_, value)| value);
        let axes = self.axes.iter().enumerate();
        axes.filter_map(|(index, axis)| match &axis.choices {
            Choices::Values(values) => Some(self.best_of_each(index, values, best)),
            Choices::Range(_) => None,
        })
        .collect()
    }

    /// For each axis of enough numbers, the ranked runs by them.
    fn dots(&self) -> Vec<Dots> {
        let of = |(index, axis): (usize, &Axis)| {
            let numbered = |(place, (row, value)): (usize, (&Row, f64))| {
                Some((place, row.values.get(index)?.as_f64()?, value))
            };
            let ranked = self.ranked().enumerate();
            let dots: Vec<_> = ranked.map(numbered).collect::<Option<_>>()?;
            let mut numbers: Vec<f64> = dots.iter().map(|dot: &(usize, f64, f64)| dot.1).collect();
            numbers.sort_by(f64::total_cmp);
            numbers.dedup();
            (numbers.len() >= FEWEST_DOTS).then(|| Dots {
                setting: axis.path.clone(),
                dots,
            })
        };
        self.axes.iter().enumerate().filter_map(of).collect()
    }

    fn best_of_each(&self, axis: usize, values: &[Value], best: Option<f64>) -> Table {
        let metric = &self.yardstick.metric;
        let mut table = Table::new([
            self.axes[axis].path.as_str(),
            "Runs",
            "Best",
            "Behind",
            "Mean",
        ]);
        for value in values {
            let of_value: Vec<f64> = self
                .ranked()
                .filter(|(row, _)| row.values.get(axis) == Some(value))
                .map(|(_, figure)| figure)
                .collect();
            let figure = of_value.first().copied();
            let behind = match (best, figure) {
                (Some(best), Some(figure)) => self.yardstick.distance(best, figure),
                _ => None,
            };
            let mean = of_value.iter().sum::<f64>() / of_value.len() as f64;
            let or_absent = |figure: Option<f64>| {
                figure.map_or_else(|| ABSENT.into(), |figure| metric_value(metric, figure))
            };
            table.push([
                shown(value),
                of_value.len().to_string(),
                or_absent(figure),
                behind.unwrap_or_else(|| ABSENT.into()),
                or_absent(figure.map(|_| mean)),
            ]);
        }
        table
    }

    /// Everything for programs; figures as the runs' own files have them.
    pub fn json(&self) -> Value {
        let row = |row: &Row| {
            let pairs = self.axes.iter().map(|axis| axis.path.clone());
            let values: Map<String, Value> = pairs.zip(row.values.iter().cloned()).collect();
            json!({
                "place": row.place,
                "values": values,
                "status": row.status,
                "error": row.error,
                "valid": row.record.valid().filter(|_| row.place.is_some()),
                "test": row.test(),
                "best_epoch": row.record.best_epoch().filter(|_| row.place.is_some()),
                "epochs": row.record.epochs.len(),
                "seconds": row.record.seconds,
                "run": row.record.path.display().to_string(),
            })
        };
        json!({
            "sweep": self.dir.display().to_string(),
            "metric": self.yardstick.metric,
            "findings": self.findings(),
            "runs": self.rows.iter().map(row).collect::<Vec<_>>(),
        })
    }

    /// The leaderboard as CSV (RFC 4180, but for line feeds alone): one run a line, rates as fractions of 1.
    pub fn csv(&self) -> String {
        let metric = &self.yardstick.metric;
        let header = ["place".to_string()]
            .into_iter()
            .chain(self.axes.iter().map(|axis| axis.path.clone()))
            .chain([format!("valid_{metric}"), format!("test_{metric}")])
            .chain(["best_epoch", "epochs", "seconds", "status", "run", "error"].map(String::from));
        let or_empty = |value: Option<String>| value.unwrap_or_default();
        let mut text = csv_line(header);
        for row in &self.rows {
            let valid = self.valid(row).map(|value| value.to_string());
            let test = row.test().and_then(|test| self.yardstick.value(test));
            let best_epoch = row.record.best_epoch().filter(|_| row.place.is_some());
            let cells = [or_empty(row.place.map(|place| place.to_string()))]
                .into_iter()
                .chain(row.values.iter().map(shown))
                .chain([
                    or_empty(valid),
                    or_empty(test.map(|value| value.to_string())),
                    or_empty(best_epoch.map(|epoch| epoch.to_string())),
                    row.record.epochs.len().to_string(),
                    or_empty(row.record.seconds.map(|seconds| format!("{seconds:.3}"))),
                    row.status.name().into(),
                    row.run.clone(),
                    or_empty(row.error.clone()),
                ]);
            text += &csv_line(cells);
        }
        text
    }

    /// `sweep.html`
    pub fn page(&self) -> String {
        let runs: Vec<OverlayRun> = self
            .rows
            .iter()
            .map(|row| OverlayRun {
                label: self.label(row),
                value: match self.valid(row) {
                    Some(value) => Some(metric_value(&self.yardstick.metric, value)),
                    None => Some(row.status.name().into()),
                },
                epochs: match row.is_drawn() {
                    true => &row.record.epochs,
                    false => &[],
                },
            })
            .collect();
        let metric = metric_name(&self.yardstick.metric);
        let mut sections = vec![overlay::Section {
            title: "Leaderboard".into(),
            note: format!(
                "By validation {metric}, measured with the weights that each run kept; the duration is that of its epochs."
            ),
            tables: vec![self.table()],
            dots: Vec::new(),
            keyed: true,
        }];
        let (tables, dots) = (self.by_value(), self.dots());
        if !tables.is_empty() || !dots.is_empty() {
            sections.push(overlay::Section {
                title: "By value".into(),
                note: format!(
                    "Validation {metric} over all values of the other keys: the best run, how far it is behind the \
                     leaderboard's first, and the mean."
                ),
                tables,
                dots,
                keyed: false,
            });
        }
        overlay::render(&OverlayData {
            title: &format!("Sweep of {}", self.record.name),
            findings: &self.findings(),
            metric: &self.yardstick.metric,
            runs: &runs,
            sections: &sections,
            made_by: &self.made_by(),
            config_json: &self.record.config.to_string(),
        })
    }

    /// A run in a legend: the values, each under the last part of its key.
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
}

/// A run's duration; short ones with a decimal.
fn took(seconds: f64) -> String {
    match seconds < 10.0 {
        true => format!("{seconds:.1} s"),
        false => duration(Duration::from_secs_f64(seconds)),
    }
}

/// Cells with commas between them; quoted where a reader would be led astray.
fn csv_line(cells: impl Iterator<Item = String>) -> String {
    let quoted = |cell: String| match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell,
    };
    cells.map(quoted).collect::<Vec<_>>().join(",") + "\n"
}
