//! The check as a whole.

use std::path::Path;

use super::error::CheckError;
use super::findings::{Findings, Unreadable};
use super::labels::{self, Answers, RunModel};
use super::samples::{self, Sample};
use super::scan::{self, Scanned};
use super::{classes, duplicates, unusual};
use crate::config::Experiment;
use crate::data::{self, DataSource, Split};
use crate::device;
use crate::progress::Monitor;

/// Samples whose labels are checked by folds at most: more would take more than minutes, and gigabytes.
const MAX_FOLDED: usize = 100_000;

/// Samples that folds need at least, over all classes.
const MIN_FOLDED: usize = 20;

/// How data is checked.
pub struct Options<'a> {
    /// Where the weights of pretrained networks are looked for.
    pub root: &'a Path,
    /// A run that checks the labels; `None` for folds.
    pub run: Option<RunModel<'a>>,
}

/// Checks a data set. The same data and seed give the same findings.
///
/// # Errors
/// The run's model does not suit the data, training fails, or the work is cancelled. Samples that can't be read are findings.
pub fn check(
    source: &dyn DataSource,
    experiment: &Experiment,
    options: &Options,
    monitor: &Monitor,
) -> Result<Findings, CheckError> {
    let samples = samples::all(source);
    let scanned = scan::scan(source, &samples, monitor)?;
    let duplicates = duplicates::find(source, &samples, &scanned, monitor)?;
    let mut findings = Findings {
        samples: Split::ALL.map(|split| samples.iter().filter(|s| s.split == split).count()),
        classes: source.classes().to_vec(),
        unreadable: unreadable(&samples, &scanned),
        duplicates: duplicates.list,
        classes_in_splits: classes::find(source.classes(), &samples),
        unusual: unusual::find(&samples, &scanned),
        notes: data::notes(source),
        ..Findings::default()
    };
    let readable: Vec<(usize, &Sample, &Scanned)> = samples
        .iter()
        .zip(&scanned)
        .enumerate()
        .filter_map(|(place, (sample, scanned))| Some((place, sample, scanned.as_ref().ok()?)))
        .collect();
    let answers = match &options.run {
        Some(run) => labels::by_run(run, source, &readable, monitor)?,
        None => {
            let chosen = match foldable(&readable, source.classes().len()) {
                Ok(chosen) => chosen,
                Err(reason) => {
                    findings
                        .notes
                        .push(format!("labels are not checked: {reason}"));
                    return Ok(findings);
                }
            };
            let left_out = readable.len() - chosen.len();
            let answers = labels::by_folds(
                source,
                &samples,
                chosen,
                &duplicates.groups,
                (experiment, options.root),
                &device::open_at(experiment.backend, experiment.device)?,
                monitor,
            )?;
            let note = (left_out > 0).then(|| {
                format!("labels of {left_out} samples are not checked: cross-validation checks at most {MAX_FOLDED}; --run has no such limit, but skips the samples that the run was trained on")
            });
            Answers { note, ..answers }
        }
    };
    let (label_check, taken) = labels::report(&samples, source.classes(), &answers);
    findings.notes.extend(answers.note);
    findings.labels = Some(label_check);
    findings.taken = taken;
    Ok(findings)
}

/// The places of the samples that folds check, or why there is nothing to check.
fn foldable(readable: &[(usize, &Sample, &Scanned)], classes: usize) -> Result<Vec<usize>, String> {
    let mut has = vec![false; classes];
    for (_, sample, _) in readable {
        has[sample.label] = true;
    }
    let present = has.into_iter().filter(|has| *has).count();
    if present < 2 {
        return Err("that needs at least 2 classes".into());
    }
    if readable.len() < MIN_FOLDED {
        return Err(format!("that needs at least {MIN_FOLDED} samples"));
    }
    let kept = readable.len().min(MAX_FOLDED);
    let place = |index: usize| readable[index * readable.len() / kept].0;
    Ok((0..kept).map(place).collect())
}

fn unreadable(samples: &[Sample], scanned: &[Result<Scanned, String>]) -> Vec<Unreadable> {
    let all = samples.iter().zip(scanned);
    all.filter_map(|(sample, scanned)| {
        Some(Unreadable {
            sample: sample.clone(),
            problem: scanned.as_ref().err()?.clone(),
        })
    })
    .collect()
}
