//! The tally of a classifier: metrics, the confusion matrix, and the worst mistakes.

use super::outcome::Evaluation;
use super::rivals::Kind;
use crate::inference::UNCALIBRATED;
use crate::metrics::classification::{Confusion, log_probabilities};
use crate::metrics::{self, Answer, AnswersOfSplit, Measure, Metric, Metrics, Outputs};
use crate::report::Mistake;
use crate::shape::ImageShape;

/// How many of the worst mistakes are kept with their images.
const MAX_MISTAKES: usize = 40;

/// A metric, its value for one sample, and the sum of the values so far.
type Sum = (&'static Metric, fn(&Answer) -> f64, f64);

/// What is counted over a classifier's answers.
pub(super) struct Answers {
    shape: ImageShape,
    /// The index of each class among the logits.
    columns: Vec<usize>,
    /// Of each class, if only classes of one kind compete.
    kinds: Option<Vec<Kind>>,
    temperature: f64,
    samples: usize,
    /// Sums over the samples.
    sums: Vec<Sum>,
    confusion: Confusion,
    /// The confidence of each answer, and whether it is right: at the temperature, and without it.
    confidences: Vec<(f32, bool)>,
    uncalibrated: Vec<(f32, bool)>,
    mistakes: Vec<Wrong>,
}

/// A wrong answer.
struct Wrong {
    confidence: f32,
    label: usize,
    predicted: usize,
    image: Vec<f32>,
}

impl Answers {
    /// An empty tally; `columns` has the index of each class among the logits.
    pub(super) fn new(
        classes: &[String],
        shape: ImageShape,
        columns: Vec<usize>,
        kinds: Option<Vec<Kind>>,
        temperature: f64,
    ) -> Self {
        let sum = |metric: &'static Metric| match metric.measure {
            Measure::Answer(of) => Some((metric, of, 0.0)),
            Measure::Image(_) | Measure::Split(_) => None,
        };
        Self {
            shape,
            columns,
            kinds,
            temperature,
            samples: 0,
            sums: metrics::of(Outputs::Classes(classes.len()))
                .filter_map(sum)
                .collect(),
            confusion: Confusion::new(classes.to_vec()),
            confidences: Vec::new(),
            uncalibrated: Vec::new(),
            mistakes: Vec::new(),
        }
    }

    /// Counts the answer to one image of the class `label`.
    pub(super) fn add(&mut self, logits: &[f32], label: usize, image: &[f32]) {
        let logits = self.competing(logits, label);
        let likely: Vec<f32> = log_probabilities(&logits, self.temperature)
            .into_iter()
            .map(|value| value as f32)
            .collect();
        let Some(answer) = Answer::new(&likely, label) else {
            return;
        };
        let predicted = answer.predicted;
        // Labels and predictions come from the same list of classes, so they are in range.
        let _ = self.confusion.add(label, predicted);
        self.samples += 1;
        for (_, of, sum) in &mut self.sums {
            *sum += of(&answer);
        }
        let right = predicted == label;
        let confidence = likely[predicted].exp();
        self.confidences.push((confidence, right));
        if self.temperature != UNCALIBRATED {
            let plain = log_probabilities(&logits, UNCALIBRATED)[predicted];
            self.uncalibrated.push((plain.exp() as f32, right));
        }
        if !right {
            self.mistakes.push(Wrong {
                confidence,
                label,
                predicted,
                image: image.to_vec(),
            });
            // Bounds the memory: rather sort and cut now and then than keep every wrong image.
            if self.mistakes.len() >= 4 * MAX_MISTAKES {
                self.cut_mistakes();
            }
        }
    }

    /// The logits of the classes of the data; negative infinity for those that do not compete with `label`.
    fn competing(&self, logits: &[f32], label: usize) -> Vec<f32> {
        let competes = |class: usize| match &self.kinds {
            None => true,
            Some(kinds) => kinds[class] == kinds[label],
        };
        let logit = |(class, &column): (usize, &usize)| {
            if competes(class) {
                logits[column]
            } else {
                f32::NEG_INFINITY
            }
        };
        self.columns.iter().enumerate().map(logit).collect()
    }

    fn cut_mistakes(&mut self) {
        self.mistakes
            .sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        self.mistakes.truncate(MAX_MISTAKES);
    }

    pub(super) fn finish(mut self, classes: &[String]) -> Evaluation {
        self.cut_mistakes();
        let metrics = self.metrics(classes.len());
        let mistakes = self.mistakes.into_iter().map(|wrong| Mistake {
            shape: self.shape,
            pixels: wrong.image,
            truth: classes[wrong.label].clone(),
            predicted: classes[wrong.predicted].clone(),
            confidence: wrong.confidence,
        });
        Evaluation {
            metrics,
            mistakes: mistakes.collect(),
            confusion: Some(self.confusion),
            reconstructions: Vec::new(),
            samples: self.samples,
        }
    }

    fn metrics(&self, classes: usize) -> Metrics {
        let split = AnswersOfSplit {
            confusion: &self.confusion,
            confidences: &self.confidences,
            uncalibrated: &self.uncalibrated,
        };
        let of_split = metrics::of(Outputs::Classes(classes)).filter_map(|metric| {
            let Measure::Split(of) = metric.measure else {
                return None;
            };
            Some((metric.name.to_string(), of(&split)?))
        });
        let means = self.sums.iter().map(|(metric, _, sum)| {
            let mean = sum / self.samples as f64;
            (metric.name.to_string(), mean)
        });
        means.chain(of_split).collect()
    }
}
