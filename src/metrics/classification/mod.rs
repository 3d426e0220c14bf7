//! Arithmetic about classifiers: the confusion matrix, ranks of the true class, and calibration.

mod calibration;
mod confusion;
mod rank;

pub use calibration::{
    Calibration, ECE_BINS, expected_calibration_error, fit_temperature, log_probabilities,
};
pub use confusion::{ClassReport, ConfusedPair, Confusion, ConfusionError};
pub use rank::rank_of;
