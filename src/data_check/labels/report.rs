//! A model's answers become suspects and confused classes.

use std::path::Path;

use burn::prelude::*;

use super::answers::Answers;
use super::confident::{Issue, confident_issues, doubts, highest};
use super::features;
use super::folds::{self, FOLDS};
use super::taken;
use crate::config::Experiment;
use crate::data::DataSource;
use crate::data_check::error::CheckError;
use crate::data_check::findings::{LabelCheck, Suspect, Taken};
use crate::data_check::samples::Sample;
use crate::progress::Monitor;

/// The answers of the models of k folds to the samples at `places`, all of which can be read. `groups` holds together, by place,
/// what is one image.
pub fn by_folds(
    source: &dyn DataSource,
    samples: &[Sample],
    places: Vec<usize>,
    groups: &[usize],
    (experiment, root): (&Experiment, &Path),
    device: &Device,
    monitor: &Monitor,
) -> Result<Answers, CheckError> {
    let chosen: Vec<&Sample> = places.iter().map(|&place| &samples[place]).collect();
    let inputs = features::inputs(source, &chosen, experiment, root, device, monitor)?;
    let groups: Vec<usize> = places.iter().map(|&place| groups[place]).collect();
    let rows = folds::probabilities(&inputs, &groups, experiment.seed, device, monitor)?;
    // A fold that holds everything, or nothing, has no answers.
    let answered = places
        .into_iter()
        .zip(rows)
        .filter(|(_, row)| !row.is_empty());
    let (places, rows) = answered.unzip();
    Ok(Answers {
        model: format!("{FOLDS}-fold cross-validation of a {}", inputs.words),
        places,
        rows,
        note: None,
    })
}

/// What the answers say about labels and classes.
pub fn report(
    samples: &[Sample],
    classes: &[String],
    answers: &Answers,
) -> (LabelCheck, Vec<Taken>) {
    let labels: Vec<usize> = answers
        .places
        .iter()
        .map(|&place| samples[place].label)
        .collect();
    let rows = answers.rows.iter().zip(&labels);
    let right = rows.filter(|(row, label)| highest(row, 0..classes.len()) == Some(**label));
    let agreement = right.count() as f64 / labels.len().max(1) as f64;
    let issues = confident_issues(&answers.rows, &labels);
    let doubts = doubts(&answers.rows, &labels, &issues);
    let suspect = |issue: Issue| {
        let row = &answers.rows[issue.sample];
        Suspect {
            sample: samples[answers.places[issue.sample]].clone(),
            suggested: classes[issue.suggested].clone(),
            probability: f64::from(row[labels[issue.sample]]),
            probability_of_suggested: f64::from(row[issue.suggested]),
        }
    };
    let check = LabelCheck {
        model: answers.model.clone(),
        checked: labels.len(),
        agreement,
        suspects: issues.into_iter().map(suspect).collect(),
        doubtful: doubts.into_iter().map(suspect).collect(),
    };
    (check, taken::find(samples, classes, answers))
}
