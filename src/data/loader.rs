//! The loader: batches of samples, in an order that is a function of (seed, epoch).
//!
//! Background threads make batches ahead of the training step, each on all cores: those that the step leaves, since both share one
//! pool of threads. Whatever the number of threads, batch `n` of epoch `e` holds the same values.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::augment::{self, AugmentConfig};
use super::{DataError, DataSource, NormalizeConfig, Split};
use crate::progress::CancelToken;
use crate::rng;

/// Maximum number of prefetched batches: enough to hide a slow one, at little memory.
const BATCHES_AHEAD: usize = 4;

/// Maximum number of batches that are made at the same time: while the last samples of one are read, no core waits.
const MAKERS: usize = 2;

/// Maximum number of values in all prefetched batches together (64 MiB); fewer are prefetched beyond it. Batches of 32 samples of
/// 3x224x224 are 19 MB each.
const VALUES_AHEAD: usize = 1 << 24;

/// Minimum number of values in a job for one thread: eight samples of 32x32, or a single photograph.
const VALUES_PER_JOB: usize = 8 << 10;

/// How often the wait for a batch asks whether it is cancelled: a batch of photographs may take seconds.
const CANCEL_INTERVAL: Duration = Duration::from_millis(50);

/// Seed components of the random streams, which keep them independent.
const ORDER_STREAM: u64 = 1;
const SAMPLE_STREAM: u64 = 2;

/// The order in which an epoch visits the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As stored in the source.
    Stored,
    /// Shuffled once; every epoch sees the same batches.
    Once,
    /// Reshuffled for every epoch.
    EachEpoch,
}

/// Which part of every batch is made: that of one process of several that train together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The number of the part, from 0 ...
    pub rank: usize,
    /// ... of so many.
    pub ranks: usize,
}

impl Share {
    /// All of every batch.
    pub const WHOLE: Self = Self { rank: 0, ranks: 1 };

    /// This part of a batch: parts differ by one sample at most, and the first are the larger ones.
    pub fn of<'a>(&self, batch: &'a [usize]) -> &'a [usize] {
        &batch[self.range(batch.len())]
    }

    /// The places of this part in a batch of so many samples.
    pub fn range(&self, samples: usize) -> Range<usize> {
        let (each, more) = (samples / self.ranks, samples % self.ranks);
        let start = |rank: usize| rank * each + rank.min(more);
        start(self.rank)..start(self.rank + 1)
    }
}

/// A batch in main memory.
#[derive(Debug, Clone, PartialEq)]
pub struct HostBatch {
    /// `[batch, channels, height, width]`, values in [0, 1] unless the loader normalises.
    pub pixels: Vec<f32>,
    /// Class of each sample.
    pub labels: Vec<usize>,
    /// Index of each sample within its split.
    pub indices: Vec<usize>,
}

/// Makes batches of one split of a source.
#[derive(Clone)]
pub struct Loader {
    /// Where the samples come from.
    pub source: Arc<dyn DataSource>,
    /// Which part of it.
    pub split: Split,
    /// Samples in a batch; the last one of an epoch may be smaller.
    pub batch_size: usize,
    /// The order of samples.
    pub order: Order,
    /// Augmentation; only for training.
    pub augment: Option<AugmentConfig>,
    /// Normalisation; `None` leaves values in [0, 1].
    pub normalize: Option<NormalizeConfig>,
    /// Seeds order and augmentation.
    pub seed: u64,
    /// The part of each batch that is made.
    pub share: Share,
    /// Ends reading, within a batch too.
    pub cancel: CancelToken,
}

impl Loader {
    /// A loader for a split as it is: stored order, no augmentation, not normalised.
    pub fn plain(source: Arc<dyn DataSource>, split: Split, batch_size: usize) -> Self {
        Self {
            source,
            split,
            batch_size,
            order: Order::Stored,
            augment: None,
            normalize: None,
            seed: 0,
            share: Share::WHOLE,
            cancel: CancelToken::default(),
        }
    }

    /// Number of samples in an epoch.
    pub fn samples(&self) -> usize {
        self.source.len(self.split)
    }

    /// Number of batches in an epoch.
    pub fn batches_per_epoch(&self) -> usize {
        self.samples().div_ceil(self.batch_size)
    }

    /// The order of samples in an epoch.
    pub fn indices(&self, epoch: usize) -> Vec<usize> {
        let mut indices: Vec<usize> = (0..self.samples()).collect();
        let epoch = match self.order {
            Order::Stored => return indices,
            Order::Once => 0,
            Order::EachEpoch => epoch as u64,
        };
        indices.shuffle(&mut rng::seeded(&[self.seed, ORDER_STREAM, epoch]));
        indices
    }

