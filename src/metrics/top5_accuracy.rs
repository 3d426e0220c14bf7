//! Top-5 accuracy: the fraction of the samples whose true class is among the five most probable ones.

use super::classification::rank_of;
use super::metric::{BatchOutput, Direction, InEpochs, Measure, Metric, OnDevice, Outputs, Unit};

/// How many guesses there are.
const GUESSES: usize = 5;

pub(super) static METRIC: Metric = Metric {
    name: "top5_accuracy",
    title: "Top-5 accuracy",
    unit: Unit::Fraction,
    direction: Direction::HigherIsBetter,
    headline: false,
    // With five classes it is always 1.
    applies: |outputs| matches!(outputs, Outputs::Classes(classes) if classes > GUESSES),
    in_epochs: InEpochs::Validation,
    measure: Measure::Answer(|answer| {
        let rank = rank_of(answer.log_probabilities, answer.label);
        f64::from(u8::from(rank.is_some_and(|rank| rank < GUESSES)))
    }),
    on_device: Some(of_batch),
};

fn of_batch(batch: &BatchOutput) -> OnDevice {
    let samples = batch.targets.dims()[0];
    let guesses = batch.output.clone().argsort_descending(1);
    let guesses = guesses.narrow(1, 0, GUESSES);
    let targets = batch.targets.clone().reshape([samples, 1]);
    let hits = targets.repeat_dim(1, GUESSES).equal(guesses).int().sum();
    OnDevice {
        value: hits.float(),
        divisor: samples as f64,
    }
}
