//! The events that the training loop sends to burn-train, which computes the metrics and draws the progress.

use std::sync::Arc;

use burn::data::dataloader::Progress;
use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::train::metric::store::{EventStoreClient, Split};
use burn::train::{
    EventProcessorError, EventProcessorTraining, Interrupter, LearnerEvent,
    SupervisedTrainingEventProcessor, TrainingItem,
};

use crate::metrics::{BatchOutput, Metrics, Outputs};
use crate::progress::CancelToken;
use crate::training::batch::DeviceBatches;
use crate::training::error::TrainError;
use crate::training::monitor::metrics;
use crate::training::train_model::TrainModel;

/// Burn's worker that metrics and renderer run on.
pub type Processor = SupervisedTrainingEventProcessor<TrainModel>;

/// The training or validation part of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Training.
    Train,
    /// Validation.
    Valid,
}

impl Part {
    fn split(self) -> Split {
        match self {
            Part::Train => Split::Train,
            Part::Valid => Split::Valid,
        }
    }
}

/// The position in a part of an epoch after a batch.
#[derive(Debug, Clone, Copy)]
pub struct Position {
    /// Batches so far.
    pub step: usize,
    /// Samples so far ...
    pub samples: usize,
    /// ... of all of the part.
    pub total: usize,
}

impl Position {
    /// After a batch, counted from 1, of `total` samples; of a group's batches all samples count.
    pub fn after(step: usize, batches: &DeviceBatches, total: usize) -> Self {
        let samples = (step * batches.loader.batch_size).min(total);
        Self {
            step,
            samples,
            total,
        }
    }
}

/// The line to burn-train. An error of its worker stops the run.
pub struct Events {
    /// Computes metrics and draws progress.
    pub processor: Processor,
    /// Holds the metrics of completed epochs.
    pub store: Arc<EventStoreClient>,
    /// Stopped by the dashboard, or by an error.
    pub interrupter: Interrupter,
    /// Cancelled by the user.
    pub cancel: CancelToken,
}

impl Events {
    /// A part of an epoch begins.
    pub fn begin(&mut self, part: Part, epoch: usize, samples: usize) {
        let event = LearnerEvent::StartSplit {
            epoch_number: epoch,
            total_items: samples,
        };
        self.send(part, event);
    }

    /// A batch is done.
    pub fn step(
        &mut self,
        part: Part,
        output: BatchOutput,
        position: Position,
        rates: Option<ModuleLearningRate>,
    ) {
        let unit = Some("items".to_string());
        let progress = Progress::new(position.samples, position.total, unit);
        let item = TrainingItem::new(output, progress, Some(position.step), rates);
        self.send(part, LearnerEvent::ProcessedItem(item));
    }

    /// A part of an epoch is over.
    pub fn end(&mut self, part: Part, epoch: usize) {
        self.send(part, LearnerEvent::EndSplit(epoch));
    }

    /// An epoch is over; waits until its metrics exist.
    pub fn end_epoch(&mut self, epoch: usize) {
        self.send(Part::Train, LearnerEvent::EndEpoch(epoch));
        let flushed = self.processor.flush();
        self.interrupter.fail_on_error(flushed);
    }

    /// The metrics of a part of a completed epoch, by their names in files.
    pub fn metrics(&self, part: Part, epoch: usize, outputs: Outputs) -> Metrics {
        metrics::of_epoch(&self.store, epoch, &part.split(), outputs)
    }

    /// Whether the run is to stop after this batch.
    pub fn should_stop(&self) -> bool {
        self.interrupter.should_stop() || self.cancel.is_cancelled()
    }

    /// The error that burn-train stopped on.
    pub fn failure(&self) -> Option<TrainError> {
        let error = self.interrupter.error()?;
        Some(TrainError::stopped(&error.to_string()))
    }

    fn send(&mut self, part: Part, event: LearnerEvent<BatchOutput>) {
        let result: Result<(), EventProcessorError> = match part {
            Part::Train => self.processor.process_train(event),
            Part::Valid => self.processor.process_valid(event),
        };
        self.interrupter.fail_on_error(result);
    }
}
