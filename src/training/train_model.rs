//! The trainee: a network with its loss, as burn-train's learner wants it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::prelude::*;
use burn::train::{InferenceStep, ItemLazy, TrainOutput, TrainStep};

use super::batch::{Batch, EpochCounter};
use super::param_groups::Thaw;
use crate::config::{LossConfig, Reduction};
use crate::metrics::BatchOutput;
use crate::models::Network;

impl ItemLazy for BatchOutput {
    fn sync(self) -> Result<Self, burn::tensor::ExecutionError> {
        // The metrics read back single numbers; off the autodiff tape they don't keep the graph alive.
        self.loss.device().flush()?;
        Ok(Self {
            loss: self.loss.without_autodiff(),
            output: self.output.without_autodiff(),
            targets: self.targets.without_autodiff(),
            originals: self.originals.map(Tensor::without_autodiff),
        })
    }
}

/// Which loss is asked for.
#[derive(Clone, Copy)]
enum Objective {
    /// What is minimised.
    Training,
    /// Without label smoothing and class weights, so that runs with and without them compare.
    Plain,
}

/// A network and the loss that it is trained on.
#[derive(Module, Debug)]
pub struct TrainModel {
    /// The network.
    pub network: Network,
    #[module(skip)]
    loss: LossConfig,
    /// How much a sample of each class counts; `None` is all alike.
    #[module(skip)]
    weights: Option<Vec<f32>>,
    #[module(skip)]
    thaws: Arc<Vec<Thaw>>,
    #[module(skip)]
    epoch: EpochCounter,
}

impl TrainModel {
    /// Puts a network under a loss.
    pub fn new(network: Network, loss: &LossConfig) -> Self {
        Self {
            network,
            loss: loss.clone(),
            weights: None,
            thaws: Arc::default(),
            epoch: EpochCounter::default(),
        }
    }

    /// In training a sample of each class counts so much; the loss is then the weighted mean, as PyTorch's.
    pub fn weighing(self, weights: Option<Vec<f32>>) -> Self {
        Self { weights, ..self }
    }

    /// Frozen parameters that begin to train with an epoch that `epoch` counts.
    pub fn thawing(self, thaws: Vec<Thaw>, epoch: EpochCounter) -> Self {
        Self {
            thaws: Arc::new(thaws),
            epoch,
            ..self
        }
    }

    /// Whether something begins to train with this epoch.
    pub fn thaws_with(&self, epoch: usize) -> bool {
        self.thaws.iter().any(|thaw| thaw.epoch == epoch)
    }

    fn forward(&self, batch: &Batch) -> Tensor<2> {
        match (&batch.features, self.network.backbone()) {
            (Some(features), Some(backbone)) => backbone.classify(features.clone()),
            _ => self.network.forward(batch.images.clone()),
        }
    }

    /// Mean loss per sample. Classifiers: softmax cross-entropy; label smoothing as in Szegedy et al. 2016. Autoencoders: squared
    /// error, summed over the pixels.
    fn mean_loss(&self, output: Tensor<2>, batch: &Batch, objective: Objective) -> Tensor<1> {
        if let Some(originals) = &batch.originals {
            let samples = originals.dims()[0];
            let error = (output - originals.clone()).square().sum();
            return error.div_scalar(samples as f64);
        }
        let (smoothing, weights) = match objective {
            Objective::Training => (self.loss.label_smoothing, self.weights.clone()),
            Objective::Plain => (0.0, None),
        };
        CrossEntropyLossConfig::new()
            .with_smoothing((smoothing > 0.0).then_some(smoothing as f32))
            .with_weights(weights)
            .init(&output.device())
            .forward(output, batch.targets.clone())
    }

    /// What is minimised, `[1]`, and what a step leaves.
    pub fn objective(&self, batch: Batch) -> (Tensor<1>, BatchOutput) {
        let output = self.forward(&batch);
        let samples = batch.targets.dims()[0];
        let loss = self.mean_loss(output.clone(), &batch, Objective::Training);
        let objective = match self.loss.reduction {
            Reduction::Mean => loss.clone(),
            Reduction::Sum => loss.clone().mul_scalar(samples as f64),
        };
        let output = BatchOutput {
            loss,
            output,
            targets: batch.targets,
            originals: batch.originals,
        };
        (objective, output)
    }
}

impl TrainStep for TrainModel {
    type Input = Batch;
    type Output = BatchOutput;

    fn step(&self, batch: Batch) -> TrainOutput<BatchOutput> {
        let (objective, output) = self.objective(batch);
        TrainOutput::new(self, objective.backward(), output)
    }

    fn optimize(
        self,
        optimizer: &mut ModuleOptimizer,
        rate: ModuleLearningRate,
        gradients: GradientsParams,
    ) -> Self {
        let mut moved = optimizer.step(rate, self, gradients);
        let epoch = moved.epoch.load(Ordering::Relaxed);
        let thaws = moved.thaws.clone();
        for thaw in thaws.iter().filter(|thaw| thaw.epoch == epoch) {
            moved = thaw.group.set(moved, true);
        }
        moved
    }
}

impl InferenceStep for TrainModel {
    type Input = Batch;
    type Output = BatchOutput;

    fn step(&self, batch: Batch) -> BatchOutput {
        let output = self.forward(&batch);
        let loss = self.mean_loss(output.clone(), &batch, Objective::Plain);
        BatchOutput {
            loss,
            output,
            targets: batch.targets,
            originals: batch.originals,
        }
    }
}
