//! The `loss` section: what training minimises.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The training objective: softmax cross-entropy for classifiers, squared error summed over the pixels of an image for
/// autoencoders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LossConfig {
    /// How the losses of a batch are combined: `mean`, or `sum`, with which gradients grow with the batch size.
    pub reduction: Reduction,
    /// Fraction of the target probability that is spread evenly over all classes.
    #[schemars(range(min = 0.0, max = 0.9))]
    pub label_smoothing: f64,
    /// How samples are weighted by class in the training loss: `equal` or `balanced`.
    pub class_weights: ClassWeights,
}

impl Default for LossConfig {
    fn default() -> Self {
        Self {
            reduction: Reduction::Mean,
            label_smoothing: 0.0,
            class_weights: ClassWeights::Equal,
        }
    }
}

/// How samples are weighted by class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ClassWeights {
    /// Every sample has the same weight.
    #[default]
    Equal,
    /// Every class has the same total weight: a sample's weight is inversely proportional to the size of its class.
    Balanced,
}

/// How the losses of a batch become one number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Reduction {
    /// Average over the samples of the batch.
    #[default]
    Mean,
    /// Sum over the samples of the batch.
    Sum,
}
