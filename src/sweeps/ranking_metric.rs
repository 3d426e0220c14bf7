//! The metric by which runs are ranked, and how its values and differences are written.

use crate::metrics::Metrics;
use crate::report::format::{NO_BREAK_SPACE, is_fraction, metric_name, metric_value, percent};

/// The metrics that rank runs, the preferred one first; higher is better.
const PREFERRED: [&str; 2] = ["accuracy", "psnr"];
/// The metric that every run has; lower is better.
const LOSS: &str = "loss";

/// A metric and its direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankingMetric {
    /// Name of the metric.
    pub metric: String,
    /// Whether higher is better.
    pub higher_is_better: bool,
}

impl RankingMetric {
    /// The first of accuracy and PSNR that all of these have; otherwise the loss. Empty metrics are ignored.
    pub fn of<'a>(metrics: impl Iterator<Item = &'a Metrics> + Clone) -> Self {
        let measured = metrics.filter(|metrics| !metrics.is_empty());
        let shared = |name: &&&str| {
            measured.clone().next().is_some()
                && measured.clone().all(|metrics| metrics.contains_key(**name))
        };
        match PREFERRED.iter().find(shared) {
            Some(name) => Self {
                metric: name.to_string(),
                higher_is_better: true,
            },
            None => Self {
                metric: LOSS.into(),
                higher_is_better: false,
            },
        }
    }

    /// The value of a run, if it has a finite one.
    pub fn value(&self, metrics: &Metrics) -> Option<f64> {
        let value = metrics.get(&self.metric).copied();
        value.filter(|value| value.is_finite())
    }

    /// A score that is higher for better runs.
    pub fn score(&self, value: f64) -> f64 {
        if self.higher_is_better { value } else { -value }
    }

    /// The metric's name within a sentence.
    pub fn name(&self) -> String {
        metric_name(&self.metric)
    }

    /// A value within a sentence: `66.3 %`, `23.41 dB`.
    pub fn shown(&self, value: f64) -> String {
        let text = if is_fraction(&self.metric) {
            percent(value, 1)
        } else {
            metric_value(&self.metric, value)
        };
        text.replace(NO_BREAK_SPACE, " ")
    }

    /// A value with all the digits of tables: `66.32 %`, `23.41 dB`.
    pub fn shown_in_full(&self, value: f64) -> String {
        metric_value(&self.metric, value).replace(NO_BREAK_SPACE, " ")
    }

    /// The difference of two values: `8.1 points`, `0.2500`; None if it rounds to zero.
    pub fn distance(&self, a: f64, b: f64) -> Option<String> {
        let apart = (a - b).abs();
        if is_fraction(&self.metric) {
            let points = format!("{:.1}", 100.0 * apart);
            return (points != "0.0").then(|| format!("{points} points"));
        }
        // Values that are written alike count as equal.
        (self.shown(a) != self.shown(b)).then(|| self.shown(apart))
    }
}
