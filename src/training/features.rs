//! A cache for the output of frozen layers, so that it is computed once per sample.

use burn::prelude::*;

use super::batch::Batch;
use crate::models::Network;
use crate::read_back;

/// Bytes of features that the training samples may take at most.
pub const MAX_TRAIN_BYTES: usize = 1 << 30;

/// Bytes of features that the validation samples may take at most. Less, as they are worth less: they save the forward pass of a
/// validation, and recomputing them gives bit-identical values.
pub const MAX_VALID_BYTES: usize = 256 << 20;

/// Where a cache keeps its features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// In main memory, which is where a processor has them anyway.
    Main,
    /// On the device: reading them would wait for it.
    Device,
}

/// The output of a network's frozen layers for each sample of a split.
pub struct FeatureCache {
    rows: Rows,
    samples: usize,
    shape: [usize; 3],
    max_bytes: usize,
}

/// The features of samples.
enum Rows {
    Main(Vec<Option<Box<[f32]>>>),
    Device {
        /// `[samples, values]`, in the order in which they came.
        table: Option<Box<Tensor<2>>>,
        /// The row of each sample in the table.
        places: Vec<Option<usize>>,
        /// Rows that are in use.
        filled: usize,
    },
}

impl FeatureCache {
    /// An empty cache for a split of `samples` samples, of at most `max_bytes`.
    pub fn new(samples: usize, max_bytes: usize, memory: Memory) -> Self {
        let rows = match memory {
            Memory::Main => Rows::Main(vec![None; samples]),
            Memory::Device => Rows::Device {
                table: None,
                places: vec![None; samples],
                filled: 0,
            },
        };
        Self {
            rows,
            samples,
            shape: [0; 3],
            max_bytes,
        }
    }

    /// Whether no sample is in the cache.
    pub fn is_empty(&self) -> bool {
        match &self.rows {
            Rows::Main(rows) => rows.iter().all(Option::is_none),
            Rows::Device { filled, .. } => *filled == 0,
        }
    }

    /// Adds the features to a batch: from the cache if all samples are in it, computed otherwise, and then cached if there is
    /// room for the whole split.
    pub fn complete(&mut self, network: &Network, batch: Batch) -> Batch {
        let known = self.known(&batch.indices, &batch.images.device());
        let features = known.or_else(|| {
            network.backbone().map(|backbone| {
                let features = backbone.features(batch.images.clone());
                self.keep(&features, &batch.indices);
                features
            })
        });
        Batch { features, ..batch }
    }

    /// The features of samples on a device, if all are in the cache.
    fn known(&self, indices: &[usize], device: &Device) -> Option<Tensor<4>> {
        if indices.is_empty() {
            return None;
        }
        let [a, b, c] = self.shape;
        let shape = [indices.len(), a, b, c];
        match &self.rows {
            Rows::Main(rows) => {
                let known = indices.iter().map(|&index| rows.get(index)?.as_deref());
                let known: Vec<&[f32]> = known.collect::<Option<_>>()?;
                Some(Tensor::from_data(
                    TensorData::new(known.concat(), shape),
                    device,
                ))
            }
            Rows::Device { table, places, .. } => {
                let place = |&index: &usize| i32::try_from((*places.get(index)?)?).ok();
                let known: Vec<i32> = indices.iter().map(place).collect::<Option<_>>()?;
                let table = Tensor::clone(table.as_deref()?);
                let rows = Tensor::<1, Int>::from_ints(known.as_slice(), &table.device());
                let features = table.select(0, rows).reshape(shape);
                Some(if device.is_autodiff() {
                    features.autodiff()
                } else {
                    features
                })
            }
        }
    }

    fn keep(&mut self, features: &Tensor<4>, indices: &[usize]) {
        let [count, a, b, c] = features.dims();
        let values = a * b * c;
        if self.samples * values * size_of::<f32>() > self.max_bytes {
            return;
        }
        let features = features.clone().without_autodiff();
        match &mut self.rows {
            Rows::Main(rows) => {
                // A device that fails reports it at the next step.
                let Ok(data) = read_back::data(features) else {
                    return;
                };
                let all: Vec<f32> = data.iter::<f32>().collect();
                for (row, &index) in all.chunks_exact(values.max(1)).zip(indices) {
                    if let Some(place) = rows.get_mut(index) {
                        *place = Some(row.into());
                    }
                }
            }
            Rows::Device {
                table,
                places,
                filled,
            } => {
                // Samples that come again in another batch would need more rows than there are.
                if *filled + count > self.samples {
                    return;
                }
                let device = features.device();
                let before = table.take().map(|table| *table);
                let before =
                    before.unwrap_or_else(|| Tensor::zeros([self.samples, values], &device));
                let rows = features.reshape([count, values]);
                let after = before.slice_assign([*filled..*filled + count, 0..values], rows);
                *table = Some(Box::new(after));
                for (row, &index) in (*filled..).zip(indices) {
                    if let Some(place) = places.get_mut(index) {
                        *place = Some(row);
                    }
                }
                *filled += count;
            }
        }
        self.shape = [a, b, c];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_come_back_the_same_from_main_memory_and_from_the_device() {
        let device = Device::flex();
        let first = Tensor::<1>::from_floats([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], &device);
        let first = first.reshape([2, 2, 1, 2]);
        let second = Tensor::<4>::ones([1, 2, 1, 2], &device);
        for memory in [Memory::Main, Memory::Device] {
            let mut cache = FeatureCache::new(3, 1 << 10, memory);
            assert!(cache.is_empty());
            cache.keep(&first, &[2, 0]);
            assert!(
                cache.known(&[0, 1], &device).is_none(),
                "1 is not known yet"
            );
            cache.keep(&second, &[1]);
            let known = cache.known(&[0, 1, 2], &device).unwrap();
            assert_eq!(known.dims(), [3, 2, 1, 2]);
            let values: Vec<f32> = known.into_data().iter().collect();
            let expected = [5.0, 6.0, 7.0, 8.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 3.0, 4.0];
            assert_eq!(values, expected, "{memory:?}");
        }
    }

    #[test]
    fn features_that_are_too_many_for_the_cache_are_not_kept() {
        let device = Device::flex();
        for memory in [Memory::Main, Memory::Device] {
            let mut cache = FeatureCache::new(3, 47, memory);
            cache.keep(&Tensor::ones([3, 4, 1, 1], &device), &[0, 1, 2]);
            assert!(cache.is_empty(), "{memory:?}");
        }
    }
}
