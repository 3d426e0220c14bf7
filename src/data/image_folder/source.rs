//! Reading folders of images.
//!
//! Opening only lists the files. A photograph is decoded ([`crate::photo`]) on first read and cached in memory as bytes, so that later
//! epochs don't decode it again: as a finished sample or, for random crops, reduced to the size that these need. A sample's
//! values are the same whether its photograph was cached or decoded again.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::config::{ImageFolderConfig, OnBadImage};
use super::found::Listing;
use super::listing;
use super::unreadable::{self, BadImage};
use crate::data::fitting::crops::Part;
use crate::data::fitting::sample;
use crate::data::fitting::{Photo, RandomCropConfig, View};
use crate::data::source::{PassedOver, passed_over_line};
use crate::data::{
    ClassOrder, CommonConfig, DataError, DataSource, SourceConfig, Split, SplitRule,
};
use crate::error::{FileError, Problem};
use crate::photo;
use crate::progress::Monitor;
use crate::rng;
use crate::shape::ImageShape;

/// Bytes of a megabyte of `data.memory_mb`.
const MEGABYTE: usize = 1 << 20;

/// Seed component of random crops, which keeps their random stream independent.
const CROP_STREAM: u64 = 3;

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
    shape: ImageShape,
    view: View,
    random_crop: Option<RandomCropConfig>,
    classes: Vec<String>,
    splits: [Vec<Sample>; 3],
    folder: PathBuf,
    on_bad_image: OnBadImage,
    passed_over: Vec<PassedOver>,
    notes: Vec<String>,
    /// Whether all images of a split are known to be readable.
    is_checked: [bool; 3],
    max_bytes: usize,
    kept_bytes: AtomicUsize,
}

#[derive(Debug)]
struct Sample {
    path: PathBuf,
    label: usize,
    /// The file's content after the first read, unless the cache was full.
    kept: OnceLock<Kept>,
}

/// The cached content of a file.
#[derive(Debug)]
enum Kept {
    /// The sample itself, `[channels, height, width]`.
    Ready(Box<[u8]>),
    /// A photograph to crop.
    Photo(Photo),
}

/// A split with its bad images and their places.
type BadOfSplit = (Split, Vec<(usize, BadImage)>);

