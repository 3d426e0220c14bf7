//! A network with its loss, as burn-train trains and validates it.

use burn::nn::loss::CrossEntropyLossConfig;
use burn::prelude::*;
use burn::train::{InferenceStep, TrainOutput, TrainStep};

use super::batch::Batch;
use crate::config::{LossConfig, Reduction};
use crate::metrics::BatchOutput;
use crate::models::Network;
use crate::read_back;

/// Which of the two losses to compute.
#[derive(Clone, Copy)]
enum Objective {
    /// The loss that is minimised.
    Training,
    /// Without label smoothing and class weights, so that runs with and without them are comparable.
    Plain,
}

/// A network and the loss that it is trained on.
#[derive(Module, Debug)]
pub struct TrainModel {
    /// The network.
    pub network: Network,
    #[module(skip)]
    loss: LossConfig,
    /// Weight of each class in the training loss; `None` weighs all alike.
    #[module(skip)]
    class_weights: Option<Vec<f32>>,
}

impl TrainModel {
    /// A network under a loss that weighs all classes alike.
    pub fn new(network: Network, loss: &LossConfig) -> Self {
        Self {
            network,
            loss: loss.clone(),
            class_weights: None,
        }
    }

    /// Weighs each class in the training loss, which is then the weighted mean, as in PyTorch.
    pub fn with_class_weights(self, class_weights: Option<Vec<f32>>) -> Self {
        Self {
            class_weights,
            ..self
        }
    }

    /// The same loss of another network.
    pub fn with_network(self, network: Network) -> Self {
        Self { network, ..self }
    }

    /// What the mean training loss of a batch counts against that of another: its samples, or the weights of their classes.
    pub fn weight(&self, batch: &Batch) -> f64 {
        let Some(weights) = &self.class_weights else {
            return batch.indices.len() as f64;
        };
        // A device that fails reports it at the next step.
        let Ok(targets) = read_back::data(batch.targets.clone()) else {
            return 0.0;
        };
        let classes = targets.iter::<i64>();
        let weights = classes.filter_map(|class| weights.get(usize::try_from(class).ok()?));
        weights.map(|&weight| f64::from(weight)).sum()
    }

    /// How the losses of samples become the objective.
    pub fn reduction(&self) -> Reduction {
        self.loss.reduction
    }

    fn forward(&self, batch: &Batch) -> Tensor<2> {
        match (&batch.features, self.network.backbone()) {
            (Some(features), Some(backbone)) => backbone.classify(features.clone()),
            _ => self.network.forward(batch.images.clone()),
        }
    }

    /// Mean loss per sample, `[1]`. Classifiers: softmax cross-entropy, with label smoothing as in Szegedy et al. 2016.
    /// Autoencoders: the squared error, summed over the pixels.
    fn mean_loss(&self, output: Tensor<2>, batch: &Batch, objective: Objective) -> Tensor<1> {
        if let Some(originals) = &batch.originals {
            let samples = originals.dims()[0];
            let error = (output - originals.clone()).square().sum();
            return error.div_scalar(samples as f64);
        }
        let (smoothing, weights) = match objective {
            Objective::Training => (self.loss.label_smoothing, self.class_weights.clone()),
            Objective::Plain => (0.0, None),
        };
        CrossEntropyLossConfig::new()
            .with_smoothing((smoothing > 0.0).then_some(smoothing as f32))
            .with_weights(weights)
            .init(&output.device())
            .forward(output, batch.targets.clone())
    }

    /// The training loss that is minimised, `[1]`, and the output of the step.
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
