//! One training step: forward pass, loss, backward pass, check for divergence, optimizer, running average.
//!
//! Training, the dry run and the benchmark all use [`TrainState::step`]. The number of threads is decided here and nowhere else.

use burn::lr_scheduler::LrSchedulerRecord;
use burn::lr_scheduler::module_lr_scheduler::{ModuleLearningRate, ModuleLrScheduler};
use burn::module::Module;
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::prelude::*;
use burn::store::ModuleRecord;
use burn::train::{TrainOutput, TrainStep};

use super::batch::Batch;
use super::divergence::{Divergence, LossWatch, largest_gradient};
use super::features::FeatureCache;
use super::optimization::average::Average;
use super::train_model::TrainModel;
use crate::kernels;
use crate::metrics::BatchOutput;
use crate::models::Network;
use crate::models::parameters::Group;
use crate::shape::ImageShape;

/// The work that a network does per image, which decides whether a pass is worth more than one thread.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    /// Multiply-adds of a forward pass of one image.
    forward: usize,
}

impl Workload {
    /// The work of a network on images of a shape.
    pub fn new(network: &Network, shape: ImageShape) -> Self {
        Self {
            forward: network.work(shape).forward,
        }
    }

    /// Runs a pass over `images` images: in the thread pool, or on this thread if the work is too small to share.
    pub fn run<R: Send>(self, images: usize, pass: impl FnOnce() -> R + Send) -> R {
        kernels::in_pool(self.forward * images, pass)
    }
}

/// Everything that a training step changes: network, optimizer, schedule and running average.
pub struct TrainState {
    model: TrainModel,
    optimizer: ModuleOptimizer,
    schedule: ModuleLrScheduler,
    /// The rates of the last step.
    rates: ModuleLearningRate,
    average: Option<Average>,
    workload: Workload,
}

impl TrainState {
    /// The state before the first step, on a device of training; the network sees images of `shape`.
    pub fn new(
        model: TrainModel,
        optimizer: ModuleOptimizer,
        schedule: impl Into<ModuleLrScheduler>,
        shape: ImageShape,
        device: &Device,
    ) -> Self {
        // A clone of a module shares the running statistics of its batch norms; a fork has its own.
        let model = model.fork(device);
        Self {
            workload: Workload::new(&model.network, shape),
            model,
            optimizer,
            schedule: schedule.into(),
            rates: 0.0.into(),
            average: None,
        }
    }

    /// The same with optimizer and schedule as a checkpoint has them.
    pub fn resumed(self, optimizer: OptimizerRecord, schedule: LrSchedulerRecord) -> Self {
        Self {
            optimizer: self.optimizer.load_record(optimizer),
            schedule: self.schedule.load_record(schedule),
            ..self
        }
    }

    /// The same with a running average of the weights, if there is one.
    pub fn with_average(self, average: Option<Average>) -> Self {
        Self { average, ..self }
    }

    /// Trains on one batch, with the cached features of frozen layers if there is a cache. `losses` decides whether the loss is
    /// checked now.
    ///
    /// # Errors
    /// A loss of this step, or an earlier one that had not been checked, is not finite. If it is this step's, its gradients are
    /// not applied.
    pub fn step(
        &mut self,
        batch: Batch,
        features: Option<&mut FeatureCache>,
        losses: &mut LossWatch,
    ) -> Result<BatchOutput, Divergence> {
        let images = batch.images.dims()[0];
        self.workload
            .run(images, || self.step_on_this_thread(batch, features, losses))
    }

    fn step_on_this_thread(
        &mut self,
        batch: Batch,
        features: Option<&mut FeatureCache>,
        losses: &mut LossWatch,
    ) -> Result<BatchOutput, Divergence> {
        let batch = match features {
            Some(features) => features.complete(&self.model.network, batch),
            None => batch,
        };
        let TrainOutput { grads, item } = TrainStep::step(&self.model, batch);
        self.rates = self.schedule.step();
        if let Err(divergence) = losses.take(&item.loss, self.learning_rate()) {
            let is_this_step = divergence.step == losses.steps();
            let largest = is_this_step.then(|| largest_gradient(&self.model.network, &grads));
            return Err(Divergence {
                largest: largest.flatten(),
                ..divergence
            });
        }
        let (rates, model) = (self.rates.clone(), self.model.clone());
        self.model = self.optimizer.step(rates, model, grads);
        if let Some(average) = &mut self.average {
            average.update(&self.model.network);
        }
        Ok(item)
    }

    /// Sets frozen parameters free.
    pub fn unfreeze(&mut self, group: &Group) {
        self.model = group.set(self.model.clone(), true);
    }

    /// The network in training, with its loss.
    pub fn model(&self) -> &TrainModel {
        &self.model
    }

    /// The weights that are validated and kept, ready for inference: the running average if there is one.
    pub fn weights_to_keep(&self) -> Network {
        match &self.average {
            Some(average) => average.network(),
            None => self.model.network.valid(),
        }
    }

    /// The running average of the weights.
    pub fn average(&self) -> Option<&Average> {
        self.average.as_ref()
    }

    /// The learning rate of the last step, of parameters without a factor of their own.
    pub fn learning_rate(&self) -> f64 {
        self.rates.base()
    }

    /// The learning rates of the last step.
    pub fn rates(&self) -> ModuleLearningRate {
        self.rates.clone()
    }

    /// What a checkpoint stores of model, optimizer and schedule.
    pub fn records(&self) -> (ModuleRecord, OptimizerRecord, LrSchedulerRecord) {
        (
            self.model.clone().into_record(),
            self.optimizer.to_record(),
            self.schedule.to_record(),
        )
    }
}
