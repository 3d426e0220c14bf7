//! Evaluation: a classifier over one split of a data source.

use std::sync::Arc;

use burn::train::Interrupter;

use crate::data::loader::Loader;
use crate::data::{DataError, DataSource, Split};
use crate::inference::{BATCH, Classifier, ModelError};
use crate::metrics::Metrics;
use crate::metrics::classification::{Confusion, rank_of, top_k_accuracy};
use crate::report::Mistake;

use super::measures::{TOP_K, TOP_K_NAME};

/// How many of the worst mistakes are kept with their images.
const WORST_MISTAKES: usize = 40;

/// Why an evaluation failed.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// The data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Data that the model was not made for.
    #[error("{0}")]
    Mismatch(String),
}

/// What an evaluation found.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// `loss`, `accuracy`, `top5_accuracy` (from six classes on), `macro_f1`.
    pub metrics: Metrics,
    /// What was taken for what.
    pub confusion: Confusion,
    /// The most confident of the wrong answers.
    pub mistakes: Vec<Mistake>,
    /// Number of samples.
    pub samples: usize,
}

/// Runs the classifier over a split; `None` if `interrupter` stops it.
///
/// Classes are matched by name; a class of the data that the model does not know is an error. Where the data has fewer
/// classes than the model, only those compete (letters alone, for a model of letters and digits).
pub fn evaluate_unless_stopped(
    classifier: &Classifier,
    source: Arc<dyn DataSource>,
    split: Split,
    interrupter: &Interrupter,
) -> Result<Option<Evaluation>, EvaluateError> {
    let columns = columns(classifier, source.as_ref())?;
    if source.len(split) == 0 {
        return Err(EvaluateError::Mismatch(format!(
            "the data has no {} split; choose another with --split",
            split.name()
        )));
    }
    let mut tally = Tally::new(source.as_ref());
    for batch in Loader::plain(source.clone(), split, BATCH).batches(0) {
        let batch = batch?;
        if interrupter.should_stop() {
            return Ok(None);
        }
        let rows = classifier.logits(batch.pixels.clone(), batch.labels.len())?;
        let images = batch.pixels.chunks(source.shape().values());
        for ((logits, image), &label) in rows.iter().zip(images).zip(&batch.labels) {
            let logits: Vec<f32> = columns.iter().map(|&column| logits[column]).collect();
            tally.add(&log_softmax(&logits), label, image);
        }
    }
    Ok(Some(tally.finish(source.as_ref())))
}

/// [`evaluate_unless_stopped`] with nothing to stop it.
pub fn evaluate(
    classifier: &Classifier,
    source: Arc<dyn DataSource>,
    split: Split,
) -> Result<Evaluation, EvaluateError> {
    let nobody = Interrupter::new();
    evaluate_unless_stopped(classifier, source, split, &nobody)?
        .ok_or_else(|| EvaluateError::Mismatch("the evaluation was stopped".into()))
}

/// Where each class of the data stands among the model's logits.
fn columns(classifier: &Classifier, source: &dyn DataSource) -> Result<Vec<usize>, EvaluateError> {
    let card = classifier.card();
    if card.input != source.shape() {
        let (model, data) = (card.input, source.shape());
        return Err(EvaluateError::Mismatch(format!(
            "the model takes {}x{}x{} images (channels, height, width), the data has {}x{}x{}; set the data's size to \
             the model's",
            model.channels, model.height, model.width, data.channels, data.height, data.width
        )));
    }
    source
        .classes()
        .iter()
        .map(|class| {
            let position = card.classes.iter().position(|known| known == class);
            position.ok_or_else(|| {
                EvaluateError::Mismatch(format!(
                    "the data has a class {class:?} that the model does not know"
                ))
            })
        })
        .collect()
}

/// `x - log(sum(exp(x)))`, shifted by the maximum so that nothing overflows.
fn log_softmax(logits: &[f32]) -> Vec<f32> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits
        .iter()
        .map(|&logit| f64::from(logit - max).exp())
        .sum();
    logits
        .iter()
        .map(|&logit| (f64::from(logit - max) - sum.ln()) as f32)
        .collect()
}

struct Tally {
    confusion: Confusion,
    ranks: Vec<usize>,
    loss: f64,
    mistakes: Vec<(f32, usize, usize, Vec<f32>)>,
}

impl Tally {
    fn new(source: &dyn DataSource) -> Self {
        Self {
            confusion: Confusion::new(source.classes().to_vec()),
            ranks: Vec::new(),
            loss: 0.0,
            mistakes: Vec::new(),
        }
    }

    fn add(&mut self, log_probabilities: &[f32], label: usize, image: &[f32]) {
        let best = log_probabilities
            .iter()
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(b.1));
        let (Some((predicted, &confidence)), Some(rank)) =
            (best, rank_of(log_probabilities, label))
        else {
            return;
        };
        // Labels and predictions come from the same list of classes, so they are in range.
        let _ = self.confusion.add(label, predicted);
        self.ranks.push(rank);
        self.loss -= f64::from(log_probabilities[label]);
        if predicted != label {
            self.mistakes
                .push((confidence.exp(), label, predicted, image.to_vec()));
            // Bound the memory: sort and cut now and then rather than keep every wrong image.
            if self.mistakes.len() >= 4 * WORST_MISTAKES {
                self.cut_mistakes();
            }
        }
    }

    fn cut_mistakes(&mut self) {
        self.mistakes.sort_by(|a, b| b.0.total_cmp(&a.0));
        self.mistakes.truncate(WORST_MISTAKES);
    }

    fn finish(mut self, source: &dyn DataSource) -> Evaluation {
        self.cut_mistakes();
        let samples = self.ranks.len();
        let mut metrics = Metrics::new();
        metrics.insert("loss".into(), self.loss / samples as f64);
        metrics.insert("accuracy".into(), self.confusion.accuracy());
        metrics.insert("macro_f1".into(), self.confusion.macro_f1());
        if source.classes().len() > TOP_K
            && let Some(accuracy) = top_k_accuracy(&self.ranks, TOP_K)
        {
            metrics.insert(TOP_K_NAME.into(), accuracy);
        }
        let shape = source.shape();
        let classes = source.classes();
        let mistakes = self
            .mistakes
            .into_iter()
            .map(|(confidence, truth, predicted, pixels)| Mistake {
                shape: (shape.channels, shape.height, shape.width),
                pixels,
                truth: classes[truth].clone(),
                predicted: classes[predicted].clone(),
                confidence,
            })
            .collect();
        Evaluation {
            metrics,
            confusion: self.confusion,
            mistakes,
            samples,
        }
    }
}
