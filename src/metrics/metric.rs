//! What a metric is: its names, its unit, its direction, and how it is computed.

use burn::prelude::*;
use burn::tensor::TensorReadError;

use super::classification::{Confusion, log_probabilities};
use crate::read_back;
use crate::shape::ImageShape;

/// The kind of network output, which decides what can be measured about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outputs {
    /// A logit for each of `n` classes.
    Classes(usize),
    /// An image of this shape, with values in [0, 1].
    Images(ImageShape),
}

/// What a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number without a unit.
    Plain,
    /// A fraction of 1, shown as a percentage.
    Fraction,
    /// Decibels.
    Decibels,
}

impl Unit {
    /// The sign after a value for a reader; `None` for plain numbers.
    pub fn sign(self) -> Option<&'static str> {
        match self {
            Unit::Plain => None,
            Unit::Fraction => Some("%"),
            Unit::Decibels => Some("dB"),
        }
    }
}

/// Which values are the good ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Larger values are better.
    HigherIsBetter,
    /// Smaller values are better.
    LowerIsBetter,
}

/// Whether a metric is followed epoch by epoch, in `metrics.jsonl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InEpochs {
    /// Over the training and over the validation samples.
    Both,
    /// Over the validation samples.
    Validation,
    /// Only when a whole split is evaluated.
    Never,
}

/// A classifier's answer to one sample.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// Logarithm of the probability of each class; negative infinity for classes that don't compete.
    pub log_probabilities: &'a [f32],
    /// Index of the most probable class.
    pub predicted: usize,
    /// Index of the true class.
    pub label: usize,
}

impl<'a> Answer<'a> {
    /// The answer in a row of log-probabilities. `None` if the label is not the index of one of them.
    pub fn new(log_probabilities: &'a [f32], label: usize) -> Option<Self> {
        log_probabilities.get(label)?;
        let classes = log_probabilities.iter().enumerate();
        let (predicted, _) = classes.max_by(|a, b| a.1.total_cmp(b.1))?;
        Some(Self {
            log_probabilities,
            predicted,
            label,
        })
    }
}

/// An image, and what an autoencoder made of it.
#[derive(Debug, Clone, Copy)]
pub struct ImagePair<'a> {
    /// `[channels, height, width]`, in [0, 1].
    pub original: &'a [f32],
    /// The same of the network's output.
    pub output: &'a [f32],
    /// Shape of both.
    pub shape: ImageShape,
}

/// A classifier's answers to all samples of a split.
#[derive(Debug, Clone, Copy)]
pub struct AnswersOfSplit<'a> {
    /// True and predicted classes.
    pub confusion: &'a Confusion,
    /// The probability of each predicted class, in [0, 1], and whether it is the true one.
    pub confidences: &'a [(f32, bool)],
    /// The same without the classifier's temperature; empty if it was never calibrated.
    pub uncalibrated: &'a [(f32, bool)],
}

/// How the value for a whole split comes about.
#[derive(Debug, Clone, Copy)]
pub enum Measure {
    /// The mean over the answers of a classifier.
    Answer(fn(&Answer) -> f64),
    /// The mean over the images of an autoencoder.
    Image(fn(&ImagePair) -> f64),
    /// From all answers of a classifier together; `None` where they don't have it.
    Split(fn(&AnswersOfSplit) -> Option<f64>),
}

/// What a step of training or validation leaves for the metrics.
#[derive(Debug, Clone)]
pub struct BatchOutput {
    /// Mean loss per sample, `[1]`, whatever the reduction of the objective.
    pub loss: Tensor<1>,
    /// Logits `[batch, classes]`, or images `[batch, values]` in [0, 1].
    pub output: Tensor<2>,
    /// Class indices, `[batch]`.
    pub targets: Tensor<1, Int>,
    /// For autoencoders: the images as they should come out, `[batch, values]` in [0, 1].
    pub originals: Option<Tensor<2>>,
}

/// The mean of a metric over a batch, while it is still on the device.
#[derive(Debug, Clone)]
pub struct OnDevice {
    /// A number `[1]` ...
    pub value: Tensor<1>,
    /// ... to be divided by this.
    pub divisor: f64,
}

impl OnDevice {
    /// Reads the mean.
    ///
    /// # Errors
    /// The device fails.
    pub fn read(self) -> Result<f64, TensorReadError> {
        Ok(read_back::scalar(self.value)? / self.divisor)
    }

