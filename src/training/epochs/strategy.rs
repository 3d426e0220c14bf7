//! The hook by which burn-train runs kiln's training loop.
//!
//! Burn's own single-device strategy restores model, optimizer and schedule, but neither the order of the samples nor the random
//! state of dropout, and it keeps the last weights, not the best. [`EpochStrategy`] brings a [`TrainingLoop`] with its own
//! training state and batches, and takes from burn-train what it does well: metrics, dashboard and interruption.

use std::sync::{Arc, Mutex, PoisonError};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::prelude::*;
use burn::train::{
    Learner, SupervisedLearningStrategy, TrainLoader, TrainingComponents, ValidLoader,
};

use super::events::{Events, Processor};
use super::training_loop::TrainingLoop;
use crate::progress::CancelToken;
use crate::training::batch::Batch;
use crate::training::train_model::TrainModel;

/// Runs a [`TrainingLoop`], once.
pub struct EpochStrategy {
    training_loop: Mutex<Option<TrainingLoop>>,
    cancel: CancelToken,
}

impl EpochStrategy {
    /// A strategy for one launch, which `cancel` ends after a batch.
    pub fn new(training_loop: TrainingLoop, cancel: CancelToken) -> Self {
        Self {
            training_loop: Mutex::new(Some(training_loop)),
            cancel,
        }
    }
}

impl SupervisedLearningStrategy<TrainModel> for EpochStrategy {
    fn fit(
        &self,
        components: TrainingComponents<TrainModel>,
        learner: Learner<TrainModel>,
        _train: TrainLoader<TrainModel>,
        _valid: ValidLoader<TrainModel>,
        starting_epoch: usize,
    ) -> (TrainModel, Processor) {
        let mut events = Events {
            processor: components.event_processor,
            store: components.event_store,
            interrupter: components.interrupter,
            cancel: self.cancel.clone(),
        };
        let training_loop = self.training_loop.lock();
        let training_loop = training_loop.unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut training_loop) = training_loop else {
            return (learner.model(), events.processor);
        };
        training_loop.run(starting_epoch, &mut events);
        (training_loop.state.model().clone(), events.processor)
    }
}

/// The data loader that burn-train is given: empty, because the training loop makes the batches of each epoch itself. (Burn's
/// loaders do not know the number of the epoch, which order and augmentation depend on.)
pub struct NoBatches;

impl DataLoader<Batch> for NoBatches {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        Box::new(NoBatches)
    }

    fn num_items(&self) -> usize {
        0
    }

    fn to_device(&self, _device: &Device) -> Arc<dyn DataLoader<Batch>> {
        Arc::new(NoBatches)
    }

    fn slice(&self, _start: usize, _end: usize) -> Arc<dyn DataLoader<Batch>> {
        Arc::new(NoBatches)
    }
}

impl Iterator for NoBatches {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        None
    }
}

impl DataLoaderIterator<Batch> for NoBatches {
    fn progress(&self) -> Progress {
        Progress::new(0, 0, None)
    }
}
