//! The metrics that are followed during training, and their names in files.

use std::marker::PhantomData;
use std::sync::Arc;

use burn::prelude::*;
use burn::tensor::TensorReadError;
use burn::train::metric::state::{FormatOptions, NumericMetricState};
use burn::train::metric::{
    AccuracyInput, Adaptor, Metric, MetricAttributes, MetricMetadata, MetricName, Numeric,
    NumericAttributes, NumericEntry, SerializedEntry, TopKAccuracyInput,
};

use crate::metrics::image::{HIGHEST_PSNR, LEAST_RANGE};
use crate::metrics::{TOP_K, TOP_K_NAME};
use crate::models::Task;
use crate::training::batch::StepOutput;

/// Name of the accuracy metric inside burn-train.
pub const ACCURACY: &str = "Accuracy";

/// The metric by which epochs are compared, under its name in files; higher is better.
pub fn decisive(task: Task) -> &'static str {
    match task {
        Task::Classify => "accuracy",
        Task::Reconstruct => "psnr",
    }
}

/// `(name inside burn-train, name in files, factor)`; burn-train counts rates in percent, files in fractions of 1.
pub fn file_names() -> [(String, &'static str, f64); 4] {
    [
        (Loss::NAME.into(), "loss", 1.0),
        (ACCURACY.into(), "accuracy", 0.01),
        (format!("Top-K Accuracy @ TopK({TOP_K})"), TOP_K_NAME, 0.01),
        (Psnr::NAME.into(), "psnr", 1.0),
    ]
}

/// What a [`SampleMean`] is the mean of.
pub trait Measure: Send + Sync + Clone + 'static {
    /// Name inside burn-train.
    const NAME: &'static str;
    /// Whether more is better.
    const HIGHER_IS_BETTER: bool;
}

/// The loss of a sample.
#[derive(Debug, Clone, Copy)]
pub struct Loss;

impl Measure for Loss {
    const NAME: &'static str = "Loss";
    const HIGHER_IS_BETTER: bool = false;
}

/// The peak signal-to-noise ratio of an image in dB.
#[derive(Debug, Clone, Copy)]
pub struct Psnr;

impl Measure for Psnr {
    const NAME: &'static str = "PSNR";
    const HIGHER_IS_BETTER: bool = true;
}

/// What a metric takes from a step.
pub struct BatchMean<K> {
    /// Mean over the batch, `[1]`.
    pub mean: Tensor<1>,
    /// Samples in the batch.
    pub samples: usize,
    /// Of what.
    pub of: PhantomData<K>,
}

/// Mean over all samples of an epoch. (burn-train's own weighs a short last batch like a full one.)
#[derive(Clone)]
pub struct SampleMean<K> {
    name: MetricName,
    state: NumericMetricState,
    of: PhantomData<K>,
}

impl<K: Measure> Default for SampleMean<K> {
    fn default() -> Self {
        Self {
            name: Arc::new(K::NAME.into()),
            state: NumericMetricState::default(),
            of: PhantomData,
        }
    }
}

impl<K: Measure> SampleMean<K> {
    fn format(&self) -> FormatOptions {
        FormatOptions::new(self.name()).precision(3)
    }
}

impl<K: Measure> Metric for SampleMean<K> {
    type Input = BatchMean<K>;

    fn name(&self) -> MetricName {
        self.name.clone()
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes {
            unit: None,
            higher_is_better: K::HIGHER_IS_BETTER,
        }
        .into()
    }

    fn update(
        &mut self,
        input: &BatchMean<K>,
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

impl<K: Measure> Numeric for SampleMean<K> {
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

impl Adaptor<AccuracyInput> for StepOutput {
    fn adapt(&self) -> AccuracyInput {
        AccuracyInput::new(self.output.clone(), self.targets.clone())
    }
}

impl Adaptor<TopKAccuracyInput> for StepOutput {
    fn adapt(&self) -> TopKAccuracyInput {
        TopKAccuracyInput::new(self.output.clone(), self.targets.clone())
    }
}

impl Adaptor<BatchMean<Loss>> for StepOutput {
    fn adapt(&self) -> BatchMean<Loss> {
        BatchMean {
            mean: self.loss.clone(),
            samples: self.targets.dims()[0],
            of: PhantomData,
        }
    }
}

impl Adaptor<BatchMean<Psnr>> for StepOutput {
    fn adapt(&self) -> BatchMean<Psnr> {
        let mean = match &self.originals {
            Some(originals) => mean_psnr(originals.clone(), self.output.clone()),
            None => self.loss.zeros_like(),
        };
        BatchMean {
            mean,
            samples: self.targets.dims()[0],
            of: PhantomData,
        }
    }
}

/// [`psnr`](crate::metrics::image::psnr), the mean of a batch, `[1]`.
fn mean_psnr(originals: Tensor<2>, found: Tensor<2>) -> Tensor<1> {
    let range = originals.clone().max_dim(1) - originals.clone().min_dim(1);
    let flat = range.clone().lower_elem(LEAST_RANGE);
    let range = range.mask_fill(flat, 1.0);
    let error = (originals - found).square().mean_dim(1);
    // 20 log10(range) - 10 log10(error)
    let ratio = error / range.square();
    let least = 10f64.powf(-HIGHEST_PSNR / 10.0);
    let decibels = ratio
        .clamp_min(least)
        .log()
        .mul_scalar(-10.0 / std::f64::consts::LN_10);
    decibels.mean()
}
