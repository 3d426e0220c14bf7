//! Images that are held in memory, for sources that read whole files on opening; reading a sample can't fail.

use super::data_source::DataSource;
use super::error::DataError;
use super::split::Split;
use crate::shape::ImageShape;

/// Bytes of a megabyte of `memory_mb` and `cache_mb`.
pub const MEGABYTE: usize = 1 << 20;

/// Default of `memory_mb`: 3,000 photographs reduced for random crops of 224x224, or 5,000 finished samples of that size. Training on
/// more of them stays below 1.5 GB.
pub const MEMORY_MB: usize = 768;

/// Steps between 0 and 1 in memory. 65,535 = 257 x 255, so that images of 8 bits keep their exact values; others are
/// off by at most 1/131,070. Half the size of `f32`.
const STEPS: f32 = 65_535.0;

/// Labelled images of one shape in three splits.
#[derive(Debug, Clone)]
pub struct MemorySource {
    shape: ImageShape,
    classes: Vec<String>,
    splits: [Stored; 3],
}

#[derive(Debug, Clone, Default)]
struct Stored {
    labels: Vec<usize>,
    /// `labels.len() * shape.values()` long.
    values: Vec<u16>,
}

/// A value as it is stored; clipped to [0, 1].
pub fn quantize(value: f32) -> u16 {
    (value.clamp(0.0, 1.0) * STEPS).round() as u16
}

/// The value in [0, 1] of a stored one.
pub fn from_quantized(stored: u16) -> f32 {
    f32::from(stored) / STEPS
}

impl MemorySource {
    /// An empty source.
    pub fn new(shape: ImageShape, classes: Vec<String>) -> Self {
        Self {
            shape,
            classes,
            splits: Default::default(),
        }
    }

    /// Appends samples to a split. `values` holds one image after the other, each as [`DataSource::read`] gives it,
    /// through [`quantize`]; labels are indices into the classes. An incomplete last image is ignored.
    pub fn extend(&mut self, split: Split, labels: &[usize], values: &[u16]) {
        let stored = &mut self.splits[split.index()];
        for (&label, image) in labels.iter().zip(values.chunks_exact(self.shape.values())) {
            stored.labels.push(label);
            stored.values.extend_from_slice(image);
        }
    }
}

impl DataSource for MemorySource {
    fn shape(&self) -> ImageShape {
        self.shape
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn len(&self, split: Split) -> usize {
        self.splits[split.index()].labels.len()
    }

    fn label(&self, split: Split, index: usize) -> usize {
        self.splits[split.index()].labels[index]
    }

    fn read(
        &self,
        split: Split,
        index: usize,
        _draw: u64,
        out: &mut [f32],
    ) -> Result<(), DataError> {
        let size = self.shape.values();
        let image = &self.splits[split.index()].values[index * size..][..size];
        for (value, &stored) in out.iter_mut().zip(image) {
            *value = from_quantized(stored);
        }
        Ok(())
    }
}
