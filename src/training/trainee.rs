//! The trainee: a network with its loss, as burn-train's learner wants it.

use burn::nn::loss::CrossEntropyLossConfig;
use burn::prelude::*;
use burn::train::metric::{AccuracyInput, Adaptor, TopKAccuracyInput};
use burn::train::{InferenceStep, ItemLazy, TrainOutput, TrainStep};

use super::measures::LossInput;
use crate::config::experiment::{LossConfig, Reduction};
use crate::models::Network;

/// A batch on the device.
#[derive(Debug, Clone)]
pub struct Batch {
    /// `[batch, channels, height, width]`, normalised.
    pub images: Tensor<4>,
    /// Class indices `[batch]`.
    pub targets: Tensor<1, Int>,
}

/// What a step leaves for the metrics.
pub struct StepOutput {
    /// Mean loss per sample, `[1]`, whatever the reduction of the objective.
    pub loss: Tensor<1>,
    /// Logits `[batch, classes]`.
    pub logits: Tensor<2>,
    /// Class indices `[batch]`.
    pub targets: Tensor<1, Int>,
}

impl ItemLazy for StepOutput {
    fn sync(self) -> Result<Self, burn::tensor::ExecutionError> {
        // The metrics read back single numbers; off the autodiff tape they don't keep the graph alive.
        self.loss.device().flush()?;
        Ok(Self {
            loss: self.loss.without_autodiff(),
            logits: self.logits.without_autodiff(),
            targets: self.targets.without_autodiff(),
        })
    }
}

impl Adaptor<AccuracyInput> for StepOutput {
    fn adapt(&self) -> AccuracyInput {
        AccuracyInput::new(self.logits.clone(), self.targets.clone())
    }
}

impl Adaptor<TopKAccuracyInput> for StepOutput {
    fn adapt(&self) -> TopKAccuracyInput {
        TopKAccuracyInput::new(self.logits.clone(), self.targets.clone())
    }
}

impl Adaptor<LossInput> for StepOutput {
    fn adapt(&self) -> LossInput {
        LossInput {
            mean: self.loss.clone(),
            samples: self.targets.dims()[0],
        }
    }
}

/// A network and the loss that it is trained on.
#[derive(Module, Debug)]
pub struct Trainee {
    /// The network.
    pub network: Network,
    #[module(skip)]
    loss: LossConfig,
}

impl Trainee {
    /// Puts a network under a loss.
    pub fn new(network: Network, loss: &LossConfig) -> Self {
        Self {
            network,
            loss: loss.clone(),
        }
    }

    /// Mean softmax cross-entropy per sample; `smoothing` as in Szegedy et al. 2016.
    fn mean_loss(&self, logits: Tensor<2>, targets: Tensor<1, Int>, smoothing: f64) -> Tensor<1> {
        CrossEntropyLossConfig::new()
            .with_smoothing((smoothing > 0.0).then_some(smoothing as f32))
            .init(&logits.device())
            .forward(logits, targets)
    }
}

impl TrainStep for Trainee {
    type Input = Batch;
    type Output = StepOutput;

    fn step(&self, batch: Batch) -> TrainOutput<StepOutput> {
        let logits = self.network.forward(batch.images);
        let samples = batch.targets.dims()[0];
        let loss = self.mean_loss(
            logits.clone(),
            batch.targets.clone(),
            self.loss.label_smoothing,
        );
        let objective = match self.loss.reduction {
            Reduction::Mean => loss.clone(),
            Reduction::Sum => loss.clone().mul_scalar(samples as f64),
        };
        let output = StepOutput {
            loss,
            logits,
            targets: batch.targets,
        };
        TrainOutput::new(self, objective.backward(), output)
    }
}

impl InferenceStep for Trainee {
    type Input = Batch;
    type Output = StepOutput;

    fn step(&self, batch: Batch) -> StepOutput {
        let logits = self.network.forward(batch.images);
        // Without smoothing, so that runs with and without it compare.
        let loss = self.mean_loss(logits.clone(), batch.targets.clone(), 0.0);
        StepOutput {
            loss,
            logits,
            targets: batch.targets,
        }
    }
}
