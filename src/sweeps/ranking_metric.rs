//! The metric by which runs are ranked, and how its values and differences are written.

use crate::metrics::{self, Direction, Metric, Metrics, Unit};
use crate::report::format::{NO_BREAK_SPACE, metric_value, percent};

/// The metric of the catalogue that ranks a number of runs.
#[derive(Debug, Clone, Copy)]
pub struct RankingMetric(&'static Metric);

impl RankingMetric {
    /// The first of [`metrics::RANKING`] that all of these have; otherwise the loss. Empty metrics are ignored.
    pub fn of<'a>(metrics: impl Iterator<Item = &'a Metrics> + Clone) -> Self {
        let measured = metrics.filter(|metrics| !metrics.is_empty());
        let is_shared = |metric: &&Metric| {
            measured.clone().next().is_some()
                && measured
                    .clone()
                    .all(|metrics| metrics.contains_key(metric.name))
        };
        let shared = metrics::RANKING.into_iter().find(is_shared);
        Self(shared.unwrap_or(metrics::LOSS))
    }

    /// The metric's name in files.
    pub fn key(&self) -> &'static str {
        self.0.name
    }

    /// The metric's name within a sentence.
    pub fn name(&self) -> String {
        self.0.name_in_text()
    }

    /// Whether higher values are better.
    pub fn higher_is_better(&self) -> bool {
        self.0.direction == Direction::HigherIsBetter
    }

    /// The value of a run, if it has a finite one.
    pub fn value(&self, metrics: &Metrics) -> Option<f64> {
        let value = metrics.get(self.key()).copied();
        value.filter(|value| value.is_finite())
    }

    /// A score that is higher for better runs.
    pub fn score(&self, value: f64) -> f64 {
        self.0.merit(value)
    }

    /// A value within a sentence: `66.3 %`, `23.41 dB`.
    pub fn shown(&self, value: f64) -> String {
        let text = if self.0.unit == Unit::Fraction {
            percent(value, 1)
        } else {
            metric_value(self.key(), value)
        };
        text.replace(NO_BREAK_SPACE, " ")
    }

    /// A value with all the digits of tables: `66.32 %`, `23.41 dB`.
    pub fn shown_in_full(&self, value: f64) -> String {
        metric_value(self.key(), value).replace(NO_BREAK_SPACE, " ")
    }

    /// The difference of two values: `8.1 points`, `0.2500`; None if it rounds to zero.
    pub fn distance(&self, a: f64, b: f64) -> Option<String> {
        let apart = (a - b).abs();
        if self.0.unit == Unit::Fraction {
            let points = format!("{:.1}", 100.0 * apart);
            return (points != "0.0").then(|| format!("{points} points"));
        }
        // Values that are written alike count as equal.
        (self.shown(a) != self.shown(b)).then(|| self.shown(apart))
    }
}