impl Kept {
    fn bytes(&self) -> usize {
        match self {
            Kept::Ready(bytes) => bytes.len(),
            Kept::Photo(photo) => photo.bytes.len(),
        }
    }
}

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
        let folder = root.join(&config.folder);
        if !matches!(config.channels, 1 | 3) || config.height == 0 || config.width == 0 {
            return Err(DataError::format(
                &folder,
                format!(
                    "can't be read as {}x{}x{} images; data.channels must be 1 or 3, data.height and data.width at least 4",
                    config.channels, config.height, config.width
                ),
            ));
        }
        let Listing {
            classes,
            splits,
            passed_over,
            notes,
        } = listing::list(&folder, config, &monitor.stage("listing files", None))?;
        let sample = |(path, label)| Sample {
            path,
            label,
            kept: OnceLock::new(),
        };
        Ok(Self {
            shape: ImageShape {
                channels: config.channels,
                height: config.height,
                width: config.width,
            },
            view: config.view(),
            random_crop: config.random_crop.clone(),
            classes,
            splits: splits.map(|files| files.into_iter().map(sample).collect()),
            folder,
            on_bad_image: config.on_bad_image,
            passed_over,
            notes,
            is_checked: [false; 3],
            max_bytes: config.memory_mb.saturating_mul(MEGABYTE),
            kept_bytes: AtomicUsize::new(0),
        })
    }

    /// The file that a sample is read from.
    pub fn path(&self, split: Split, index: usize) -> &Path {
        &self.splits[split.index()][index].path
    }

    /// Bytes of photographs currently cached in memory.
    pub fn kept_bytes(&self) -> usize {
        self.kept_bytes.load(Ordering::Relaxed)
    }

    /// The random crops of a split, if any.
    fn random_crop(&self, split: Split) -> Option<&RandomCropConfig> {
        self.random_crop.as_ref().filter(|_| split == Split::Train)
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
        let find = |split: Split| {
            let read =
                |split, index| self.read(split, index, 0, &mut vec![0.0; self.shape.values()]);
            Ok((
                split,
                unreadable::find(split, self.len(split), &stage, read)?,
            ))
        };
        open.into_iter().map(find).collect()
    }

    /// A line about classes of which no image is left.
    fn classes_without_images(&self) -> Option<String> {
        let mut has_images = vec![false; self.classes.len()];
        for sample in self.splits.iter().flatten() {
            has_images[sample.label] = true;
        }
        let classes = self.classes.iter().zip(has_images);
        let empty: Vec<&str> = classes
            .filter(|(_, has_images)| !has_images)
            .map(|(class, _)| class.as_str())
            .collect();
        (!empty.is_empty()).then(|| format!("no image can be read of: {}", empty.join(", ")))
    }

    fn load(&self, split: Split, path: &Path) -> Result<Kept, DataError> {
        let image = photo::open(path).map_err(|error| match error {
            photo::PhotoError::Io { path, source } => DataError::io(path, source),
            photo::PhotoError::Format { path, problem } => FileError::new(path, problem)
                .advise("replace or remove this file")
                .into(),
        })?;
        let photo = sample::photo(image, self.shape.channels);
        Ok(match self.random_crop(split) {
            Some(_) => Kept::Photo(sample::reduced(photo, self.shape, self.view.centre)),
            None => Kept::Ready(sample::ready(&photo, self.shape, self.view)),
        })
    }

    fn write(&self, kept: &Kept, split: Split, draw: u64, out: &mut [f32]) {
        match (kept, self.random_crop(split)) {
            (Kept::Ready(bytes), _) => sample::write_values(bytes, out),
            (Kept::Photo(photo), Some(config)) if draw != 0 => {
                let mut rng = rng::seeded(&[draw, CROP_STREAM]);
                let part = Part::draw(config, photo.width, photo.height, &mut rng);
                sample::write_part(photo, self.shape, part, out);
            }
            (Kept::Photo(photo), _) => {
                sample::write_middle(photo, self.shape, self.view.centre, out)
            }
        }
    }

    /// Caches the content of a file if there is room: first come, first served.
    fn keep(&self, sample: &Sample, kept: Kept) {
        let bytes = kept.bytes();
        let room = self
            .kept_bytes
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |before| {
                before
                    .checked_add(bytes)
                    .filter(|&after| after <= self.max_bytes)
            });
        // Another thread may have read the same file meanwhile.
        if room.is_ok() && sample.kept.set(kept).is_err() {
            self.kept_bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

impl DataSource for ImageFolder {
    fn shape(&self) -> ImageShape {
        self.shape
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn redraws(&self) -> bool {
        self.random_crop.is_some()
    }

    fn len(&self, split: Split) -> usize {
        self.splits[split.index()].len()
    }

    fn label(&self, split: Split, index: usize) -> usize {
        self.splits[split.index()][index].label
    }

    fn notes(&self) -> Vec<String> {
        let notes = self.notes.iter().cloned();
        notes.chain(passed_over_line(&self.passed_over)).collect()
    }

    fn passed_over(&self) -> Vec<PassedOver> {
        self.passed_over.clone()
    }

    /// Decodes every image, which the first epochs then need not do (up to `data.memory_mb`).
    ///
    /// # Errors
    /// Images that can't be read, all of them.
    fn check(&self, monitor: &Monitor) -> Result<(), DataError> {
        let (mut bad, mut total) = (Vec::new(), 0);
        for (split, found) in self.bad_images(&Split::ALL, monitor)? {
            total += self.len(split);
            bad.extend(found.into_iter().map(|(_, image)| image));
        }
        bad.sort_by(|a: &BadImage, b| a.path.cmp(&b.path));
        unreadable::refuse(&self.folder, total, &bad)
    }

    fn find_bad_images(&self, monitor: &Monitor) -> Result<Vec<PassedOver>, DataError> {
        let found = self.bad_images(&Split::ALL, monitor)?.into_iter();
        let found = found.flat_map(|(_, bad)| bad);
        Ok(found.map(|(_, image)| image.passed_over()).collect())
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
        self.notes.extend(self.classes_without_images());
        Ok(())
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
        if let Some(kept) = sample.kept.get() {
            self.write(kept, split, draw, out);
            return Ok(());
        }
        let kept = self.load(split, &sample.path)?;
        self.write(&kept, split, draw, out);
        self.keep(sample, kept);
        Ok(())
    }
}
