//! The output of frozen layers, which is computed without gradients, and once per sample where samples stay the same.

use burn::prelude::*;

use super::batch::Batch;
use crate::inference::plan::{ComputePrecision, Plan};
use crate::kernels;
use crate::models::layer_list::{MapShape, Node};
use crate::models::{Network, parameters};
use crate::shape::ImageShape;

/// Bytes of features that the training samples may take at most.
pub const MAX_TRAIN_BYTES: usize = 1 << 30;

/// Bytes of features that the validation samples may take at most. Less, as they are worth less: they save the forward pass of a
/// validation, and recomputing them gives bit-identical values.
pub const MAX_VALID_BYTES: usize = 256 << 20;

/// The layers of a network for images of a shape, of which those in front of the head may be frozen.
#[derive(Debug, Clone)]
pub struct Layers {
    /// All of them.
    pub nodes: Vec<Node>,
    /// The images.
    pub shape: ImageShape,
}

impl Layers {
    /// The layers of the backbone, if nothing in it changes or is drawn in training.
    fn frozen(&self, network: &Network) -> Option<&[Node]> {
        let backbone = network.backbone()?;
        let frozen = &self.nodes[..self.nodes.len().checked_sub(backbone.head_layers())?];
        // Within a frozen layer, nothing is drawn.
        let patterns = backbone.parameters();
        let is_frozen = |node: &Node| {
            let within = format!("{}.0", node.name);
            let of = |pattern: &String| {
                parameters::matches(pattern, &node.name) || parameters::matches(pattern, &within)
            };
            patterns.iter().any(of)
        };
        let mut others = frozen.iter().filter(|node| !is_frozen(node));
        let is_random = others.any(|node| node.operation.is_random());
        (!is_random && network.has_fixed_features()).then_some(frozen)
    }
}

/// The backbone of a network as a plan, and the shape of its features.
struct FrozenPlan {
    plan: Plan,
    /// `[height, width, channels]`.
    shape: [usize; 3],
}

impl FrozenPlan {
    /// `None` where the device is another than plans are for, or the backbone has layers that they don't know.
    fn new(
        network: &Network,
        frozen: &[Node],
        images: ImageShape,
        device: &Device,
    ) -> Option<Self> {
        let MapShape::Maps {
            channels,
            height,
            width,
        } = frozen.last()?.output
        else {
            return None;
        };
        if !kernels::supported(device) {
            return None;
        }
        let plan = Plan::new(network, frozen, images, ComputePrecision::F32)?;
        Some(Self {
            plan,
            shape: [height, width, channels],
        })
    }

    /// The features of images that are normalised, and their values.
    fn features(&self, images: &Tensor<4>) -> Option<(Tensor<4>, Vec<f32>)> {
        let count = images.dims()[0];
        let pixels = images.clone().without_autodiff().try_into_data().ok()?;
        let pixels = pixels.try_into_vec::<f32>().ok()?;
        let values = self.plan.run(&pixels, count, None);
        let [height, width, channels] = self.shape;
        let data = TensorData::new(values.clone(), [count, height, width, channels]);
        Some((Tensor::from_data(data, &images.device()), values))
    }
}

/// The output of a network's frozen layers for each sample of a split.
pub struct FeatureCache {
    rows: Vec<Option<Box<[f32]>>>,
    shape: [usize; 3],
    max_bytes: usize,
    plan: Option<FrozenPlan>,
}

impl FeatureCache {
    /// An empty cache for a split of `samples` samples, of at most `max_bytes`.
    pub fn new(samples: usize, max_bytes: usize) -> Self {
        Self {
            rows: vec![None; samples],
            shape: [0; 3],
            max_bytes,
            plan: None,
        }
    }

    /// For a network whose backbone is frozen: a cache of at most `max_bytes`, or where the samples change from epoch to epoch, only what computes
    /// their features faster. `None` if the backbone trains, or there is nothing to gain.
    pub fn of(
        network: &Network,
        layers: &Layers,
        device: &Device,
        samples: usize,
        max_bytes: Option<usize>,
    ) -> Option<Self> {
        let frozen = layers.frozen(network)?;
        let plan = FrozenPlan::new(network, frozen, layers.shape, device);
        (plan.is_some() || max_bytes.is_some()).then(|| Self {
            plan,
            ..Self::new(samples, max_bytes.unwrap_or(0))
        })
    }

    /// Whether the features of a sample have the same bits in every batch.
    pub fn is_independent_of_batches(&self) -> bool {
        self.plan.is_some()
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
            _ => self.compute(network, &batch),
        };
        Batch { features, ..batch }
    }

    fn compute(&mut self, network: &Network, batch: &Batch) -> Option<Tensor<4>> {
        let planned = self.plan.as_ref().map(|plan| plan.features(&batch.images));
        if let Some((features, values)) = planned.flatten() {
            let [_, a, b, c] = features.dims();
            self.keep(&values, [a, b, c], &batch.indices);
            return Some(features);
        }
        let features = network.backbone()?.features(batch.images.clone());
        let [_, a, b, c] = features.dims();
        if self.has_room([a, b, c]) {
            // A device that fails reports it at the next step.
            if let Ok(data) = features.clone().without_autodiff().try_into_data() {
                let values: Vec<f32> = data.iter::<f32>().collect();
                self.keep(&values, [a, b, c], &batch.indices);
            }
        }
        Some(features)
    }

    fn has_room(&self, shape: [usize; 3]) -> bool {
        let values: usize = shape.iter().product();
        self.rows.len() * values * size_of::<f32>() <= self.max_bytes
    }

    fn keep(&mut self, values: &[f32], shape: [usize; 3], indices: &[usize]) {
        if !self.has_room(shape) {
            return;
        }
        self.shape = shape;
        let rows = values.chunks_exact(shape.iter().product::<usize>().max(1));
        for (row, &index) in rows.zip(indices) {
            if let Some(place) = self.rows.get_mut(index) {
                *place = Some(row.into());
            }
        }
    }
}
