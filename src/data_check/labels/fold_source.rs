//! A source whose training and validation are those of one fold.

use std::sync::Arc;

use crate::data::{DataError, DataSource, Split};
use crate::shape::ImageShape;

/// Samples of the training split of another source: those to train on, and those that are held out as validation.
pub struct FoldSource {
    /// All samples, in its training split.
    pub source: Arc<dyn DataSource>,
    /// Indices of the samples to train on.
    pub train: Vec<usize>,
    /// Indices of those that are held out.
    pub held_out: Vec<usize>,
}

impl FoldSource {
    fn indices(&self, split: Split) -> &[usize] {
        match split {
            Split::Train => &self.train,
            Split::Valid => &self.held_out,
            Split::Test => &[],
        }
    }
}

impl DataSource for FoldSource {
    fn shape(&self) -> ImageShape {
        self.source.shape()
    }

    fn classes(&self) -> &[String] {
        self.source.classes()
    }

    fn len(&self, split: Split) -> usize {
        self.indices(split).len()
    }

    fn label(&self, split: Split, index: usize) -> usize {
        let index = self.indices(split)[index];
        self.source.label(Split::Train, index)
    }

    fn read(
        &self,
        split: Split,
        index: usize,
        draw: u64,
        out: &mut [f32],
    ) -> Result<(), DataError> {
        let index = self.indices(split)[index];
        self.source.read(Split::Train, index, draw, out)
    }
}
