//! The confusion matrix of a classifier, and the rates of each class.

use serde::{Deserialize, Serialize};

use crate::error::ErrorExit;

/// Why a confusion matrix can't be filled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfusionError {
    /// A label is not the index of a class.
    #[error("label {label} is out of range: there are {classes} classes, counted from 0")]
    LabelOutOfRange {
        /// The label.
        label: usize,
        /// Number of classes.
        classes: usize,
    },
    /// The counts are not a square with a row and a column for each class.
    #[error("a confusion matrix of {classes} classes needs {classes} rows of {classes} counts")]
    NotSquare {
        /// Number of classes.
        classes: usize,
    },
    /// The sum of the counts is too large.
    #[error("the confusion matrix counts sum to more than the maximum of {MAX_TOTAL}")]
    TooLarge,
}

impl ErrorExit for ConfusionError {}

/// Largest sum of the counts: twice this still fits 64 bits, which F1 needs.
const MAX_TOTAL: u64 = u64::MAX / 2;

/// Counts of (true class, predicted class).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawConfusion")]
pub struct Confusion {
    classes: Vec<String>,
    counts: Vec<Vec<u64>>,
}

/// What a file holds, before the check that it is square.
#[derive(Deserialize)]
struct RawConfusion {
    classes: Vec<String>,
    counts: Vec<Vec<u64>>,
}

impl TryFrom<RawConfusion> for Confusion {
    type Error = ConfusionError;

    fn try_from(raw: RawConfusion) -> Result<Self, Self::Error> {
        Confusion::from_counts(raw.classes, raw.counts)
    }
}

/// One class of a [`Confusion`]; all rates are in [0, 1].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
pub struct ClassReport {
    /// The class's name.
    pub class: String,
    /// Of the samples predicted as this class, the fraction that is of this class; 0 when none was predicted so (0/0).
    pub precision: f64,
    /// Of the samples of this class, the fraction predicted so; 0 when there are none (0/0).
    pub recall: f64,
    /// Harmonic mean of precision and recall; 0 when both are 0.
    pub f1: f64,
    /// Number of samples of this class.
    pub support: u64,
}

/// Samples of one class that were predicted as another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
pub struct ConfusedPair {
    /// Name of the true class.
    pub truth: String,
    /// Name of the class predicted instead.
    pub predicted: String,
    /// How many samples.
    pub count: u64,
    /// `count` as a fraction of the samples of the true class, in (0, 1].
    pub share: f64,
}

impl Confusion {
    /// An empty matrix; a label is an index into `classes`.
    pub fn new(classes: Vec<String>) -> Self {
        let counts = vec![vec![0; classes.len()]; classes.len()];
        Self { classes, counts }
    }

    /// A matrix of known counts, `counts[truth][predicted]`. Fails unless there is a row and a column for each class.
    /// A sum of counts beyond 2^63 is refused, too.
    pub fn from_counts(
        classes: Vec<String>,
        counts: Vec<Vec<u64>>,
    ) -> Result<Self, ConfusionError> {
        let size = classes.len();
        if counts.len() != size || counts.iter().any(|row| row.len() != size) {
            return Err(ConfusionError::NotSquare { classes: size });
        }
        let add = |sum: u64, &count: &u64| sum.checked_add(count);
        let total = counts.iter().flatten().try_fold(0, add);
        if total.is_none_or(|total| total > MAX_TOTAL) {
            return Err(ConfusionError::TooLarge);
        }
        Ok(Self { classes, counts })
    }

    /// Counts one sample. Fails, and counts nothing, when a label is not the index of a class.
    pub fn add(&mut self, truth: usize, predicted: usize) -> Result<(), ConfusionError> {
        let classes = self.classes.len();
        let out_of_range = |label| ConfusionError::LabelOutOfRange { label, classes };
        let row = self
            .counts
            .get_mut(truth)
            .ok_or_else(|| out_of_range(truth))?;
        let count = row
            .get_mut(predicted)
            .ok_or_else(|| out_of_range(predicted))?;
        *count += 1;
        Ok(())
    }

    /// Names of the classes, in the order of their labels.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// `counts()[truth][predicted]`: a row for each true class, a column for each predicted one.
    pub fn counts(&self) -> &[Vec<u64>] {
        &self.counts
    }

    /// Number of samples counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    /// Number of samples whose predicted class is the true one.
    pub fn correct(&self) -> u64 {
        (0..self.classes.len()).map(|i| self.counts[i][i]).sum()
    }

    /// Fraction of the samples whose predicted class is the true one; 0 when nothing was counted.
    pub fn accuracy(&self) -> f64 {
        ratio(self.correct(), self.total())
    }

    /// One report for each class, in the order of the labels.
    pub fn per_class(&self) -> Vec<ClassReport> {
        let predicted = self.predicted_totals();
        self.classes
            .iter()
            .zip(&self.counts)
            .enumerate()
            .map(|(label, (class, row))| {
                let hits = row[label];
                let support = row.iter().sum();
                ClassReport {
                    class: class.clone(),
                    precision: ratio(hits, predicted[label]),
                    recall: ratio(hits, support),
                    // 2PR / (P + R) with the fractions multiplied out.
                    f1: ratio(2 * hits, predicted[label] + support),
                    support,
                }
            })
            .collect()
    }

    /// Mean F1 over the classes, each counted the same. Classes that are neither among the true nor among the predicted
    /// labels are left out; 0 when no class is left. This is scikit-learn's
    /// `f1_score(average="macro", zero_division=0)`.
    pub fn macro_f1(&self) -> f64 {
        let predicted = self.predicted_totals();
        let seen: Vec<f64> = self
            .per_class()
            .iter()
            .zip(predicted)
            .filter(|(report, predicted)| report.support + predicted > 0)
            .map(|(report, _)| report.f1)
            .collect();
        if seen.is_empty() {
            return 0.0;
        }
        seen.iter().sum::<f64>() / seen.len() as f64
    }

    /// The `n` most frequent mistakes, most frequent first; equal counts are in the order of the labels.
    pub fn most_confused(&self, n: usize) -> Vec<ConfusedPair> {
        let mut pairs: Vec<ConfusedPair> = Vec::new();
        for (truth, row) in self.counts.iter().enumerate() {
            let support = row.iter().sum();
            for (predicted, &count) in row.iter().enumerate() {
                if truth != predicted && count > 0 {
                    pairs.push(ConfusedPair {
                        truth: self.classes[truth].clone(),
                        predicted: self.classes[predicted].clone(),
                        count,
                        share: ratio(count, support),
                    });
                }
            }
        }
        // Stable: equal counts stay in the order of the labels.
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.count));
        pairs.truncate(n);
        pairs
    }

    /// For each class, how many samples were predicted as it: the sums of the columns.
    fn predicted_totals(&self) -> Vec<u64> {
        let mut totals = vec![0; self.classes.len()];
        for row in &self.counts {
            for (total, count) in totals.iter_mut().zip(row) {
                *total += count;
            }
        }
        totals
    }
}

/// `part / whole`, with 0/0 = 0.
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}
