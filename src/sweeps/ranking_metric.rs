//! By which metric runs are ranked, and how differences in it are said.

use crate::metrics::Metrics;
use crate::report::format::{is_fraction, metric_name, metric_value, percent};

/// The metrics that tell how good a run is, the most telling first; more is better.
const TELLING: [&str; 2] = ["accuracy", "psnr"];
/// What every run has; less is better.
const LOSS: &str = "loss";

/// A metric, and which end of it is the good one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Yardstick {
    /// Name of the metric.
    pub metric: String,
    /// Whether more is better.
    pub more_is_better: bool,
}

impl Yardstick {
    /// The first of accuracy and PSNR that all of these have; otherwise the loss. Metrics that are empty have no say.
    pub fn of<'a>(metrics: impl Iterator<Item = &'a Metrics> + Clone) -> Self {
        let measured = metrics.filter(|metrics| !metrics.is_empty());
        let shared = |name: &&&str| {
            measured.clone().next().is_some()
                && measured.clone().all(|metrics| metrics.contains_key(**name))
        };
        match TELLING.iter().find(shared) {
            Some(name) => Self {
                metric: name.to_string(),
                more_is_better: true,
            },
            None => Self {
                metric: LOSS.into(),
                more_is_better: false,
            },
        }
    }

    /// The value of a run, if it has a finite one.
    pub fn value(&self, metrics: &Metrics) -> Option<f64> {
        let value = metrics.get(&self.metric).copied();
        value.filter(|value| value.is_finite())
    }

    /// Larger for better runs.
    pub fn merit(&self, value: f64) -> f64 {
        if self.more_is_better { value } else { -value }
    }

    /// The metric's name within a sentence.
    pub fn name(&self) -> String {
        metric_name(&self.metric)
    }

    /// A value within a sentence: `66.3 %`, `23.41 dB`.
    pub fn shown(&self, value: f64) -> String {
        match is_fraction(&self.metric) {
            true => plain(&percent(value, 1)),
            false => plain(&metric_value(&self.metric, value)),
        }
    }

    /// How far two values are apart: `8.1 points`, `0.2500`; None if that reads as nothing.
    pub fn distance(&self, a: f64, b: f64) -> Option<String> {
        let apart = (a - b).abs();
        if is_fraction(&self.metric) {
            let points = format!("{:.1}", 100.0 * apart);
            return (points != "0.0").then(|| format!("{points} points"));
        }
        // Two values that are written alike are as good as each other.
        (self.shown(a) != self.shown(b)).then(|| self.shown(apart))
    }
}

/// A text with spaces that break, for terminals and files.
pub fn plain(text: &str) -> String {
    text.replace('\u{a0}', " ")
}
