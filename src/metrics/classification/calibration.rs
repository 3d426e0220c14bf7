//! Whether confidences match accuracies: the calibration error, and the temperature that reduces it.

use serde::{Deserialize, Serialize};

use super::rank::rank_of;

/// Bins of the calibration error, as in Guo et al. 2017.
pub const ECE_BINS: usize = 15;

/// Temperatures between which the best is searched for; beyond, all classes are about equal or one has all probability.
const TEMPERATURES: (f64, f64) = (0.05, 20.0);
/// The search stops when the logarithm of the temperature is known to this width.
const PRECISION: f64 = 1e-6;
/// Temperatures are rounded to one part in this many: finer steps change no probability that is shown.
const STEPS: f64 = 1e4;

/// What a temperature changes about a set of answers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The temperature that the logits are divided by.
    pub temperature: f64,
    /// Mean negative log-likelihood without it, and with it.
    pub loss: [f64; 2],
    /// Expected calibration error without it, and with it.
    pub ece: [f64; 2],
}

/// The expected calibration error (Naeini et al. 2015; Guo et al. 2017, "On calibration of modern neural networks", equation
/// 3): over bins of equal width of the confidence, the mean distance between confidence and accuracy, weighted by the samples
/// in the bin. `answers` are `(confidence in [0, 1], right)`; a confidence on an edge belongs to the bin below. 0 for none.
pub fn expected_calibration_error(answers: &[(f32, bool)], bins: usize) -> f64 {
    let mut sums = vec![0.0f64; bins.max(1)];
    for &(confidence, right) in answers {
        let place = (f64::from(confidence) * sums.len() as f64).ceil() as usize;
        let bin = place.saturating_sub(1).min(sums.len() - 1);
        sums[bin] += f64::from(confidence) - f64::from(u8::from(right));
    }
    let distance: f64 = sums.iter().map(|sum| sum.abs()).sum();
    distance / answers.len().max(1) as f64
}

/// Logarithms of the probabilities: `z - log(sum(exp(z)))` of `z = logits / temperature`, shifted by the maximum so that
/// nothing overflows.
pub fn log_probabilities(logits: &[f32], temperature: f64) -> Vec<f64> {
    let scaled = |&logit: &f32| f64::from(logit) / temperature;
    let max = logits.iter().map(scaled).fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|logit| (scaled(logit) - max).exp()).sum();
    let norm = max + sum.ln();
    logits.iter().map(|logit| scaled(logit) - norm).collect()
}

/// The temperature at which the labels are most likely (Guo et al. 2017, section 4.2), with what it changes. `rows` are logits,
/// a row for each label; rows without a logit for their label are skipped. With no rows, the temperature is 1.
///
/// By golden-section search: the mean negative log-likelihood is convex in `1 / T`, so that it has one minimum in `log T`.
/// Accuracy stays the same: dividing keeps the order of the logits.
pub fn fit_temperature(rows: &[Vec<f32>], labels: &[usize]) -> Calibration {
    let answers: Vec<(&[f32], usize)> = rows
        .iter()
        .map(Vec::as_slice)
        .zip(labels.iter().copied())
        .filter(|(row, label)| label < &row.len())
        .collect();
    let (low, high) = (TEMPERATURES.0.ln(), TEMPERATURES.1.ln());
    let found = minimum(|log| loss(&answers, log.exp()), low, high).exp();
    let found = (found * STEPS).round() / STEPS;
    let is_better = loss(&answers, found) < loss(&answers, 1.0);
    let temperature = if is_better { found } else { 1.0 };
    Calibration {
        temperature,
        loss: [1.0, temperature].map(|temperature| loss(&answers, temperature)),
        ece: [1.0, temperature].map(|temperature| error(&answers, temperature)),
    }
}

/// Mean negative log-likelihood.
fn loss(answers: &[(&[f32], usize)], temperature: f64) -> f64 {
    let one = |&(row, label): &(&[f32], usize)| -log_probabilities(row, temperature)[label];
    answers.iter().map(one).sum::<f64>() / answers.len().max(1) as f64
}

/// Expected calibration error.
fn error(answers: &[(&[f32], usize)], temperature: f64) -> f64 {
    let answer = |&(row, label): &(&[f32], usize)| {
        let best = log_probabilities(row, temperature)
            .into_iter()
            .fold(f64::NEG_INFINITY, f64::max);
        (best.exp() as f32, rank_of(row, label) == Some(0))
    };
    let answers: Vec<(f32, bool)> = answers.iter().map(answer).collect();
    expected_calibration_error(&answers, ECE_BINS)
}

/// Where a function with one minimum between `low` and `high` has it, by golden-section search (Kiefer 1953).
fn minimum(f: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    let golden = (5f64.sqrt() - 1.0) / 2.0;
    let (mut left, mut right) = (high - golden * (high - low), low + golden * (high - low));
    let (mut at_left, mut at_right) = (f(left), f(right));
    while high - low > PRECISION {
        if at_left <= at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - golden * (high - low);
            at_left = f(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + golden * (high - low);
            at_right = f(right);
        }
    }
    (low + high) / 2.0
}