    /// Reads several means at once.
    ///
    /// # Errors
    /// The device fails.
    pub fn read_all(means: &[OnDevice]) -> Result<Vec<f64>, TensorReadError> {
        if means.is_empty() {
            return Ok(Vec::new());
        }
        let values = means.iter().map(|mean| mean.value.clone()).collect();
        let values = read_back::data(Tensor::cat(values, 0))?;
        let means = values.iter::<f64>().zip(means);
        Ok(means.map(|(value, mean)| value / mean.divisor).collect())
    }
}

impl BatchOutput {
    /// The output for all samples of some batches, with the loss of the first; `None` without a batch.
    pub fn joined(mut batches: Vec<Self>) -> Option<Self> {
        if batches.len() < 2 {
            return batches.pop();
        }
        let loss = batches[0].loss.clone();
        let originals = batches.iter().map(|batch| batch.originals.clone());
        let originals: Option<Vec<_>> = originals.collect();
        let (outputs, targets) = batches
            .into_iter()
            .map(|batch| (batch.output, batch.targets))
            .unzip();
        Some(Self {
            loss,
            output: Tensor::cat(outputs, 0),
            targets: Tensor::cat(targets, 0),
            originals: originals.map(|originals| Tensor::cat(originals, 0)),
        })
    }
}

/// Something that is measured about a network's outputs.
#[derive(Debug)]
pub struct Metric {
    /// Its name in `metrics.jsonl`, `summary.json` and on the command line.
    pub name: &'static str,
    /// Its name for people, as a heading: `Top-5 accuracy`.
    pub title: &'static str,
    /// What its values count.
    pub unit: Unit,
    /// Which values are the good ones.
    pub direction: Direction,
    /// Whether it is among the few numbers at the top of a report.
    pub headline: bool,
    /// Whether it says something about a network with such outputs.
    pub applies: fn(Outputs) -> bool,
    /// Whether `metrics.jsonl` has it.
    pub in_epochs: InEpochs,
    /// How it is computed.
    pub measure: Measure,
    /// Computes the mean over a batch on the device. Without it, the batch is read back and `measure` computes it.
    pub on_device: Option<fn(&BatchOutput) -> OnDevice>,
}

impl Metric {
    /// The title within a sentence: `top-5 accuracy`, `PSNR`.
    pub fn name_in_text(&self) -> String {
        let mut letters = self.title.chars();
        match (letters.next(), letters.next()) {
            (Some(first), Some(second)) if !second.is_uppercase() => {
                first.to_lowercase().collect::<String>() + &self.title[first.len_utf8()..]
            }
            _ => self.title.into(),
        }
    }

    /// A number that is larger for better values.
    pub fn merit(&self, value: f64) -> f64 {
        match self.direction {
            Direction::HigherIsBetter => value,
            Direction::LowerIsBetter => -value,
        }
    }

    /// The mean over the samples of a batch. 0 for a metric of whole splits, and for an empty batch.
    pub fn mean_of_batch(
        &self,
        batch: &BatchOutput,
        outputs: Outputs,
    ) -> Result<f64, TensorReadError> {
        if let Some(on_device) = self.on_device {
            return on_device(batch).read();
        }
        let rows: Vec<f32> = read_back::data(batch.output.clone())?.iter().collect();
        let [samples, width] = batch.output.dims();
        let rows = rows.chunks_exact(width.max(1));
        let sum: f64 = match (self.measure, outputs) {
            (Measure::Answer(of), Outputs::Classes(_)) => {
                let labels = read_back::data(batch.targets.clone())?;
                rows.zip(labels.iter::<i64>())
                    .map(|(logits, label)| of_logits(of, logits, label))
                    .sum()
            }
            (Measure::Image(of), Outputs::Images(shape)) => {
                let originals = batch.originals.clone().map(read_back::data);
                let originals: Vec<f32> = match originals.transpose()? {
                    Some(originals) => originals.iter().collect(),
                    None => Vec::new(),
                };
                let originals = originals.chunks_exact(width.max(1));
                rows.zip(originals)
                    .map(|(output, original)| {
                        of(&ImagePair {
                            original,
                            output,
                            shape,
                        })
                    })
                    .sum()
            }
            _ => 0.0,
        };
        Ok(sum / samples.max(1) as f64)
    }
}

/// A measure of one answer, from logits.
fn of_logits(of: fn(&Answer) -> f64, logits: &[f32], label: i64) -> f64 {
    let log_probabilities: Vec<f32> = log_probabilities(logits, 1.0)
        .into_iter()
        .map(|value| value as f32)
        .collect();
    let label = usize::try_from(label).ok();
    label
        .and_then(|label| Answer::new(&log_probabilities, label))
        .map_or(0.0, |answer| of(&answer))
}
