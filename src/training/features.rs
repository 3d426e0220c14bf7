//! The output of frozen layers, which is computed without gradients, and once per sample where samples stay the same.

use burn::prelude::*;

use super::batch::Batch;
use crate::inference::plan::Plan;
use crate::kernels::{self, ComputePrecision};
use crate::models::layer_list::{MapShape, Node};
use crate::models::{ModelConfig, Network, parameters};
use crate::read_back;
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
    /// Those of a model that was checked with its data before.
    pub fn of(model: &ModelConfig, shape: ImageShape, classes: usize) -> Self {
        let nodes = model.nodes(shape, classes).unwrap_or_default();
        Self { nodes, shape }
    }

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
        precision: ComputePrecision,
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
        let plan = Plan::new(network, frozen, images, precision)?;
        Some(Self {
            plan,
            shape: [height, width, channels],
        })
    }

    /// The features of images that are normalised.
    fn features(&self, images: &Tensor<4>) -> Option<Tensor<4>> {
        let count = images.dims()[0];
        let images_only = images.clone().without_autodiff();
        let run = |pixels: &[f32]| self.plan.run(pixels, count, None);
        let values = kernels::with_values(images_only, run)?;
        let [height, width, channels] = self.shape;
        let data = TensorData::new(values, [count, height, width, channels]);
        Some(Tensor::from_data(data, &images.device()))
    }
}

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
    plan: Option<FrozenPlan>,
    precision: ComputePrecision,
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
            plan: None,
            precision: ComputePrecision::F32,
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
        memory: Memory,
        precision: ComputePrecision,
    ) -> Option<Self> {
        let frozen = layers.frozen(network)?;
        let plan = FrozenPlan::new(network, frozen, layers.shape, device, precision);
        (plan.is_some() || max_bytes.is_some()).then(|| Self {
            plan,
            precision,
            ..Self::new(samples, max_bytes.unwrap_or(0), memory)
        })
    }

    /// Whether the features of a sample have the same bits in every batch.
    pub fn is_independent_of_batches(&self) -> bool {
        self.plan.is_some()
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
        let features = known.or_else(|| self.compute(network, &batch));
        Batch { features, ..batch }
    }

    fn compute(&mut self, network: &Network, batch: &Batch) -> Option<Tensor<4>> {
        let planned = self
            .plan
            .as_ref()
            .and_then(|plan| plan.features(&batch.images));
        let features = match planned {
            Some(features) => features,
            None => {
                let _precision = self.precision.scoped();
                network.backbone()?.features(batch.images.clone())
            }
        };
        self.keep(&features, &batch.indices);
        Some(features)
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
