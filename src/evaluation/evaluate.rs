//! The batches of a split through a model.

use std::sync::Arc;

use super::answers::Answers;
use super::error::EvaluateError;
use super::images::Images;
use super::outcome::Evaluation;
use super::rivals::{Rivals, kinds};
use crate::data::loader::Loader;
use crate::data::{DataSource, Split};
use crate::inference::{BATCH, Classifier};
use crate::metrics::Outputs;
use crate::progress::Monitor;

/// Runs the model over a split, as a stage of `monitor`.
///
/// A classifier's classes are matched by name; a class of the data that the model does not know is an error. Where the data has
/// fewer classes than the model, only those compete (letters alone, for a model of letters and digits).
pub fn evaluate_watched(
    classifier: &Classifier,
    source: Arc<dyn DataSource>,
    split: Split,
    rivals: Rivals,
    monitor: &Monitor,
) -> Result<Evaluation, EvaluateError> {
    check_shape(classifier, source.as_ref())?;
    let mut tally = Tally::new(classifier, source.as_ref(), rivals)?;
    let classes = source.classes().to_vec();
    each_output(classifier, source, split, monitor, |sample| {
        tally.add(sample.output, sample.label, sample.image);
    })?;
    Ok(tally.finish(&classes))
}

/// [`evaluate_watched`] with nobody to watch or cancel it.
pub fn evaluate(
    classifier: &Classifier,
    source: Arc<dyn DataSource>,
    split: Split,
    rivals: Rivals,
) -> Result<Evaluation, EvaluateError> {
    evaluate_watched(classifier, source, split, rivals, &Monitor::default())
}

/// A sample and what a model made of it.
pub(super) struct Output<'a> {
    /// Its index in the split.
    pub index: usize,
    /// Its class.
    pub label: usize,
    /// Its values.
    pub image: &'a [f32],
    /// The model's logits, or its image.
    pub output: &'a [f32],
}

/// Runs the model over a split, as a stage of `monitor`, and passes on each sample in order.
pub(super) fn each_output(
    classifier: &Classifier,
    source: Arc<dyn DataSource>,
    split: Split,
    monitor: &Monitor,
    mut take: impl FnMut(&Output),
) -> Result<(), EvaluateError> {
    check_shape(classifier, source.as_ref())?;
    if source.len(split) == 0 {
        return Err(EvaluateError::Mismatch(format!(
            "the data has no {} split; choose another with --split",
            split.name()
        )));
    }
    let stage = monitor.stage("evaluating", Some(source.len(split)));
    let loader = Loader {
        cancel: monitor.cancel().clone(),
        ..Loader::plain(source.clone(), split, BATCH)
    };
    for batch in loader.batches(0) {
        let batch = batch?;
        let rows = classifier.outputs(batch.pixels.clone(), batch.labels.len())?;
        let images = batch.pixels.chunks(source.shape().values());
        let places = batch.indices.iter().zip(&batch.labels);
        for ((output, image), (&index, &label)) in rows.iter().zip(images).zip(places) {
            take(&Output {
                index,
                label,
                image,
                output,
            });
        }
        stage.advance(batch.labels.len())?;
    }
    Ok(())
}

fn check_shape(classifier: &Classifier, source: &dyn DataSource) -> Result<(), EvaluateError> {
    let (model, data) = (classifier.card().input, source.shape());
    if model == data {
        return Ok(());
    }
    Err(EvaluateError::Mismatch(format!(
        "the model takes {model} images (channels, height, width), but the data has {data}; set the data's size to the model's"
    )))
}

/// What is counted, by the kind of model output.
enum Tally {
    Answers(Answers),
    Images(Images),
}

impl Tally {
    fn new(
        classifier: &Classifier,
        source: &dyn DataSource,
        rivals: Rivals,
    ) -> Result<Self, EvaluateError> {
        let classes = source.classes();
        match classifier.card().outputs() {
            Outputs::Images(shape) => Ok(Tally::Images(Images::new(shape, classes.len()))),
            Outputs::Classes(_) => {
                let columns = columns(classifier, classes)?;
                let kinds = kinds(classes, rivals)?;
                let temperature = classifier.card().temperature;
                let tally = Answers::new(classes, source.shape(), columns, kinds, temperature);
                Ok(Tally::Answers(tally))
            }
        }
    }

    fn add(&mut self, output: &[f32], label: usize, image: &[f32]) {
        match self {
            Tally::Answers(answers) => answers.add(output, label, image),
            Tally::Images(images) => images.add(output, label, image),
        }
    }

    fn finish(self, classes: &[String]) -> Evaluation {
        match self {
            Tally::Answers(answers) => answers.finish(classes),
            Tally::Images(images) => images.finish(classes),
        }
    }
}

/// The index of each class of the data among the model's logits.
pub(super) fn columns(
    classifier: &Classifier,
    classes: &[String],
) -> Result<Vec<usize>, EvaluateError> {
    let known = &classifier.card().classes;
    let column = |class: &String| {
        let position = known.iter().position(|known| known == class);
        position.ok_or_else(|| {
            EvaluateError::Mismatch(format!(
                "the data has a class {class:?} that the model does not know"
            ))
        })
    };
    classes.iter().map(column).collect()
}
