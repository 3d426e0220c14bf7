//! Reading folders of images.
//!
//! Opening only lists the files. A photograph is decoded ([`crate::photo`]) on first read and cached in memory as bytes, so that later
//! epochs don't decode it again: as a finished sample or, for random crops, reduced to the size that these need. A sample's
//! values are the same whether its photograph was cached or decoded again.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::config::ImageFolderConfig;
use super::listing;
use crate::data::fitting::crops::Part;
use crate::data::fitting::sample;
use crate::data::fitting::{Photo, RandomCropConfig, View};
use crate::data::{
    ClassOrder, CommonConfig, DataError, DataSource, SourceConfig, Split, SplitRule,
};
use crate::error::Problem;
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

impl Kept {
    fn bytes(&self) -> usize {
        match self {
            Kept::Ready(bytes) => bytes.len(),
            Kept::Photo(photo) => photo.bytes.len(),
        }
    }
}

impl ImageFolder {
    /// Lists `<root>/<folder>`: `train/`, `valid/` (or `val/`) and `test/` with one folder per class, or else the class
    /// folders themselves, divided by `config.split`. A sample's name for that is its file's name without extension
    /// (by number) or `class/name` (by share). Hidden files and other kinds of files are skipped.
    ///
    /// Errors name the folder: it is missing, holds no class folders, a class has no images, `valid/` or `test/` has a
    /// class that `train/` lacks, or the configured shape is not supported.
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
        let (classes, splits) =
            listing::list(&folder, config, &monitor.stage("listing files", None))?;
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

    fn load(&self, split: Split, path: &Path) -> Result<Kept, DataError> {
        let image = photo::open(path).map_err(|error| match error {
            photo::PhotoError::Io { path, source } => DataError::io(path, source),
            photo::PhotoError::Format { path, problem } => {
                DataError::format(path, format!("{problem}; replace or remove this file"))
            }
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

    fn name(&self, split: Split, index: usize) -> Cow<'_, str> {
        let path = self.path(split, index);
        let name = path.strip_prefix(&self.folder).unwrap_or(path);
        name_of(name)
    }

    fn file(&self, split: Split, index: usize) -> Option<&Path> {
        Some(self.path(split, index))
    }

    /// Errors name the file: it is missing, or not an image despite its extension.
    /// Decodes every image, which the first epochs then need not do (up to `data.memory_mb`).
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
