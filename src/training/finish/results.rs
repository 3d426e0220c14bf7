//! Evaluates the kept weights of a run and writes model, summary and report.

use std::time::Instant;

use super::model_file::write_model;
use super::report::{self, Finished};
use crate::data::{Split, count_passed_over};
use crate::error::{ErrorExit, ExitKind};
use crate::evaluation::{self, Evaluation, Rivals};
use crate::files;
use crate::inference::Classifier;
use crate::metrics::Metrics;
use crate::metrics::classification::{Calibration, Confusion};
use crate::progress::Monitor;
use crate::run_dir::{RunDir, Status, Summary};
use crate::tracking::{Ending, Tracking};
use crate::training::epochs::history::History;
use crate::training::error::TrainError;
use crate::training::prepare::Prepared;

/// How many of the most confused pairs of classes the summary lists.
const CONFUSED_PAIRS: usize = 10;

/// Evaluations of the kept weights; `None` for a split without samples, and after an interruption.
struct Evaluations {
    valid: Option<Evaluation>,
    test: Option<Evaluation>,
}

impl Evaluations {
    /// The one that the report shows.
    fn shown(&self) -> Option<&Evaluation> {
        self.test.as_ref().or(self.valid.as_ref())
    }
}

/// Evaluates the kept weights, writes model, summary and report, and hands them to the trackers; returns the summary.
///
/// # Errors
/// The evaluation fails, or a file can't be written.
pub fn finish(
    prepared: &Prepared,
    run_dir: &RunDir,
    history: History,
    began: Instant,
    monitor: &Monitor,
    tracking: &Tracking,
) -> Result<Summary, TrainError> {
    let Some((_, network)) = &history.kept else {
        return Err(TrainError::Stopped("before the first step".into()));
    };
    let (classifier, calibration) = write_model(
        Classifier::new(network, prepared.card(), &prepared.device),
        &prepared.experiment.training,
        &prepared.source,
        &run_dir.model_file(),
        monitor.cancel(),
    )?;
    let evaluations = evaluate(prepared, &classifier, monitor)?;
    let is_interrupted = monitor.cancel().is_cancelled();
    let summary = summarize(
        prepared,
        &history,
        &evaluations,
        calibration,
        is_interrupted,
    );
    run_dir.write_json(&run_dir.summary_file(), &summary)?;
    let finished = Finished {
        experiment: &prepared.experiment,
        run_dir,
        epochs: &history.epochs,
        summary: &summary,
        shown: evaluations.shown(),
        first: prepared.first.as_ref(),
        last: network,
        duration: began.elapsed(),
    };
    let page = report::render(&finished)?;
    files::write(&run_dir.report_file(), page.as_bytes())?;
    if !tracking.is_empty() {
        let pictures = report::pictures(&finished);
        let ending = Ending {
            status: summary.status,
            summary: Some(&summary),
            pictures: &pictures,
        };
        tracking.finish(&ending, monitor.cancel());
    }
    Ok(summary)
}

/// Evaluates on validation and test split. Whoever cancels a run, or this, does not want to wait for it.
fn evaluate(
    prepared: &Prepared,
    classifier: &Classifier,
    monitor: &Monitor,
) -> Result<Evaluations, TrainError> {
    let evaluate = |split, samples| {
        let source = prepared.source.clone();
        let found = match samples {
            0 => return Ok(None),
            _ => evaluation::evaluate_watched(classifier, source, split, Rivals::All, monitor),
        };
        match found {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.exit_kind() == ExitKind::Cancelled => Ok(None),
            Err(error) => Err(error),
        }
    };
    Ok(Evaluations {
        test: evaluate(Split::Test, prepared.samples.test)?,
        valid: evaluate(Split::Valid, prepared.samples.valid)?,
    })
}

fn summarize(
    prepared: &Prepared,
    history: &History,
    evaluations: &Evaluations,
    calibration: Option<Calibration>,
    is_interrupted: bool,
) -> Summary {
    let config = &prepared.experiment;
    let best_epoch = history.kept.as_ref().map_or(0, |(epoch, _)| *epoch);
    let mut epochs = history.epochs.iter();
    let during = epochs.find(|record| record.epoch == best_epoch);
    let valid = match (&evaluations.valid, during) {
        (Some(valid), _) => valid.metrics.clone(),
        (None, Some(record)) => record.valid.clone(),
        (None, None) => Metrics::new(),
    };
    let shown = evaluations.shown();
    let confusion = shown.and_then(|shown| shown.confusion.as_ref());
    Summary {
        kiln: env!("CARGO_PKG_VERSION").into(),
        name: config.name.clone(),
        seed: config.seed,
        backend: config.backend,
        status: match history.status {
            Some(status) if !is_interrupted => status,
            _ => Status::Interrupted,
        },
        parameters: prepared.parameters,
        classes: prepared.source.classes().to_vec(),
        input: prepared.source.shape(),
        samples: prepared.samples,
        passed_over: count_passed_over(&prepared.source.passed_over()),
        epochs: history.epochs.len(),
        best_epoch,
        valid,
        test: evaluations.test.as_ref().map(|test| test.metrics.clone()),
        calibration,
        per_class: confusion.map_or_else(Vec::new, Confusion::per_class),
        most_confused: confusion.map_or_else(Vec::new, |confusion| {
            confusion.most_confused(CONFUSED_PAIRS)
        }),
    }
}
