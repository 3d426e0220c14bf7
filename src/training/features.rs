//! A cache for the output of frozen layers, so that it is computed once per sample.

use burn::prelude::*;

use super::batch::Batch;
use crate::models::Network;

/// Bytes of features that the training samples may take at most.
pub const MAX_TRAIN_BYTES: usize = 1 << 30;

/// Bytes of features that the validation samples may take at most. Less, as they are worth less: they save the forward pass of a
/// validation, and recomputing them gives bit-identical values.
pub const MAX_VALID_BYTES: usize = 256 << 20;

/// The output of a network's frozen layers for each sample of a split.
pub struct FeatureCache {
    rows: Vec<Option<Box<[f32]>>>,
    shape: [usize; 3],
    max_bytes: usize,
}

impl FeatureCache {
    /// An empty cache for a split of `samples` samples, of at most `max_bytes`.
    pub fn new(samples: usize, max_bytes: usize) -> Self {
        Self {
            rows: vec![None; samples],
            shape: [0; 3],
            max_bytes,
        }
    }

    /// Whether no sample is in the cache.
    pub fn is_empty(&self) -> bool {
        self.rows.iter().all(Option::is_none)
    }

    /// Adds the features to a batch: from the cache if all samples are in it, computed otherwise, and then cached if there is
    /// room for the whole split.
    pub fn complete(&mut self, network: &Network, batch: Batch) -> Batch {
        let known: Option<Vec<&[f32]>> = batch
            .indices
            .iter()
            .map(|&index| self.rows.get(index)?.as_deref())
            .collect();
        let features = match known {
            Some(rows) if !rows.is_empty() => {
                let [a, b, c] = self.shape;
                let data = TensorData::new(rows.concat(), [rows.len(), a, b, c]);
                Some(Tensor::from_data(data, &batch.images.device()))
            }
            _ => network.backbone().map(|backbone| {
                let features = backbone.features(batch.images.clone());
                self.keep(&features, &batch.indices);
                features
            }),
        };
        Batch { features, ..batch }
    }

    fn keep(&mut self, features: &Tensor<4>, indices: &[usize]) {
        let [_, a, b, c] = features.dims();
        let values = a * b * c;
        if self.rows.len() * values * size_of::<f32>() > self.max_bytes {
            return;
        }
        // A device that fails reports it at the next step.
        let Ok(data) = features.clone().without_autodiff().try_into_data() else {
            return;
        };
        self.shape = [a, b, c];
        let all: Vec<f32> = data.iter::<f32>().collect();
        for (row, &index) in all.chunks_exact(values.max(1)).zip(indices) {
            if let Some(place) = self.rows.get_mut(index) {
                *place = Some(row.into());
            }
        }
    }
}
