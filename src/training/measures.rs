//! The metrics that are followed during training, and their names in files.

use std::sync::Arc;

use burn::prelude::*;
use burn::tensor::TensorReadError;
use burn::train::metric::state::{FormatOptions, NumericMetricState};
use burn::train::metric::{
    Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry,
    SerializedEntry,
};

/// The `k` of top-k accuracy.
pub const TOP_K: usize = 5;

/// Name of top-k accuracy in files.
pub const TOP_K_NAME: &str = "top5_accuracy";

/// Name of the accuracy metric inside burn-train.
pub const ACCURACY: &str = "Accuracy";

/// `(name inside burn-train, name in files, factor)`; burn-train counts rates in percent, files in fractions of 1.
pub fn file_names() -> [(String, &'static str, f64); 3] {
    [
        ("Loss".into(), "loss", 1.0),
        (ACCURACY.into(), "accuracy", 0.01),
        (format!("Top-K Accuracy @ TopK({TOP_K})"), TOP_K_NAME, 0.01),
    ]
}

/// What the loss metric takes from a step.
pub struct LossInput {
    /// Mean loss of the batch, `[1]`.
    pub mean: Tensor<1>,
    /// Samples in the batch.
    pub samples: usize,
}

/// Mean loss per sample over an epoch. (burn-train's own weighs a short last batch like a full one.)
#[derive(Clone)]
pub struct MeanLoss {
    name: MetricName,
    state: NumericMetricState,
}

impl Default for MeanLoss {
    fn default() -> Self {
        Self {
            name: Arc::new("Loss".into()),
            state: NumericMetricState::default(),
        }
    }
}

impl MeanLoss {
    fn format(&self) -> FormatOptions {
        FormatOptions::new(self.name()).precision(3)
    }
}

impl Metric for MeanLoss {
    type Input = LossInput;

    fn name(&self) -> MetricName {
        self.name.clone()
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes {
            unit: None,
            higher_is_better: false,
        }
        .into()
    }

    fn update(
        &mut self,
        input: &LossInput,
        _metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        let mean = input.mean.clone().try_into_scalar::<f64>()?;
        self.state.update(mean, input.samples);
        Ok(self.state.compute_update(self.format()))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.state.compute_final(self.format()))
    }

    fn clear(&mut self) {
        self.state.reset();
    }
}

impl Numeric for MeanLoss {
    fn value(&self) -> Option<NumericEntry> {
        Some(self.state.current_value())
    }

    fn running_value(&self) -> Option<NumericEntry> {
        Some(self.state.running_value())
    }

    fn final_value(&self) -> NumericEntry {
        self.state.final_value()
    }
}
