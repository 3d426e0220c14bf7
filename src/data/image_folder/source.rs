//! Reading folders of images.
//!
//! Opening only lists the files. A photograph is decoded ([`crate::photo`]) on first read and cached as bytes, in memory and if asked
//! for on the disk, so that later epochs and runs don't decode it again: as a finished sample or, for random crops, reduced to the size
//! that these need. A sample's values are the same whether its photograph was cached or decoded again.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::config::{ImageFolderConfig, OnBadImage};
use super::disk::Disk;
use super::found::Listing;
use super::reader::{Reader, Sample};
use super::unreadable::{self, BadImage};
use super::{listing, published};
use crate::data::source::{BadSample, PassedOver, folder_at, passed_over_line};
use crate::data::{
    ClassOrder, CommonConfig, DataError, DataSource, SourceConfig, Split, SplitRule,
};
use crate::error::Problem;
use crate::fitting::View;
use crate::progress::Monitor;
use crate::shape::ImageShape;

impl SourceConfig for ImageFolderConfig {
    fn common(&self) -> &CommonConfig {
        &self.common
    }

    fn folders(&self) -> Vec<&str> {
        vec![&self.folder]
    }

    fn shape(&self) -> ImageShape {
        ImageShape::new(self.channels, self.height, self.width)
    }

    fn classes(&self) -> Option<usize> {
        None
    }

    fn split(&self) -> Option<&SplitRule> {
        Some(&self.split)
    }

    fn class_order(&self) -> Option<ClassOrder> {
        Some(self.class_order)
    }

    fn view(&self) -> View {
        self.view()
    }

    fn problems(&self, path: &str) -> Vec<Problem> {
        self.problems(path)
    }

    fn open(&self, root: &Path, monitor: &Monitor) -> Result<Box<dyn DataSource>, DataError> {
        Ok(Box::new(ImageFolder::open_watched(self, root, monitor)?))
    }
}

/// Folders of images. Class names are the folders' names, in the order of [`ClassOrder`]. Files within a class are in the order of their names.
#[derive(Debug)]
pub struct ImageFolder {
    reader: Reader,
    classes: Vec<String>,
    splits: [Vec<Sample>; 3],
    folder: PathBuf,
    on_bad_image: OnBadImage,
    passed_over: Vec<PassedOver>,
    notes: Vec<String>,
    /// Whether all images of a split are known to be readable.
    is_checked: [bool; 3],
}

/// A split with its bad images and their places.
type BadOfSplit = (Split, Vec<(usize, BadImage)>);

impl ImageFolder {
    /// Lists `<root>/<folder>`: `train/`, `valid/` and `test/` (or by their other usual names) with one folder per class, or else the
    /// class folders themselves, divided by `config.split`; or the images that `config.labels` names. A sample's name for the
    /// division is its file's name without extension (by number), or its path from the folder on, as in `class/name` (by
    /// share). What is not used is in [`passed_over`](DataSource::passed_over).
    ///
    /// Errors name the folder: it is missing, holds no images in class folders, `valid/` or `test/` has a class that `train/`
    /// lacks, or the configured shape is not supported.
    pub fn open(config: &ImageFolderConfig, root: &Path) -> Result<Self, DataError> {
        Self::open_watched(config, root, &Monitor::default())
    }

    /// [`open`](Self::open) as a stage of `monitor`.
    pub fn open_watched(
        config: &ImageFolderConfig,
        root: &Path,
        monitor: &Monitor,
    ) -> Result<Self, DataError> {
        let folder = folder_at(root, &config.folder)?;
        if config.labels.is_none() {
            published::validate_sorted(&folder)?;
        }
        if !matches!(config.channels, 1 | 3) || config.height == 0 || config.width == 0 {
            return Err(DataError::format(
                &folder,
                format!(
                    "can't be read as {}x{}x{} images; data.channels must be 1 or 3, data.height and data.width at least 4",
                    config.channels, config.height, config.width
                ),
            ));
        }
        let reader = Reader::open(config, root, &folder)?;
        let listings = reader.disk.as_ref().map(Disk::listings);
        let stage = monitor.stage("listing files", None);
        let Listing {
            classes,
            splits,
            passed_over,
            notes,
        } = listing::list(&folder, config, listings.as_ref(), &stage)?;
        if let Some((disk, listings)) = reader.disk.as_ref().zip(listings.as_ref()) {
            disk.save_listings(listings);
        }
        drop(stage);
        let sample = |(path, label)| Sample::new(path, label);
        Ok(Self {
            reader,
            classes,
            splits: splits.map(|files| files.into_iter().map(sample).collect()),
            folder,
            on_bad_image: config.on_bad_image,
            passed_over,
            notes,
            is_checked: [false; 3],
        })
    }

    /// The file that a sample is read from.
    pub fn path(&self, split: Split, index: usize) -> &Path {
        &self.splits[split.index()][index].path
    }

    /// Bytes of photographs currently cached in memory.
    pub fn kept_bytes(&self) -> usize {
        self.reader.kept_bytes()
    }

