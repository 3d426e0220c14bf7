//! The leaderboard as tables, CSV and JSON.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::ranking::{Leaderboard, Row};
use crate::config::difference::shown;
use crate::report::format::{duration, metric_value};
use crate::report::table::{ABSENT, Table};
use crate::sweeps::findings;
use crate::sweeps::search_space::Choices;

impl Leaderboard {
    /// One row per run.
    pub fn table(&self) -> Table {
        let metric = self.ranking.key();
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
            let mut cells = vec![row.rank.map_or_else(String::new, |rank| rank.to_string())];
            cells.extend(row.values.iter().map(shown));
            cells.push(match row.rank {
                Some(_) => shown_metric(self.valid(row)),
                None => row.status.name().into(),
            });
            if has_test {
                let test = row.test().and_then(|test| self.ranking.value(test));
                cells.push(shown_metric(test));
            }
            cells.push(match (row.rank, row.record.best_epoch()) {
                (Some(_), Some(best)) => format!("{best} of {}", row.record.epochs.len()),
                _ => ABSENT.into(),
            });
            let seconds = row.record.seconds.filter(|_| row.is_over());
            let took = seconds.map(|seconds| duration(Duration::from_secs_f64(seconds)));
            cells.push(took.unwrap_or_else(|| ABSENT.into()));
            cells.push(row.run.clone());
            table.push(cells);
        }
        table
    }

    /// For each axis, the best run and the mean of each of its values. Empty for a single axis, whose runs are all in the leaderboard,
    /// and without ranges, where no two values agree.
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

    fn best_of_each(&self, axis: usize, values: &[Value], best: Option<f64>) -> Table {
        let metric = self.ranking.key();
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
                (Some(best), Some(figure)) => self.ranking.distance(best, figure),
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

    /// Everything for other programs; values as they are in the runs' own files.
    pub fn json(&self) -> Value {
        let row = |row: &Row| {
            let pairs = self.axes.iter().map(|axis| axis.path.clone());
            let values: Map<String, Value> = pairs.zip(row.values.iter().cloned()).collect();
            json!({
                "place": row.rank,
                "values": values,
                "status": row.status,
                "error": row.error,
                "valid": row.record.valid().filter(|_| row.rank.is_some()),
                "test": row.test(),
                "best_epoch": row.record.best_epoch().filter(|_| row.rank.is_some()),
                "epochs": row.record.epochs.len(),
                "seconds": row.record.seconds,
                "run": row.record.path.display().to_string(),
            })
        };
        json!({
            "sweep": self.dir.display().to_string(),
            "metric": self.ranking.key(),
            "findings": findings::of_sweep(self),
            "runs": self.rows.iter().map(row).collect::<Vec<_>>(),
        })
    }

    /// The leaderboard as CSV (RFC 4180, but with bare line feeds): one line per run, rates as fractions of 1.
    pub fn csv(&self) -> std::io::Result<String> {
        let metric = self.ranking.key();
        let header = ["place".to_string()]
            .into_iter()
            .chain(self.axes.iter().map(|axis| axis.path.clone()))
            .chain([format!("valid_{metric}"), format!("test_{metric}")])
            .chain(["best_epoch", "epochs", "seconds", "status", "run", "error"].map(String::from));
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(header)?;
        for row in &self.rows {
            writer.write_record(self.csv_cells(row))?;
        }
        let bytes = writer.into_inner().map_err(|error| error.into_error())?;
        String::from_utf8(bytes).map_err(std::io::Error::other)
    }

    fn csv_cells(&self, row: &Row) -> Vec<String> {
        fn or_empty(value: Option<impl ToString>) -> String {
            value.map_or_else(String::new, |value| value.to_string())
        }
        let test = row.test().and_then(|test| self.ranking.value(test));
        let best_epoch = row.record.best_epoch().filter(|_| row.rank.is_some());
        let seconds = row.record.seconds.map(|seconds| format!("{seconds:.3}"));
        let mut cells = vec![or_empty(row.rank)];
        cells.extend(row.values.iter().map(shown));
        cells.extend([
            or_empty(self.valid(row)),
            or_empty(test),
            or_empty(best_epoch),
            row.record.epochs.len().to_string(),
            or_empty(seconds),
            row.status.name().into(),
            row.run.clone(),
            or_empty(row.error.clone()),
        ]);
        cells
    }
}
