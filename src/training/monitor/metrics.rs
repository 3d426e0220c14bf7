//! The metrics of the catalogue as burn-train follows them: the mean over the samples of an epoch.

use std::sync::Arc;

use burn::tensor::TensorReadError;
use burn::train::SupervisedTraining;
use burn::train::metric::state::{FormatOptions, NumericMetricState};
use burn::train::metric::store::{Aggregate, EventStoreClient, Split};
use burn::train::metric::{
    Adaptor, Metric as BurnMetric, MetricAttributes, MetricMetadata, MetricName, Numeric,
    NumericAttributes, NumericEntry, SerializedEntry,
};

use crate::metrics::{self, BatchOutput, Direction, InEpochs, Metric, Metrics, Outputs, Unit};
use crate::training::train_model::TrainModel;

/// Decimals of a value on the dashboard.
const DECIMALS: usize = 3;

/// burn-train's dashboard shows fractions in percent: the factor from a value to what it is given, and the one back.
fn factors(unit: Unit) -> (f64, f64) {
    match unit {
        Unit::Fraction => (100.0, 0.01),
        Unit::Plain | Unit::Decibels => (1.0, 1.0),
    }
}

/// Registers every metric that is followed epoch by epoch for a network with such outputs.
pub fn register(
    mut training: SupervisedTraining<TrainModel>,
    outputs: Outputs,
) -> SupervisedTraining<TrainModel> {
    for metric in metrics::of(outputs).filter(|metric| metric.in_epochs != InEpochs::Never) {
        if metric.in_epochs == InEpochs::Both {
            training = training.metric_train_numeric(EpochMean::new(metric, outputs));
        }
        training = training.metric_valid_numeric(EpochMean::new(metric, outputs));
    }
    training
}

/// The metrics of a finished epoch, over one of its splits.
pub fn of_epoch(
    store: &EventStoreClient,
    epoch: usize,
    split: &Split,
    outputs: Outputs,
) -> Metrics {
    let value = |metric: &'static Metric| {
        let value = store.find_metric(metric.title, epoch, Aggregate::Mean, split)?;
        let (_, back) = factors(metric.unit);
        Some((metric.name.to_string(), value * back))
    };
    metrics::of(outputs).filter_map(value).collect()
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
        let (factor, _) = factors(self.metric.unit);
        self.state.update(factor * mean, batch.targets.dims()[0]);
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
