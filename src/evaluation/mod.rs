//! Evaluation: a model over one split of a data source.

use std::sync::Arc;

use burn::train::Interrupter;

use crate::data::loader::Loader;
use crate::data::{DataError, DataSource, Split};
use crate::error::ErrorExit;
use crate::inference::{BATCH, Classifier, ModelError, uncalibrated};
use crate::metrics::Metrics;
use crate::metrics::calibration::{BINS, expected_calibration_error, log_probabilities};
use crate::metrics::classification::{Confusion, rank_of, top_k_accuracy};
use crate::metrics::image;
use crate::models::Task;
use crate::report::{Mistake, Reconstruction};

use crate::metrics::{TOP_K, TOP_K_NAME};

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

impl ErrorExit for EvaluateError {}

/// What an evaluation found.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// Of a classifier `loss`, `accuracy`, `top5_accuracy` (from six classes on), `macro_f1`, `ece` (expected calibration
    /// error, 15 bins) and, if it was calibrated, `ece_uncalibrated` (without its temperature); of an autoencoder `loss`, `psnr`,
    /// `ssim` (for images of at least 11x11).
    pub metrics: Metrics,
    /// What a classifier took for what.
    pub confusion: Option<Confusion>,
    /// The most confident of its wrong answers.
    pub mistakes: Vec<Mistake>,
    /// What an autoencoder made of a few images.
    pub reconstructions: Vec<Reconstruction>,
    /// Number of samples.
    pub samples: usize,
}

/// Classes of which reconstructions are kept, evenly spread, and how many of each: those that the course asks for.
const SHOWN_CLASSES: usize = 5;
const SHOWN_SAMPLES: usize = 2;

/// The classes that a sample's own competes with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rivals {
    /// All of the data's.
    #[default]
    All,
    /// Letters among letters, digits among digits: as if the reader knew which of the two a sample is.
    SameKind,
}

/// What a class is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    Digit,
    Other,
}

impl Kind {
    fn of(class: &str) -> Self {
        let mut characters = class.chars();
        match (characters.next(), characters.next()) {
            (Some(only), None) if only.is_alphabetic() => Kind::Letter,
            (Some(only), None) if only.is_numeric() => Kind::Digit,
            _ => Kind::Other,
        }
    }
}

/// Runs the model over a split; `None` if `interrupter` stops it.
///
/// A classifier's classes are matched by name; a class of the data that the model does not know is an error. Where the data has fewer
/// classes than the model, only those compete (letters alone, for a model of letters and digits).
pub fn evaluate_unless_stopped(
    classifier: &Classifier,
    source: Arc<dyn DataSource>,
    split: Split,
    rivals: Rivals,
    interrupter: &Interrupter,
) -> Result<Option<Evaluation>, EvaluateError> {
    check_shape(classifier, source.as_ref())?;
    let mut tally = match classifier.task() {
        Task::Classify => {
            let columns = columns(classifier, source.as_ref())?;
            let kinds = kinds(source.as_ref(), rivals)?;
            Tally::new(
                source.as_ref(),
                columns,
                kinds,
                classifier.card().temperature,
            )
        }
        Task::Reconstruct => Tally::reconstructing(source.as_ref()),
    };
    if source.len(split) == 0 {
        return Err(EvaluateError::Mismatch(format!(
            "the data has no {} split; choose another with --split",
            split.name()
        )));
    }
    for batch in Loader::plain(source.clone(), split, BATCH).batches(0) {
        let batch = batch?;
        if interrupter.should_stop() {
            return Ok(None);
        }
        let rows = classifier.outputs(batch.pixels.clone(), batch.labels.len())?;
        let images = batch.pixels.chunks(source.shape().values());
        for ((output, image), &label) in rows.iter().zip(images).zip(&batch.labels) {
            tally.add(output, label, image);
        }
    }
    Ok(Some(tally.finish(source.as_ref())))
}

/// [`evaluate_unless_stopped`] with nothing to stop it.
pub fn evaluate(
    classifier: &Classifier,
    source: Arc<dyn DataSource>,
    split: Split,
    rivals: Rivals,
) -> Result<Evaluation, EvaluateError> {
    let nobody = Interrupter::new();
    evaluate_unless_stopped(classifier, source, split, rivals, &nobody)?
        .ok_or_else(|| EvaluateError::Mismatch("the evaluation was stopped".into()))
}

fn check_shape(classifier: &Classifier, source: &dyn DataSource) -> Result<(), EvaluateError> {
    let (model, data) = (classifier.card().input, source.shape());
    if model == data {
        return Ok(());
    }
    Err(EvaluateError::Mismatch(format!(
        "the model takes {}x{}x{} images (channels, height, width), the data has {}x{}x{}; set the data's size to the model's",
        model.channels, model.height, model.width, data.channels, data.height, data.width
    )))
}

