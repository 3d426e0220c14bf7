//! The answers of a run's model to the samples that it has not learned from.

use std::collections::HashSet;

use rayon::prelude::*;

use super::answers::Answers;
use crate::data::{DataSource, Split};
use crate::data_check::error::CheckError;
use crate::data_check::samples::Sample;
use crate::data_check::scan::{Scanned, content};
use crate::inference::Classifier;
use crate::models::Task;
use crate::progress::Monitor;

/// Images that are classified at once: little enough for Ctrl-C to be answered soon.
const BATCH: usize = 32;

/// A run's model, and what it was trained on.
pub struct RunModel<'a> {
    /// The model.
    pub classifier: &'a Classifier,
    /// Its name in the findings.
    pub name: String,
    /// The data that it was trained on; `None` if that can't be opened: then the training split of the data counts as seen.
    pub trained_on: Option<&'a dyn DataSource>,
}

/// Classifies the samples that the run has not been trained on. `scanned` belongs to `samples`; all can be read.
///
/// # Errors
/// The model is not a classifier of these classes, takes images of another shape, or fails.
pub fn by_run(
    model: &RunModel,
    source: &dyn DataSource,
    samples: &[(usize, &Sample, &Scanned)],
    monitor: &Monitor,
) -> Result<Answers, CheckError> {
    let columns = columns(model, source)?;
    let seen = seen(model, monitor)?;
    let is_unseen = |(_, sample, scanned): &&(usize, &Sample, &Scanned)| match &seen {
        Some(seen) => !seen.contains(&scanned.content),
        None => sample.split != Split::Train,
    };
    let unseen: Vec<_> = samples.iter().filter(is_unseen).collect();
    let stage = monitor.stage("classifying", Some(unseen.len()));
    let mut rows = Vec::with_capacity(unseen.len());
    let values = source.shape().values();
    for batch in unseen.chunks(BATCH) {
        let mut pixels = vec![0.0; batch.len() * values];
        pixels
            .par_chunks_mut(values)
            .zip(batch)
            .try_for_each(|(out, (_, sample, _))| {
                source.read(sample.split, sample.index, 0, out)
            })?;
        for row in model.classifier.probabilities(pixels, batch.len())? {
            let row: Vec<f32> = columns.iter().map(|&column| row[column]).collect();
            let sum = row.iter().sum::<f32>().max(f32::MIN_POSITIVE);
            rows.push(row.into_iter().map(|value| value / sum).collect());
        }
        stage.advance(batch.len())?;
    }
    let left_out = samples.len() - unseen.len();
    let note = (left_out > 0).then(|| {
        format!(
            "labels of {left_out} samples are not checked: {} {} been trained on them; omit --run to check them by cross-validation",
            model.name,
            if seen.is_some() { "has" } else { "may have" }
        )
    });
    Ok(Answers {
        model: model.name.clone(),
        places: unseen.into_iter().map(|(place, _, _)| *place).collect(),
        rows,
        note,
    })
}

/// The column of each class of the data among the model's outputs.
fn columns(model: &RunModel, source: &dyn DataSource) -> Result<Vec<usize>, CheckError> {
    let (classifier, name) = (model.classifier, &model.name);
    let card = classifier.card();
    if classifier.task() != Task::Classify {
        return Err(CheckError::Mismatch(format!(
            "{name}: this model is an autoencoder; --run needs a classifier"
        )));
    }
    if card.input != source.shape() {
        return Err(CheckError::Mismatch(format!(
            "{name}: the model takes {} images (channels, height, width), but the data has {}; set the data's size to the model's, or leave \
             out --run",
            card.input,
            source.shape()
        )));
    }
    let column = |class: &String| {
        let column = card.classes.iter().position(|known| known == class);
        column.ok_or_else(|| {
            CheckError::Mismatch(format!(
                "{name}: the model does not know class {class:?} of the data; leave out --run"
            ))
        })
    };
    source.classes().iter().map(column).collect()
}

/// The content of every image that the run was trained on.
fn seen(model: &RunModel, monitor: &Monitor) -> Result<Option<HashSet<[u8; 32]>>, CheckError> {
    let Some(source) = model.trained_on else {
        return Ok(None);
    };
    let samples = source.len(Split::Train);
    let stage = monitor.stage("reading what the run was trained on", Some(samples));
    let values = source.shape().values();
    let found: Result<HashSet<[u8; 32]>, CheckError> = (0..samples)
        .into_par_iter()
        .map_init(
            || vec![0.0; values],
            |values, index| {
                source.read(Split::Train, index, 0, values)?;
                stage.advance(1)?;
                Ok(content(values))
            },
        )
        .collect();
    found.map(Some)
}
