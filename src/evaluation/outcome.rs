//! What an evaluation found.

use crate::metrics::Metrics;
use crate::metrics::classification::Confusion;
use crate::report::{Mistake, Reconstruction};

/// What an evaluation found.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// Every metric of the catalogue that applies to the model's outputs.
    pub metrics: Metrics,
    /// True and predicted classes; `None` for an autoencoder.
    pub confusion: Option<Confusion>,
    /// The most confident of a classifier's mistakes.
    pub mistakes: Vec<Mistake>,
    /// A few of an autoencoder's reconstructions.
    pub reconstructions: Vec<Reconstruction>,
    /// Number of samples.
    pub samples: usize,
}