/// Where each class of the data stands among the model's logits.
fn columns(classifier: &Classifier, source: &dyn DataSource) -> Result<Vec<usize>, EvaluateError> {
    let card = classifier.card();
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

/// The kind of each class of the data, if that decides who competes.
fn kinds(source: &dyn DataSource, rivals: Rivals) -> Result<Option<Vec<Kind>>, EvaluateError> {
    if rivals == Rivals::All {
        return Ok(None);
    }
    let kinds: Vec<Kind> = source.classes().iter().map(|name| Kind::of(name)).collect();
    match kinds.contains(&Kind::Letter) && kinds.contains(&Kind::Digit) {
        true => Ok(Some(kinds)),
        false => Err(EvaluateError::Mismatch(
            "the data has not both letters and digits as classes, so their kind tells nothing; leave out --known-kind"
                .into(),
        )),
    }
}

/// What is counted, by what the model is for.
enum Tally {
    Answers(Answers),
    Images(Images),
}

impl Tally {
    fn new(
        source: &dyn DataSource,
        columns: Vec<usize>,
        kinds: Option<Vec<Kind>>,
        temperature: f64,
    ) -> Self {
        Tally::Answers(Answers {
            columns,
            kinds,
            temperature,
            answers: [Vec::new(), Vec::new()],
            confusion: Confusion::new(source.classes().to_vec()),
            ranks: Vec::new(),
            loss: 0.0,
            mistakes: Vec::new(),
        })
    }

    fn reconstructing(source: &dyn DataSource) -> Self {
        let classes = source.classes().len();
        let shown = SHOWN_CLASSES.min(classes);
        let shape = source.shape();
        Tally::Images(Images {
            shape: (shape.channels, shape.height, shape.width),
            wanted: (0..shown).map(|class| class * classes / shown).collect(),
            samples: 0,
            squares: 0.0,
            psnr: 0.0,
            ssim: Some(0.0),
            shown: Vec::new(),
        })
    }

    fn add(&mut self, output: &[f32], label: usize, image: &[f32]) {
        match self {
            Tally::Answers(answers) => answers.add(output, label, image),
            Tally::Images(images) => images.add(output, label, image),
        }
    }

    fn finish(self, source: &dyn DataSource) -> Evaluation {
        match self {
            Tally::Answers(answers) => answers.finish(source),
            Tally::Images(images) => images.finish(source),
        }
    }
}

/// An autoencoder's images.
struct Images {
    shape: (usize, usize, usize),
    /// Classes that are shown.
    wanted: Vec<usize>,
    samples: usize,
    /// Sums over the samples.
    squares: f64,
    psnr: f64,
    ssim: Option<f64>,
    shown: Vec<(usize, Vec<f32>, Vec<f32>)>,
}

impl Images {
    fn add(&mut self, found: &[f32], label: usize, image: &[f32]) {
        self.samples += 1;
        let pairs = image.iter().zip(found);
        self.squares += pairs
            .map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2))
            .sum::<f64>();
        self.psnr += image::psnr(image, found).unwrap_or(0.0);
        self.ssim = match (self.ssim, image::ssim(image, found, self.shape)) {
            (Some(sum), Some(one)) => Some(sum + one),
            _ => None,
        };
        let same = self.shown.iter().filter(|(class, ..)| *class == label);
        if self.wanted.contains(&label) && same.count() < SHOWN_SAMPLES {
            self.shown.push((label, image.to_vec(), found.to_vec()));
        }
    }

    fn finish(mut self, source: &dyn DataSource) -> Evaluation {
        let samples = self.samples as f64;
        let mut metrics = Metrics::new();
        metrics.insert("loss".into(), self.squares / samples);
        metrics.insert("psnr".into(), self.psnr / samples);
        if let Some(ssim) = self.ssim {
            metrics.insert("ssim".into(), ssim / samples);
        }
        self.shown.sort_by_key(|(label, ..)| *label);
        let shown = self.shown.into_iter().map(|(label, original, found)| {
            let psnr = image::psnr(&original, &found).unwrap_or(0.0);
            Reconstruction {
                class: source.classes()[label].clone(),
                shape: self.shape,
                original,
                found,
                psnr,
            }
        });
        Evaluation {
            metrics,
            confusion: None,
            mistakes: Vec::new(),
            reconstructions: shown.collect(),
            samples: self.samples,
        }
    }
}

/// A classifier's answers.
struct Answers {
    /// Where each class stands among the logits.
    columns: Vec<usize>,
    /// Of each class, where only those of one kind compete.
    kinds: Option<Vec<Kind>>,
    temperature: f64,
    /// How sure, and whether right: at the temperature, and without it.
    answers: [Vec<(f32, bool)>; 2],
    confusion: Confusion,
    ranks: Vec<usize>,
    loss: f64,
    mistakes: Vec<(f32, usize, usize, Vec<f32>)>,
}

impl Answers {
    fn add(&mut self, logits: &[f32], label: usize, image: &[f32]) {
        let competes = |class: usize| match &self.kinds {
            None => true,
            Some(kinds) => kinds[class] == kinds[label],
        };
        let logit = |(class, &column): (usize, &usize)| match competes(class) {
            true => logits[column],
            false => f32::NEG_INFINITY,
        };
        let logits: Vec<f32> = self.columns.iter().enumerate().map(logit).collect();
        let likely: Vec<f32> = log_probabilities(&logits, self.temperature)
            .into_iter()
            .map(|value| value as f32)
            .collect();
        let best = likely.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        let (Some((predicted, &confidence)), Some(rank)) = (best, rank_of(&likely, label)) else {
            return;
        };
        // Labels and predictions come from the same list of classes, so they are in range.
        let _ = self.confusion.add(label, predicted);
        self.ranks.push(rank);
        let right = predicted == label;
        self.answers[0].push((confidence.exp(), right));
        if self.temperature != uncalibrated() {
            let plain = log_probabilities(&logits, uncalibrated())[predicted];
            self.answers[1].push((plain.exp() as f32, right));
        }
        self.loss -= f64::from(likely[label]);
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
        let names = ["ece", "ece_uncalibrated"];
        for (name, answers) in names.into_iter().zip(&self.answers) {
            if !answers.is_empty() {
                metrics.insert(name.into(), expected_calibration_error(answers, BINS));
            }
        }
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
            confusion: Some(self.confusion),
            mistakes,
            reconstructions: Vec::new(),
            samples,
        }
    }
}
