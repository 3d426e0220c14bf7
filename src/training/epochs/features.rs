//! Features of frozen layers, kept so that they are computed once.

use burn::prelude::*;

use crate::models::Network;
use crate::training::batch::Batch;

/// Most bytes of features that a split may take.
const MOST_BYTES: usize = 1 << 30;

/// What a network's frozen layers made of each sample of a split.
pub struct FeatureCache {
    rows: Vec<Option<Box<[f32]>>>,
    shape: [usize; 3],
}

impl FeatureCache {
    /// Nothing is known yet of so many samples.
    pub fn new(samples: usize) -> Self {
        Self {
            rows: vec![None; samples],
            shape: [0; 3],
        }
    }

    /// Whether no sample is known.
    pub fn is_empty(&self) -> bool {
        self.rows.iter().all(Option::is_none)
    }

    /// The batch with its features: those that are known, or else computed, and kept if there is room for the whole split.
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
        if self.rows.len() * values * size_of::<f32>() > MOST_BYTES {
            return;
        }
        // A device that fails will say so at the next step.
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
