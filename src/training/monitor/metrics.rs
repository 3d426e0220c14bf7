//! The metrics of the catalogue as burn-train follows them: the mean over the samples of an epoch.

use std::sync::Arc;

use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::tensor::TensorReadError;
use burn::train::metric::state::{FormatOptions, NumericMetricState};
use burn::train::metric::{
    Adaptor, Metric as BurnMetric, MetricAttributes, MetricMetadata, MetricName, Numeric,
    NumericAttributes, NumericEntry, SerializedEntry,
};

use crate::metrics::{BatchOutput, Direction, Metric, Outputs, Unit};

/// Decimals of a value on the dashboard.
const DECIMALS: usize = 3;

/// What burn-train multiplies a value by, and files multiply it by again: its dashboard shows rates in percent.
pub fn scale(metric: &Metric) -> (f64, f64) {
    match metric.unit {
        Unit::Fraction => (100.0, 0.01),
        Unit::Plain | Unit::Decibels => (1.0, 1.0),
    }
}

impl Adaptor<BatchOutput> for BatchOutput {
    fn adapt(&self) -> BatchOutput {
        self.clone()
    }
}

/// Mean over all samples of an epoch. (burn-train's own weighs a short last batch like a full one.)
#[derive(Clone)]
pub struct EpochMean {
    metric: &'static Metric,
    outputs: Outputs,
    name: MetricName,
    state: NumericMetricState,
}

impl EpochMean {
    /// The mean of a metric of a network with such outputs.
    pub fn new(metric: &'static Metric, outputs: Outputs) -> Self {
        Self {
            metric,
            outputs,
            name: Arc::new(metric.title.into()),
            state: NumericMetricState::default(),
        }
    }

    fn format(&self) -> FormatOptions {
        let format = FormatOptions::new(self.name()).precision(DECIMALS);
        match self.metric.unit.sign() {
            Some(sign) => format.unit(sign),
            None => format,
        }
    }
}

impl BurnMetric for EpochMean {
    type Input = BatchOutput;

    fn name(&self) -> MetricName {
        self.name.clone()
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes {
            unit: self.metric.unit.sign().map(String::from),
            higher_is_better: self.metric.direction == Direction::HigherIsBetter,
        }
        .into()
    }

    fn update(
        &mut self,
        batch: &BatchOutput,
        _metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        let mean = self.metric.mean_of_batch(batch, self.outputs)?;
        let (scale, _) = scale(self.metric);
        self.state.update(scale * mean, batch.targets.dims()[0]);
        Ok(self.state.compute_update(self.format()))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.state.compute_final(self.format()))
    }

    fn clear(&mut self) {
        self.state.reset();
    }
}

impl Numeric for EpochMean {
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
