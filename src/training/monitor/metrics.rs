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

use crate::config::Backend;
use crate::metrics::{
    self, BatchOutput, Direction, InEpochs, Metric, Metrics, OnDevice, Outputs, Unit,
};
use crate::read_back::ASYNCHRONOUS_INTERVAL;
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

/// Registers every metric that is followed epoch by epoch for a network with such outputs. On a device that computes asynchronously they
/// are read at an interval, and at the end of the epoch.
pub fn register(
    mut training: SupervisedTraining<TrainModel>,
    outputs: Outputs,
    backend: Backend,
) -> SupervisedTraining<TrainModel> {
    let interval = if backend.is_asynchronous() {
        ASYNCHRONOUS_INTERVAL
    } else {
        1
    };
    let mean = |metric| EpochMean::new(metric, outputs, interval);
    for metric in metrics::of(outputs).filter(|metric| metric.in_epochs != InEpochs::Never) {
        if metric.in_epochs == InEpochs::Both {
            training = training.metric_train_numeric(mean(metric));
        }
        training = training.metric_valid_numeric(mean(metric));
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
    /// Batches between two readings of their means.
    interval: usize,
    /// The means of the batches since the last reading, and their samples.
    unread: Vec<(OnDevice, usize)>,
    /// Whether anything of this epoch was read.
    is_read: bool,
}

impl EpochMean {
    /// The mean of a metric of a network with such outputs, which is read from the device after every `interval` batches (at least 1),
    /// and at the end of the epoch.
    pub fn new(metric: &'static Metric, outputs: Outputs, interval: usize) -> Self {
        Self {
            metric,
            outputs,
            name: Arc::new(metric.title.into()),
            state: NumericMetricState::default(),
            interval,
            unread: Vec::new(),
            is_read: false,
        }
    }

    /// Takes the mean of a batch.
    fn take(&mut self, batch: &BatchOutput) -> Result<(), TensorReadError> {
        let samples = batch.targets.dims()[0];
        let Some(on_device) = self.metric.on_device.filter(|_| self.interval > 1) else {
            let mean = self.metric.mean_of_batch(batch, self.outputs)?;
            self.add(mean, samples);
            return Ok(());
        };
        self.unread.push((on_device(batch), samples));
        if self.unread.len() >= self.interval {
            return self.read();
        }
        // Or operators that are still to be fused would keep the whole batch until the next reading. A device that fails says so then.
        let _ = batch.output.device().flush();
        Ok(())
    }

    /// Reads the means that are still on the device.
    fn read(&mut self) -> Result<(), TensorReadError> {
        let (means, samples): (Vec<OnDevice>, Vec<usize>) = self.unread.drain(..).unzip();
        for (mean, samples) in OnDevice::read_all(&means)?.into_iter().zip(samples) {
            self.add(mean, samples);
        }
        Ok(())
    }

    fn add(&mut self, mean: f64, samples: usize) {
        let (factor, _) = factors(self.metric.unit);
        self.state.update(factor * mean, samples);
        self.is_read = true;
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
        self.take(batch)?;
        Ok(if self.is_read {
            self.state.compute_update(self.format())
        } else {
            SerializedEntry::not_available(self.metric.unit.sign())
        })
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        self.read()?;
        Ok(self.state.compute_final(self.format()))
    }

    fn clear(&mut self) {
        self.unread.clear();
        self.is_read = false;
        self.state.reset();
    }
}

impl Numeric for EpochMean {
    fn value(&self) -> Option<NumericEntry> {
        self.is_read.then(|| self.state.current_value())
    }

    fn running_value(&self) -> Option<NumericEntry> {
        self.is_read.then(|| self.state.running_value())
    }

    fn final_value(&self) -> NumericEntry {
        self.state.final_value()
    }
}
