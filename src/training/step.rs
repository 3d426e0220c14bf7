//! One training step: forward pass, loss, backward pass, check for divergence, optimizer, running average.
//!
//! Training, the dry run and the benchmark all use [`TrainState::step`]. The number of threads is decided here and nowhere else.

use std::sync::Arc;

use burn::lr_scheduler::LrSchedulerRecord;
use burn::lr_scheduler::module_lr_scheduler::{ModuleLearningRate, ModuleLrScheduler};
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer, OptimizerRecord};
use burn::prelude::*;
use burn::store::ModuleRecord;
use burn::train::{TrainOutput, TrainStep};

use super::batch::{Batch, DeviceBatches};
use super::divergence::{Divergence, LossWatch, largest_gradient};
use super::epochs::profile::{Phase, Profile, timed};
use super::features::FeatureCache;
use super::optimization::average::Average;
use super::ranks::{Contribution, SharedGradients, average_statistics};
use super::train_model::TrainModel;
use crate::config::{BatchNormScope, ParallelConfig};
use crate::device::is_asynchronous;
use crate::kernels::{self, ComputePrecision};
use crate::metrics::BatchOutput;
use crate::models::Network;
use crate::models::parameters::Group;
use crate::parallel::{self, Moment};
use crate::read_back;
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

    /// The same on a device; one that computes by itself needs no thread pool, and sees the operations of a thread in their order.
    pub fn on(self, device: &Device) -> Self {
        Self {
            forward: if is_asynchronous(device) {
                0
            } else {
                self.forward
            },
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
    /// The gradients of the other ranks or of parts of a batch, if there are any.
    shared: Option<SharedGradients>,
    /// Number of parts in which a share is computed, one after the other.
    parts: usize,
    /// If batch norms are to take their statistics over the batches of all ranks: what is computed where there are no samples.
    stand_in: Option<Batch>,
    profile: Option<Profile>,
    /// Of convolutions and their gradients.
    precision: ComputePrecision,
}

/// What a step has come to.
pub struct Stepped {
    /// The output for the samples of this process, with the loss of the whole batch; `None` if it had none.
    pub output: Option<BatchOutput>,
    /// Whether the run is to stop after it.
    pub ends: bool,
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
            workload: Workload::new(&model.network, shape).on(device),
            shared: None,
            parts: 1,
            stand_in: None,
            profile: None,
            precision: ComputePrecision::F32,
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

    /// The same with its time in a profile, if there is one.
    pub fn profiled(self, profile: Option<Profile>) -> Self {
        Self { profile, ..self }
    }

    /// The same with convolutions and their gradients in a precision.
    pub fn in_precision(self, precision: ComputePrecision) -> Self {
        Self { precision, ..self }
    }

    /// The same for one of the processes of a group that share `batches`, as the section `parallel` says.
    pub fn within(
        self,
        group: &Arc<dyn parallel::Group>,
        batches: &DeviceBatches,
        config: &ParallelConfig,
    ) -> Self {
        let reduction = self.model.reduction();
        let shared = || SharedGradients::new(group.clone(), reduction, &batches.device);
        let is_sync = config.batch_norm == BatchNormScope::Sync && !group.is_alone();
        let is_divided = !group.is_alone() || config.accumulate > 1;
        Self {
            shared: is_divided.then(shared),
            parts: config.accumulate,
            stand_in: is_sync.then(|| batches.stand_in()),
            ..self
        }
    }

    /// Trains on one batch, of which this process has a share, or no samples. `ends` is asked whether the run is to stop after this step:
    /// a process that is alone asks afterwards; of a group all have to know before.
    ///
    /// # Errors
    /// As those of [`step`](Self::step); on all processes at the same step.
    pub fn step_together(
        &mut self,
        share: Option<Batch>,
        features: Option<&mut FeatureCache>,
        losses: &mut LossWatch,
        moment: Moment,
        ends: &dyn Fn() -> bool,
    ) -> Result<Stepped, Divergence> {
        let Some(mut shared) = self.shared.take() else {
            let output = match share {
                Some(batch) => Some(self.step(batch, features, losses)?),
                None => None,
            };
            let ends = ends();
            return Ok(Stepped { output, ends });
        };
        let _precision = self.precision.scoped();
        let ends = ends();
        let images = share.as_ref().map_or(0, |batch| batch.images.dims()[0]);
        let mut outputs = Vec::with_capacity(self.parts);
        for part in self.divided(share, features) {
            match part {
                None => self.stand_by(&shared, moment),
                Some(part) => {
                    let (mine, output) = self.contribution(&shared, part, moment);
                    shared.add(&self.model.network, mine);
                    outputs.push(output);
                }
            }
        }
        // Outside of the pool, whose threads have the next batch to make.
        let profile = self.profile.clone();
        let total = || shared.total(&self.model.network, ends, moment);
        let total = timed(profile.as_ref(), Phase::Exchange, total);
        self.rates = self.schedule.step();
        let loss = Tensor::<1>::from_floats([total.loss as f32], shared.device());
        self.shared = Some(shared);
        self.check_loss(&loss, &total.gradients, losses)?;
        timed(profile.as_ref(), Phase::Update, || {
            self.workload.run(images, || self.apply(total.gradients));
        });
        Ok(Stepped {
            output: BatchOutput::joined(outputs).map(|output| BatchOutput { loss, ..output }),
            ends: total.ends,
        })
    }

    /// The parts in which this process computes its share, with the cached features if there is a cache; `None` for those without samples.
    fn divided(
        &self,
        share: Option<Batch>,
        features: Option<&mut FeatureCache>,
    ) -> Vec<Option<Batch>> {
        let share = match (share, features) {
            (Some(batch), Some(features)) => {
                let images = batch.images.dims()[0];
                let complete = || features.complete(&self.model.network, batch);
                let complete = || self.workload.run(images, complete);
                Some(timed(self.profile.as_ref(), Phase::Frozen, complete))
            }
            (share, _) => share,
        };
        match share {
            Some(batch) => batch.parts(self.parts),
            None => vec![None; self.parts],
        }
    }

    /// Takes part in the norms of a batch that this process has no samples of.
    fn stand_by(&self, shared: &SharedGradients, moment: Moment) {
        if let Some(stand_in) = &self.stand_in {
            let _norms = shared.batch_part(moment, 0, 0.0).scoped();
            drop(TrainStep::step(&self.model, stand_in.clone()));
        }
    }

    /// The gradients of a part of this process's share, and its output.
    fn contribution(
        &self,
        shared: &SharedGradients,
        part: Batch,
        moment: Moment,
    ) -> (Contribution, BatchOutput) {
        let (samples, weight) = (part.indices.len(), self.model.weight(&part));
        let images = part.images.dims()[0];
        let norms = self.stand_in.is_some();
        let norms = norms.then(|| shared.batch_part(moment, samples, weight));
        let step = || TrainStep::step(&self.model, part);
        let step = || match norms {
            None => self.workload.run(images, step),
            // Outside of the pool as well: the norms wait for other processes.
            Some(norms) => {
                let _norms = norms.scoped();
                step()
            }
        };
        let TrainOutput { grads, item } = timed(self.profile.as_ref(), Phase::Passes, step);
        // A device that fails reports it at the next step.
        let loss = read_back::scalar(item.loss.clone());
        let mine = Contribution {
            gradients: grads,
            samples,
            weight,
            loss: loss.unwrap_or(f64::NAN),
        };
        (mine, item)
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
        let _precision = self.precision.scoped();
        self.workload
            .run(images, || self.step_on_this_thread(batch, features, losses))
    }

    fn step_on_this_thread(
        &mut self,
        batch: Batch,
        features: Option<&mut FeatureCache>,
        losses: &mut LossWatch,
    ) -> Result<BatchOutput, Divergence> {
        let TrainOutput { grads, item } = self.forward_and_backward(batch, features);
        self.rates = self.schedule.step();
        self.check_loss(&item.loss, &grads, losses)?;
        let profile = self.profile.clone();
        timed(profile.as_ref(), Phase::Update, || self.apply(grads));
        Ok(item)
    }

    fn forward_and_backward(
        &self,
        batch: Batch,
        features: Option<&mut FeatureCache>,
    ) -> TrainOutput<BatchOutput> {
        let profile = self.profile.as_ref();
        let batch = match features {
            Some(features) => timed(profile, Phase::Frozen, || {
                features.complete(&self.model.network, batch)
            }),
            None => batch,
        };
        timed(profile, Phase::Passes, || {
            TrainStep::step(&self.model, batch)
        })
    }

    fn check_loss(
        &self,
        loss: &Tensor<1>,
        gradients: &GradientsParams,
        losses: &mut LossWatch,
    ) -> Result<(), Divergence> {
        losses
            .take(loss, self.learning_rate())
            .map_err(|divergence| {
                let is_this_step = divergence.step == losses.steps();
                let largest =
                    is_this_step.then(|| largest_gradient(&self.model.network, gradients));
                Divergence {
                    largest: largest.flatten(),
                    ..divergence
                }
            })
    }

    fn apply(&mut self, gradients: GradientsParams) {
        let (rates, model) = (self.rates.clone(), self.model.clone());
        self.model = self.optimizer.step(rates, model, gradients);
        if let Some(average) = &mut self.average {
            average.update(&self.model.network);
        }
    }

    /// Takes the means over all ranks of the running statistics of batch norms, at the end of an epoch.
    pub fn average_statistics(&mut self, group: &dyn parallel::Group, epoch: usize) {
        let model = self.model.clone();
        let network = average_statistics(group, epoch, model.network.clone());
        self.model = model.with_network(network);
        if let Some(average) = &mut self.average {
            average.change(|network| average_statistics(group, epoch, network));
        }
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
