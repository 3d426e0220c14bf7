//! Every answer of a model on a split, to be looked through.

use std::sync::Arc;

use super::error::EvaluateError;
use super::evaluate::{columns, each_output};
use crate::data::{DataSource, Split};
use crate::inference::Classifier;
use crate::metrics::classification::{Confusion, log_probabilities};
use crate::metrics::{Answer, Outputs, psnr};
use crate::progress::Monitor;

/// What a model made of one sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Listed {
    /// Its index in the split.
    pub index: usize,
    /// Index of its class among those of the data.
    pub label: usize,
    /// Index of the class that a classifier predicted.
    pub predicted: usize,
    /// The probability of that class, in [0, 1]; of an autoencoder, the peak signal-to-noise ratio in dB.
    pub value: f32,
}

/// Every answer on a split.
#[derive(Debug, Clone)]
pub struct Listing {
    /// In the order of the split.
    pub samples: Vec<Listed>,
    /// True and predicted classes; `None` for an autoencoder.
    pub confusion: Option<Confusion>,
}

impl Listing {
    /// Runs a model over a split, as a stage of `monitor`.
    ///
    /// # Errors
    /// [`EvaluateError`]: the data can't be read or does not suit the model, the device failed, or it was cancelled.
    pub fn of(
        classifier: &Classifier,
        source: Arc<dyn DataSource>,
        split: Split,
        monitor: &Monitor,
    ) -> Result<Self, EvaluateError> {
        match classifier.card().outputs() {
            Outputs::Classes(_) => Self::of_answers(classifier, source, split, monitor),
            Outputs::Images(_) => Self::of_images(classifier, source, split, monitor),
        }
    }

    fn of_answers(
        classifier: &Classifier,
        source: Arc<dyn DataSource>,
        split: Split,
        monitor: &Monitor,
    ) -> Result<Self, EvaluateError> {
        let columns = columns(classifier, source.classes())?;
        let temperature = classifier.card().temperature;
        let mut confusion = Confusion::new(source.classes().to_vec());
        let mut samples = Vec::with_capacity(source.len(split));
        each_output(classifier, source, split, monitor, |sample| {
            let logits: Vec<f32> = columns
                .iter()
                .map(|&column| sample.output[column])
                .collect();
            let likely: Vec<f32> = log_probabilities(&logits, temperature)
                .into_iter()
                .map(|value| value as f32)
                .collect();
            let Some(answer) = Answer::new(&likely, sample.label) else {
                return;
            };
            // Labels and predictions come from the same list of classes, so they are in range.
            let _ = confusion.add(sample.label, answer.predicted);
            samples.push(Listed {
                index: sample.index,
                label: sample.label,
                predicted: answer.predicted,
                value: likely[answer.predicted].exp(),
            });
        })?;
        Ok(Self {
            samples,
            confusion: Some(confusion),
        })
    }

    fn of_images(
        classifier: &Classifier,
        source: Arc<dyn DataSource>,
        split: Split,
        monitor: &Monitor,
    ) -> Result<Self, EvaluateError> {
        let mut samples = Vec::with_capacity(source.len(split));
        each_output(classifier, source, split, monitor, |sample| {
            samples.push(Listed {
                index: sample.index,
                label: sample.label,
                predicted: sample.label,
                value: psnr::psnr(sample.image, sample.output).unwrap_or(0.0) as f32,
            });
        })?;
        Ok(Self {
            samples,
            confusion: None,
        })
    }

    /// The samples of a class that were predicted as another one (or as itself), the most certain first.
    pub fn cell(&self, label: usize, predicted: usize) -> Vec<Listed> {
        let is_in = |sample: &&Listed| sample.label == label && sample.predicted == predicted;
        by_value(self.samples.iter().filter(is_in).copied().collect(), false)
    }

    /// All wrong answers of a classifier, the most certain first; of an autoencoder all samples, the worst first.
    pub fn worst(&self) -> Vec<Listed> {
        if self.confusion.is_none() {
            return by_value(self.samples.clone(), true);
        }
        let is_wrong = |sample: &&Listed| sample.label != sample.predicted;
        by_value(
            self.samples.iter().filter(is_wrong).copied().collect(),
            false,
        )
    }
}

/// Sorted by value, the largest first; equal ones stay in the order of the split.
fn by_value(mut samples: Vec<Listed>, ascending: bool) -> Vec<Listed> {
    samples.sort_by(|a, b| {
        let order = b.value.total_cmp(&a.value);
        if ascending { order.reverse() } else { order }
    });
    samples
}