    /// The bad images of those of the splits that are not checked yet, each with its place.
    fn bad_images(
        &self,
        splits: &[Split],
        monitor: &Monitor,
    ) -> Result<Vec<BadOfSplit>, DataError> {
        let open = splits
            .iter()
            .copied()
            .filter(|split| !self.is_checked[split.index()]);
        let open: Vec<Split> = open.collect();
        let total = open.iter().map(|&split| self.len(split)).sum();
        let stage = monitor.stage("reading images", Some(total));
        let checked = self.reader.disk.as_ref().map(Disk::checked);
        let check = |split: Split, index: usize| {
            let sample = &self.splits[split.index()][index];
            self.reader.check(sample, split, checked.as_ref())
        };
        let find = |split: Split| {
            let bad = unreadable::find(split, self.len(split), &stage, check)?;
            Ok((split, bad))
        };
        let found = open.into_iter().map(find).collect();
        // What was read before an error, or before Ctrl-C, need not be read again.
        if let Some((disk, checked)) = self.reader.disk.as_ref().zip(checked.as_ref()) {
            disk.save_checked(checked);
        }
        found
    }
}

/// A relative path with `/` between its parts, on every system.
fn name_of(path: &Path) -> Cow<'_, str> {
    let text = path.to_string_lossy();
    match std::path::MAIN_SEPARATOR {
        '/' => text,
        separator => Cow::Owned(text.replace(separator, "/")),
    }
}

impl DataSource for ImageFolder {
    fn shape(&self) -> ImageShape {
        self.reader.shape
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn redraws(&self) -> bool {
        self.reader.random_crop.is_some()
    }

    fn len(&self, split: Split) -> usize {
        self.splits[split.index()].len()
    }

    fn label(&self, split: Split, index: usize) -> usize {
        self.splits[split.index()][index].label
    }

    fn notes(&self) -> Vec<String> {
        let notes = self.notes.iter().cloned();
        let notes = notes.chain(passed_over_line(&self.passed_over));
        notes
            .chain(self.reader.disk.as_ref().map(Disk::note))
            .collect()
    }

    fn warnings(&self) -> Vec<String> {
        self.reader.disk.iter().flat_map(Disk::warnings).collect()
    }

    fn passed_over(&self) -> Vec<PassedOver> {
        self.passed_over.clone()
    }

    fn name(&self, split: Split, index: usize) -> Cow<'_, str> {
        let path = self.path(split, index);
        let name = path.strip_prefix(&self.folder).unwrap_or(path);
        name_of(name)
    }

    fn file(&self, split: Split, index: usize) -> Option<&Path> {
        Some(self.path(split, index))
    }

    /// Decodes every image, which the first epochs then need not do (up to `data.memory_mb`); with `data.cache`, only those that were
    /// not decoded without an error before.
    ///
    /// # Errors
    /// Images that can't be read, all of them.
    fn check(&self, splits: &[Split], monitor: &Monitor) -> Result<(), DataError> {
        let (mut bad, mut total) = (Vec::new(), 0);
        for (split, found) in self.bad_images(splits, monitor)? {
            total += self.len(split);
            bad.extend(found.into_iter().map(|(_, image)| image));
        }
        bad.sort_by(|a: &BadImage, b| a.path.cmp(&b.path));
        unreadable::refuse(&self.folder, total, &bad)
    }

    fn find_bad_samples(
        &self,
        splits: &[Split],
        monitor: &Monitor,
    ) -> Result<Vec<BadSample>, DataError> {
        let mut samples = Vec::new();
        for (split, bad) in self.bad_images(splits, monitor)? {
            samples.extend(bad.into_iter().map(|(index, image)| BadSample {
                split,
                index,
                image: image.passed_over(),
            }));
        }
        Ok(samples)
    }

    fn skip_bad_images(&mut self, splits: &[Split], monitor: &Monitor) -> Result<(), DataError> {
        if self.on_bad_image != OnBadImage::Skip {
            return Ok(());
        }
        for (split, bad) in self.bad_images(splits, monitor)? {
            let places: HashSet<usize> = bad.iter().map(|(index, _)| *index).collect();
            let mut place = 0..;
            self.splits[split.index()]
                .retain(|_| place.next().is_none_or(|place| !places.contains(&place)));
            let bad = bad.into_iter();
            self.passed_over
                .extend(bad.map(|(_, image)| image.passed_over()));
            self.is_checked[split.index()] = true;
        }
        self.passed_over.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(())
    }

    fn read_soon(&self, split: Split, index: usize) {
        self.reader
            .read_soon(&self.splits[split.index()][index], split);
    }

    /// With `data.random_crop`, a training sample is the crop of its photograph that `draw` selects (0: the centre crop);
    /// validation and test always use the centre crop.
    fn read(
        &self,
        split: Split,
        index: usize,
        draw: u64,
        out: &mut [f32],
    ) -> Result<(), DataError> {
        let sample = &self.splits[split.index()][index];
        self.reader.read(sample, split, draw, out)
    }
}
