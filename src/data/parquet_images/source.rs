//! Encoded images in memory, decoded when they are read.

use std::path::{Path, PathBuf};

use image::DynamicImage;
use rayon::prelude::*;

use super::pool::{Place, Pool};
use crate::data::source::{BadSample, PassedOver, Reason, bad_images};
use crate::data::{DataError, DataSource, Split};
use crate::fitting::{View, sample};
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

impl ParquetImages {
    /// Errors name the file and the row, counted from 1.
    fn decoded(&self, split: Split, index: usize) -> Result<DynamicImage, DataError> {
        let sample = self.splits[split.index()][index];
        let file = &self.files[sample.file];
        let bytes = self.pool.get(sample.place);
        let bytes = bytes.map_err(|error| DataError::io(file, error))?;
        let row = format!("{}, row {}", file.display(), sample.row);
        Ok(photo::decode(&bytes, Path::new(&row))?)
    }
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
    fn find_bad_samples(
        &self,
        splits: &[Split],
        monitor: &Monitor,
    ) -> Result<Vec<BadSample>, DataError> {
        let samples = splits.iter().map(|&split| self.len(split)).sum();
        let stage = monitor.stage("reading images", Some(samples));
        let mut bad = Vec::new();
        for &split in splits {
            let found = (0..self.len(split)).into_par_iter().map(|index| {
                let decoded = self.decoded(split, index);
                stage.advance(1)?;
                match decoded {
                    Ok(_) => Ok(None),
                    Err(DataError::File(error)) => Ok(Some(BadSample {
                        split,
                        index,
                        image: PassedOver::new(error.path(), Reason::Unreadable(error.reason())),
                    })),
                    Err(other) => Err(other),
                }
            });
            let found: Vec<Option<BadSample>> = found.collect::<Result<_, DataError>>()?;
            bad.extend(found.into_iter().flatten());
        }
        Ok(bad)
    }

    /// # Errors
    /// Images that can't be read, all of them.
    fn check(&self, splits: &[Split], monitor: &Monitor) -> Result<(), DataError> {
        let bad = self.find_bad_samples(splits, monitor)?;
        match bad.as_slice() {
            [] => Ok(()),
            [only] => Err(DataError::format(
                &only.image.path,
                only.image.reason.explanation(),
            )),
            _ => {
                let images = bad.iter().map(|BadSample { image, .. }| {
                    (image.path.display().to_string(), image.reason.explanation())
                });
                Err(DataError::Images(format!(
                    "{} images can't be read; write the set without them, or name them in data.exclude\n{}",
                    bad.len(),
                    bad_images(images)
                )))
            }
        }
    }

    /// Errors name the file and the row, counted from 1.
    fn read(
        &self,
        split: Split,
        index: usize,
        _draw: u64,
        out: &mut [f32],
    ) -> Result<(), DataError> {
        let photo = sample::photo(self.decoded(split, index)?, self.shape.channels);
        sample::write_values(&sample::ready(&photo, self.shape, self.view), out);
        Ok(())
    }
}