    /// The batches of an epoch, or its share of each, made ahead in background threads. Dropping the iterator ends them.
    pub fn batches(&self, epoch: usize) -> Batches {
        let values = self.source.shape().values() * self.batch_size;
        let ahead = (VALUES_AHEAD / values.max(1)).clamp(1, BATCHES_AHEAD);
        let makers = MAKERS.min(ahead);
        let indices = Arc::new(self.indices(epoch));
        let mut batches = Batches {
            failure: None,
            receivers: Vec::with_capacity(makers),
            next: 0,
            total: self.batches_per_epoch(),
            cancel: self.cancel.clone(),
        };
        for maker in 0..makers {
            let (sender, receiver) = sync_channel(ahead / makers);
            let (loader, indices) = (self.clone(), indices.clone());
            let make = move || loader.make(epoch, &indices, (maker, makers), &sender);
            batches.failure = std::thread::Builder::new().spawn(make).err();
            batches.receivers.push(receiver);
            if batches.failure.is_some() {
                break;
            }
        }
        batches
    }

    /// Makes every `makers`-th batch of an epoch, from number `first` on, until one fails or nobody wants more.
    fn make(
        &self,
        epoch: usize,
        indices: &[usize],
        (first, makers): (usize, usize),
        sender: &SyncSender<Result<HostBatch, DataError>>,
    ) {
        let batches = indices.chunks(self.batch_size).skip(first).step_by(makers);
        let mut mine = batches.map(|batch| self.share.of(batch));
        let mut now = mine.next();
        while let Some(batch) = now {
            now = mine.next();
            for &index in now.into_iter().flatten() {
                self.source.read_soon(self.split, index);
            }
            let batch = self.batch(epoch, batch.to_vec());
            let failed = batch.is_err();
            if sender.send(batch).is_err() || failed {
                return;
            }
        }
    }

    /// Reads, augments and normalises the given samples.
    #[allow(unsafe_code)]
    fn batch(&self, epoch: usize, indices: Vec<usize>) -> Result<HostBatch, DataError> {
        let values = self.source.shape().values();
        let length = indices.len() * values;
        let mut pixels: Vec<f32> = Vec::with_capacity(length);
        pixels.spare_capacity_mut()[..length]
            .par_chunks_mut(values)
            .zip(&indices)
            .with_min_len((VALUES_PER_JOB / values.max(1)).max(1))
            .try_for_each(|(out, &index)| {
                self.cancel.check()?;
                // Not all at once, ahead: so the zeros are in the cache when the sample overwrites them.
                out.fill(MaybeUninit::new(0.0));
                // SAFETY: just initialized.
                let out = unsafe { out.assume_init_mut() };
                self.sample(epoch, index, out)
            })?;
        // SAFETY: each of the `indices.len()` samples is initialized.
        unsafe { pixels.set_len(length) };
        let labels = indices
            .iter()
            .map(|&index| self.source.label(self.split, index))
            .collect();
        Ok(HostBatch {
            pixels,
            labels,
            indices,
        })
    }

    /// Reads, augments and normalises one sample for this epoch; `out` is `source.shape().values()` long.
    pub fn sample(&self, epoch: usize, index: usize, out: &mut [f32]) -> Result<(), DataError> {
        let seed_parts = [self.seed, SAMPLE_STREAM, epoch as u64, index as u64];
        // Validation and test see the plain rendering (draw 0); an odd number is never 0.
        let draw = match self.split {
            Split::Train if self.order != Order::Stored => rng::mix(&seed_parts) | 1,
            _ => 0,
        };
        self.source.read(self.split, index, draw, out)?;
        if let Some(config) = &self.augment {
            augment::apply(
                config,
                self.source.shape(),
                out,
                &mut rng::seeded(&seed_parts),
            );
        }
        // Here the sample is in the cache of a core.
        if let Some(normalize) = &self.normalize {
            normalize.apply(self.source.shape(), out);
        }
        Ok(())
    }
}

/// The batches of one epoch.
pub struct Batches {
    /// Why the thread could not be started.
    failure: Option<std::io::Error>,
    /// Of each maker; they take turns.
    receivers: Vec<Receiver<Result<HostBatch, DataError>>>,
    /// Number of the next batch.
    next: usize,
    /// Number of batches; that of the next one after an error.
    total: usize,
    cancel: CancelToken,
}

impl Iterator for Batches {
    type Item = Result<HostBatch, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.total {
            return None;
        }
        let batch = loop {
            if let Err(cancelled) = self.cancel.check() {
                break Err(cancelled.into());
            }
            if let Some(error) = self.failure.take() {
                break Err(DataError::Empty(format!(
                    "the thread that reads the data can't be started: {error}"
                )));
            }
            let maker = self.next % self.receivers.len();
            match self.receivers[maker].recv_timeout(CANCEL_INTERVAL) {
                Ok(batch) => break batch,
                Err(RecvTimeoutError::Timeout) => {}
                // A sender that is gone before its last batch means a panic: a truncated epoch must not pass for a complete one.
                Err(RecvTimeoutError::Disconnected) => {
                    break Err(DataError::Empty(
                        "the data-loading thread terminated unexpectedly".into(),
                    ));
                }
            }
        };
        match batch {
            Ok(_) => self.next += 1,
            Err(_) => self.total = self.next,
        }
        Some(batch)
    }
}
