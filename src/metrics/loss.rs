//! The loss, without label smoothing and class weights when a split is evaluated.

use super::metric::{BatchOutput, Direction, InEpochs, Measure, Metric, OnDevice, Outputs, Unit};

/// Of a classifier: the cross-entropy, the mean of `-ln(probability of the true class)`.
pub(super) static CROSS_ENTROPY: Metric = Metric {
    name: "loss",
    title: "Loss",
    unit: Unit::Plain,
    direction: Direction::LowerIsBetter,
    headline: false,
    applies: |outputs| matches!(outputs, Outputs::Classes(_)),
    in_epochs: InEpochs::Both,
    measure: Measure::Answer(|answer| -f64::from(answer.log_probabilities[answer.label])),
    on_device: Some(of_batch),
};

/// Of an autoencoder: the squared error, summed over the values of an image.
pub(super) static SQUARED_ERROR: Metric = Metric {
    applies: |outputs| matches!(outputs, Outputs::Images(_)),
    measure: Measure::Image(|pair| {
        let values = pair.original.iter().zip(pair.output);
        values
            .map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2))
            .sum()
    }),
    ..CROSS_ENTROPY
};

/// The step has computed it already.
fn of_batch(batch: &BatchOutput) -> OnDevice {
    OnDevice {
        value: batch.loss.clone(),
        divisor: 1.0,
    }
}
