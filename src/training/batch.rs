//! Batches on a device: what goes into a training step and what comes out of it.

use burn::prelude::*;
use burn::tensor::ExecutionError;
use burn::train::ItemLazy;

use super::epochs::profile::{Phase, Profile, timed};
use crate::data::loader::{HostBatch, Loader, Share};
use crate::data::{DataError, NormalizeConfig};
use crate::inference::to_input;
use crate::metrics::BatchOutput;
use crate::models::Task;
use crate::parallel::Group;
use crate::progress::CancelToken;

/// A batch on the device.
#[derive(Debug, Clone)]
pub struct Batch {
    /// `[batch, channels, height, width]`, normalised.
    pub images: Tensor<4>,
    /// Class indices `[batch]`.
    pub targets: Tensor<1, Int>,
    /// For autoencoders: the images to reconstruct, `[batch, pixels]`, values in [0, 1].
    pub originals: Option<Tensor<2>>,
    /// Position of each sample in its split.
    pub indices: Vec<usize>,
    /// The output of the frozen layers for these images, where it is cached.
    pub features: Option<Tensor<4>>,
}

impl Batch {
    /// Consecutive parts of the batch, as [`Share`] divides it; `None` where there are more parts than samples.
    pub fn parts(self, count: usize) -> Vec<Option<Self>> {
        if count == 1 {
            return vec![Some(self)];
        }
        let part = |rank: usize| {
            let share = Share { rank, ranks: count };
            let at = share.range(self.indices.len());
            (!at.is_empty()).then(|| Self {
                images: self.images.clone().slice_dim(0, at.clone()),
                targets: self.targets.clone().slice_dim(0, at.clone()),
                originals: self.originals.clone().map(|t| t.slice_dim(0, at.clone())),
                indices: self.indices[at.clone()].to_vec(),
                features: self.features.clone().map(|t| t.slice_dim(0, at.clone())),
            })
        };
        (0..count).map(part).collect()
    }
}

impl ItemLazy for BatchOutput {
    fn sync(self) -> Result<Self, ExecutionError> {
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

/// A [`Loader`] that puts its batches on a device.
#[derive(Clone)]
pub struct DeviceBatches {
    /// Makes the batches in main memory.
    pub loader: Loader,
    /// Normalisation at upload, where the loader's values are also the target.
    normalize: Option<NormalizeConfig>,
    /// Where the batches go.
    pub device: Device,
    /// What the model is trained for.
    pub task: Task,
    /// Counts the time that batches take.
    pub profile: Option<Profile>,
}

impl DeviceBatches {
    /// Normalised batches of `loader`, which normalises them itself unless they are also what is to be reconstructed.
    pub fn new(
        loader: Loader,
        normalize: Option<NormalizeConfig>,
        device: Device,
        task: Task,
    ) -> Self {
        let (in_loader, later) = match task {
            Task::Reconstruct => (None, normalize),
            Task::Classify => (normalize, None),
        };
        Self {
            loader: Loader {
                normalize: in_loader,
                ..loader
            },
            normalize: later,
            device,
            task,
            profile: None,
        }
    }

    /// The same batches, until the token is cancelled.
    pub fn cancelled_by(mut self, cancel: &CancelToken) -> Self {
        self.loader.cancel = cancel.clone();
        self
    }

    /// Number of samples in an epoch.
    pub fn samples(&self) -> usize {
        self.loader.samples()
    }

    /// The same with its time in a profile, if there is one.
    pub fn profiled(self, profile: Option<Profile>) -> Self {
        Self { profile, ..self }
    }

    /// The same for one of several processes: its share of each batch.
    pub fn shared_by(mut self, group: &dyn Group) -> Self {
        self.loader.share = Share {
            rank: group.rank(),
            ranks: group.size(),
        };
        self
    }

    /// The batches of an epoch (counted from 1), in its order and with its augmentation.
    pub fn epoch(&self, epoch: usize) -> impl Iterator<Item = Result<Batch, DataError>> + '_ {
        let shares = self.shares(epoch);
        shares.filter_map(Result::transpose)
    }

    /// [`epoch`](Self::epoch), with `None` for batches that have fewer samples than there are processes, where this one has none.
    pub fn shares(
        &self,
        epoch: usize,
    ) -> impl Iterator<Item = Result<Option<Batch>, DataError>> + '_ {
        let mut batches = self.loader.batches(epoch);
        let profile = self.profile.as_ref();
        let next = move || timed(profile, Phase::Waiting, || batches.next());
        std::iter::from_fn(next).map(move |batch| {
            let batch = batch?;
            let is_empty = batch.labels.is_empty();
            let upload = || timed(profile, Phase::Uploading, || self.upload(batch));
            Ok((!is_empty).then(upload))
        })
    }

    /// A black image that a process computes with where it has no samples, but has to take part in what is added up over the batch.
    pub fn stand_in(&self) -> Batch {
        let shape = self.loader.source.shape();
        let mut pixels = vec![0.0; shape.values()];
        if let Some(normalize) = &self.loader.normalize {
            normalize.apply(shape, &mut pixels);
        }
        self.upload(HostBatch {
            pixels,
            labels: vec![0],
            indices: Vec::new(),
        })
    }

    /// Puts a batch of the loader on the device.
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::{MemorySource, Split};
    use crate::shape::ImageShape;

    #[test]
    fn images_are_normalised_once_and_originals_are_not() {
        let shape = ImageShape::new(1, 1, 2);
        let mut source = MemorySource::new(shape, vec!["a".into()]);
        source.extend(Split::Train, &[0], &[0, u16::MAX]);
        let source = Arc::new(source);
        let normalize = NormalizeConfig {
            mean: vec![0.5],
            std: vec![0.25],
        };
        for task in [Task::Classify, Task::Reconstruct] {
            let loader = Loader::plain(source.clone(), Split::Train, 1);
            let normalize = Some(normalize.clone());
            let batches = DeviceBatches::new(loader, normalize, Device::flex(), task);
            let batch = batches.epoch(1).next().expect("a batch").expect("read");
            let values = batch
                .images
                .into_data()
                .try_to_vec::<f32>()
                .expect("floats");
            assert_eq!(values, [-2.0, 2.0]);
            let originals = batch.originals.map(|images| images.into_data());
            assert_eq!(originals.is_some(), task == Task::Reconstruct);
            let values = originals.map(|images| images.try_to_vec::<f32>().expect("floats"));
            assert_eq!(values.unwrap_or_else(|| vec![0.0, 1.0]), [0.0, 1.0]);
            let black = batches.stand_in().images.into_data();
            assert_eq!(black.try_to_vec::<f32>().expect("floats"), [-2.0, -2.0]);
        }
    }
}
