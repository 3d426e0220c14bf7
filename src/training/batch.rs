//! The loader's batches on a device, as burn-train's learner wants them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::prelude::*;

use crate::data::NormalizeConfig;
use crate::data::loader::{Batches, HostBatch, Loader};
use crate::inference::to_input;
use crate::models::Task;

/// A batch on the device.
#[derive(Debug, Clone)]
pub struct Batch {
    /// `[batch, channels, height, width]`, normalised.
    pub images: Tensor<4>,
    /// Class indices `[batch]`.
    pub targets: Tensor<1, Int>,
    /// For autoencoders: the images as they are to come out, `[batch, pixels]` in [0, 1].
    pub originals: Option<Tensor<2>>,
    /// Position of each sample in its split.
    pub indices: Vec<usize>,
    /// What frozen layers made of the images, if it is known already.
    pub features: Option<Tensor<4>>,
}

/// The number of the current epoch, set by the strategy: burn-train itself does not tell a loader.
pub type EpochCounter = Arc<AtomicUsize>;

/// A [`Loader`] that puts its batches on a device.
#[derive(Clone)]
pub struct DeviceBatches {
    /// Makes the batches.
    pub loader: Loader,
    /// How values are normalised.
    pub normalize: Option<NormalizeConfig>,
    /// Which epoch's order and augmentation to use.
    pub epoch: EpochCounter,
    /// Where the batches go.
    pub device: Device,
    /// What the batches are for.
    pub task: Task,
}

impl DeviceBatches {
    /// A batch of the loader on the device.
    pub fn upload(&self, batch: HostBatch) -> Batch {
        let count = batch.labels.len();
        let targets: Vec<i32> = batch
            .labels
            .iter()
            .map(|&label| i32::try_from(label).unwrap_or(i32::MAX))
            .collect();
        let shape = self.loader.source.shape();
        let originals = (self.task == Task::Reconstruct).then(|| {
            let data = TensorData::new(batch.pixels.clone(), [count, shape.values()]);
            Tensor::from_data(data, &self.device)
        });
        Batch {
            images: to_input(
                batch.pixels,
                count,
                shape,
                self.normalize.as_ref(),
                &self.device,
            ),
            targets: Tensor::from_data(TensorData::new(targets, [count]), &self.device),
            originals,
            indices: batch.indices,
            features: None,
        }
    }
}

impl DataLoader<Batch> for DeviceBatches {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        let epoch = self.epoch.load(Ordering::Relaxed);
        Box::new(DeviceIterator {
            batches: self.loader.batches(epoch),
            owner: self,
            done: 0,
        })
    }

    fn num_items(&self) -> usize {
        self.loader.samples()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        Arc::new(Self {
            device: device.clone(),
            ..self.clone()
        })
    }

    fn slice(&self, _start: usize, _end: usize) -> Arc<dyn DataLoader<Batch>> {
        // Only strategies over several devices ask for slices; kiln's strategy has one device.
        unimplemented!("kiln trains on one device")
    }
}

struct DeviceIterator<'a> {
    batches: Batches,
    owner: &'a DeviceBatches,
    done: usize,
}

impl Iterator for DeviceIterator<'_> {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(match self.batches.next()? {
            Ok(batch) => {
                self.done += batch.labels.len();
                Ok(self.owner.upload(batch))
            }
            Err(error) => Err(DatasetError::new(error)),
        })
    }
}

impl DataLoaderIterator<Batch> for DeviceIterator<'_> {
    fn progress(&self) -> Progress {
        Progress::new(
            self.done,
            self.owner.loader.samples(),
            Some("items".to_string()),
        )
    }
}
