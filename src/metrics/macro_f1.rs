//! Macro F1: the mean over the classes of the harmonic mean of precision and recall.

use super::metric::{Direction, InEpochs, Measure, Metric, Outputs, Unit};

pub(super) static METRIC: Metric = Metric {
    name: "macro_f1",
    title: "Macro F1",
    unit: Unit::Fraction,
    direction: Direction::HigherIsBetter,
    headline: true,
    applies: |outputs| matches!(outputs, Outputs::Classes(_)),
    in_epochs: InEpochs::Never,
    measure: Measure::Split(|split| Some(split.confusion.macro_f1())),
    on_device: None,
};
