//! The model file of a run: the trained network, rounded to half precision and calibrated if the experiment asks for it.

use std::path::Path;
use std::sync::Arc;

use burn::train::Interrupter;

use crate::config::TrainingConfig;
use crate::data::loader::Loader;
use crate::data::{DataSource, Split};
use crate::evaluation::EvaluateError;
use crate::inference::{BATCH, Classifier, Precision};
use crate::metrics::classification::{Calibration, fit_temperature};

/// Writes a run's model to `path`; returns the model as the file holds it, and the effect of the calibration.
///
/// It is rounded first and then calibrated, so that everything afterwards is measured on what the file holds. An interrupted run
/// leaves the model uncalibrated.
pub fn write_model(
    mut classifier: Classifier,
    config: &TrainingConfig,
    source: &Arc<dyn DataSource>,
    path: &Path,
    interrupter: &Interrupter,
) -> Result<(Classifier, Option<Calibration>), EvaluateError> {
    let precision = if config.half {
        Precision::Half
    } else {
        Precision::Single
    };
    if precision == Precision::Half {
        classifier = classifier.rounded()?;
    }
    let calibration = if config.calibrate {
        calibrate(&classifier, source.clone(), interrupter)?
    } else {
        None
    };
    if let Some(calibration) = &calibration {
        classifier = classifier.with_temperature(calibration.temperature);
    }
    classifier.save_as(path, precision)?;
    Ok((classifier, calibration))
}

/// Fits a temperature to the logits of the validation split; `None` if `interrupter` stops it.
fn calibrate(
    classifier: &Classifier,
    source: Arc<dyn DataSource>,
    interrupter: &Interrupter,
) -> Result<Option<Calibration>, EvaluateError> {
    let (mut rows, mut labels) = (Vec::new(), Vec::new());
    for batch in Loader::plain(source, Split::Valid, BATCH).batches(0) {
        let batch = batch?;
        if interrupter.should_stop() {
            return Ok(None);
        }
        rows.extend(classifier.outputs(batch.pixels, batch.labels.len())?);
        labels.extend(batch.labels);
    }
    Ok(Some(fit_temperature(&rows, &labels)))
}
