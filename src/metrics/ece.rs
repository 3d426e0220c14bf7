//! The expected calibration error (ECE): how far confidences are from accuracies.

use super::classification::{ECE_BINS, expected_calibration_error};
use super::metric::{Direction, InEpochs, Measure, Metric, Outputs, Unit};

/// Over 15 bins, at the classifier's temperature.
pub(super) static METRIC: Metric = Metric {
    name: "ece",
    title: "ECE",
    unit: Unit::Plain,
    direction: Direction::LowerIsBetter,
    headline: false,
    applies: |outputs| matches!(outputs, Outputs::Classes(_)),
    in_epochs: InEpochs::Never,
    measure: Measure::Split(|split| of(split.confidences)),
    on_device: None,
};

/// The same without the temperature, of a classifier that was calibrated.
pub(super) static UNCALIBRATED: Metric = Metric {
    name: "ece_uncalibrated",
    title: "ECE uncalibrated",
    measure: Measure::Split(|split| of(split.uncalibrated)),
    ..METRIC
};

fn of(confidences: &[(f32, bool)]) -> Option<f64> {
    let is_measured = !confidences.is_empty();
    is_measured.then(|| expected_calibration_error(confidences, ECE_BINS))
}
