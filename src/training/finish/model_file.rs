//! The model file of a run: the trained network, rounded to half precision and calibrated if the experiment asks for it.

use std::path::Path;
use std::sync::Arc;

use crate::config::TrainingConfig;
use crate::data::loader::Loader;
use crate::data::{DataError, DataSource, Split};
use crate::evaluation::EvaluateError;
use crate::inference::{BATCH, Classifier, Precision};
use crate::metrics::classification::{Calibration, fit_temperature};
use crate::progress::CancelToken;

/// Writes a run's model to `path`; returns the model as the file holds it, and the effect of the calibration.
///
/// It is rounded first and then calibrated, so that everything afterwards is measured on what the file holds. An interrupted run
/// leaves the model uncalibrated.
pub fn write_model(
    mut classifier: Classifier,
    config: &TrainingConfig,
    source: &Arc<dyn DataSource>,
    path: &Path,
    cancel: &CancelToken,
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
        calibrate(&classifier, source.clone(), cancel)?
    } else {
        None
    };
    if let Some(calibration) = &calibration {
        classifier = classifier.with_temperature(calibration.temperature);
    }
    classifier.save_as(path, precision)?;
    Ok((classifier, calibration))
}

/// Fits a temperature to the logits of the validation split; `None` if it is cancelled.
fn calibrate(
    classifier: &Classifier,
    source: Arc<dyn DataSource>,
    cancel: &CancelToken,
) -> Result<Option<Calibration>, EvaluateError> {
    let (mut rows, mut labels) = (Vec::new(), Vec::new());
    let loader = Loader {
        cancel: cancel.clone(),
        ..Loader::plain(source, Split::Valid, BATCH)
    };
    for batch in loader.batches(0) {
        let batch = match batch {
            Err(DataError::Cancelled(_)) => return Ok(None),
            batch => batch?,
        };
        rows.extend(classifier.outputs(batch.pixels, batch.labels.len())?);
        labels.extend(batch.labels);
    }
    Ok(Some(fit_temperature(&rows, &labels)))
}
