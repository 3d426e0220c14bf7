//! Accuracy: the fraction of the samples whose most probable class is the true one.

use super::metric::{BatchOutput, Direction, InEpochs, Measure, Metric, OnDevice, Outputs, Unit};

pub(super) static METRIC: Metric = Metric {
    name: "accuracy",
    title: "Accuracy",
    unit: Unit::Fraction,
    direction: Direction::HigherIsBetter,
    headline: true,
    applies: |outputs| matches!(outputs, Outputs::Classes(_)),
    in_epochs: InEpochs::Both,
    measure: Measure::Answer(|answer| f64::from(u8::from(answer.predicted == answer.label))),
    on_device: Some(of_batch),
};

fn of_batch(batch: &BatchOutput) -> OnDevice {
    let samples = batch.targets.dims()[0];
    let predicted = batch.output.clone().argmax(1).reshape([samples]);
    let hits = predicted.equal(batch.targets.clone()).int().sum();
    OnDevice {
        value: hits.float(),
        divisor: samples as f64,
    }
}
