//! Encoded images in memory, decoded when they are read.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::pool::{Place, Pool};
use crate::data::fitting::{View, sample};
use crate::data::{DataError, DataSource, Split};
use crate::photo;
use crate::progress::Monitor;
use crate::shape::ImageShape;

/// Encoded images in three splits.
#[derive(Debug)]
pub(super) struct ParquetImages {
    pub(super) shape: ImageShape,
    pub(super) view: View,
    pub(super) classes: Vec<String>,
    pub(super) splits: [Vec<Sample>; 3],
    pub(super) pool: Pool,
    pub(super) files: Vec<PathBuf>,
    pub(super) notes: Vec<String>,
}

/// One image: where its bytes are, which row of which file it was, and its class.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub place: Place,
    pub file: usize,
    pub row: usize,
    pub label: usize,
}

impl DataSource for ParquetImages {
    fn shape(&self) -> ImageShape {
        self.shape
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn len(&self, split: Split) -> usize {
        self.splits[split.index()].len()
    }

    fn label(&self, split: Split, index: usize) -> usize {
        self.splits[split.index()][index].label
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    /// Decodes every image.
    fn check(&self, monitor: &Monitor) -> Result<(), DataError> {
        let samples = Split::ALL.map(|split| self.len(split)).iter().sum();
        let stage = monitor.stage("reading images", Some(samples));
        Split::ALL.into_iter().try_for_each(|split| {
            (0..self.len(split)).into_par_iter().try_for_each_init(
                || vec![0.0; self.shape.values()],
                |values, index| {
                    self.read(split, index, 0, values)?;
                    Ok(stage.advance(1)?)
                },
            )
        })
    }

    /// Errors name the file and the row, counted from 1.
    fn read(
        &self,
        split: Split,
        index: usize,
        _draw: u64,
        out: &mut [f32],
    ) -> Result<(), DataError> {
        let sample = self.splits[split.index()][index];
        let file = &self.files[sample.file];
        let bytes = self.pool.get(sample.place);
        let bytes = bytes.map_err(|error| DataError::io(file, error))?;
        let row = format!("{}, row {}", file.display(), sample.row);
        let image = photo::decode(&bytes, Path::new(&row)).map_err(|error| match error {
            photo::PhotoError::Io { path, source } => DataError::io(path, source),
            photo::PhotoError::Format { path, problem } => DataError::format(path, problem),
        })?;
        let photo = sample::photo(image, self.shape.channels);
        sample::write_values(&sample::ready(&photo, self.shape, self.view), out);
        Ok(())
    }
}
