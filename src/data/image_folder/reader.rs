//! Reads the content of an image file: decoded, or from the caches in memory and on the disk.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::config::{Decode, ImageFolderConfig};
use super::disk::Disk;
use super::kept::Kept;
use crate::data::disk_cache::CheckedImages;
use crate::data::source::MEGABYTE;
use crate::data::{DataError, Split};
use crate::error::FileError;
use crate::files;
use crate::fitting::crops::Part;
use crate::fitting::sample;
use crate::fitting::{RandomCropConfig, View};
use crate::photo;
use crate::rng;
use crate::shape::ImageShape;

/// Seed component of random crops, which keeps their random stream independent.
const CROP_STREAM: u64 = 3;

/// A file of a split.
#[derive(Debug)]
pub(super) struct Sample {
    /// The file.
    pub path: PathBuf,
    /// Its class.
    pub label: usize,
    /// The file's content after the first read, unless the cache was full.
    kept: OnceLock<Kept>,
}

impl Sample {
    /// A file that was not read yet.
    pub fn new(path: PathBuf, label: usize) -> Self {
        Self {
            path,
            label,
            kept: OnceLock::new(),
        }
    }
}

/// Turns files into samples.
#[derive(Debug)]
pub(super) struct Reader {
    /// Where the files are, for their names in the cache.
    folder: PathBuf,
    /// The shape of a sample.
    pub shape: ImageShape,
    view: View,
    decode: Decode,
    /// Crops of training samples.
    pub random_crop: Option<RandomCropConfig>,
    max_bytes: usize,
    kept_bytes: AtomicUsize,
    /// The cache on the disk.
    pub disk: Option<Disk>,
}

impl Reader {
    /// Opens the caches that the config asks for; `root` is where its relative paths start, `folder` the folder of the images.
    ///
    /// # Errors
    /// The cache on the disk can't be made.
    pub fn open(config: &ImageFolderConfig, root: &Path, folder: &Path) -> Result<Self, DataError> {
        Ok(Self {
            folder: folder.to_path_buf(),
            shape: ImageShape {
                channels: config.channels,
                height: config.height,
                width: config.width,
            },
            view: config.view(),
            decode: config.decode,
            random_crop: config.random_crop.clone(),
            max_bytes: config.memory_mb.saturating_mul(MEGABYTE),
            kept_bytes: AtomicUsize::new(0),
            disk: Disk::open(config, root, folder)?,
        })
    }

    /// Bytes of images currently cached in memory.
    pub fn kept_bytes(&self) -> usize {
        self.kept_bytes.load(Ordering::Relaxed)
    }

    /// Writes the values of a sample.
    ///
    /// # Errors
    /// Its file can't be read or decoded.
    pub fn read(
        &self,
        sample: &Sample,
        split: Split,
        draw: u64,
        out: &mut [f32],
    ) -> Result<(), DataError> {
        if let Some(kept) = sample.kept.get() {
            self.write(kept, split, draw, out);
            return Ok(());
        }
        let kept = self.load(split, &sample.path)?;
        self.write(&kept, split, draw, out);
        self.keep(sample, kept);
        Ok(())
    }

    /// Reads a sample unless that has succeeded before.
    ///
    /// # Errors
    /// As those of [`read`](Self::read).
    pub fn check(
        &self,
        sample: &Sample,
        split: Split,
        checked: Option<&CheckedImages>,
    ) -> Result<(), DataError> {
        let file = checked.and_then(|_| Disk::identify(&self.folder, &sample.path));
        let known = file.as_ref().zip(checked);
        if known.is_some_and(|(file, checked)| file.is_in(checked)) {
            return Ok(());
        }
        self.read(sample, split, 0, &mut vec![0.0; self.shape.values()])?;
        if let Some((file, checked)) = known {
            file.add_to(checked);
        }
        Ok(())
    }

    /// Asks the system to fetch what reading a sample will need.
    pub fn read_soon(&self, sample: &Sample, split: Split) {
        if sample.kept.get().is_none() {
            let crops = self.random_crop(split).is_some();
            let disk = self.disk.as_ref();
            if !disk.is_some_and(|disk| disk.load_soon(&self.folder, &sample.path, crops)) {
                files::read_soon(&sample.path);
            }
        }
    }

    /// The random crops of a split, if any.
    fn random_crop(&self, split: Split) -> Option<&RandomCropConfig> {
        self.random_crop.as_ref().filter(|_| split == Split::Train)
    }

    /// The content of a file: from the cache on the disk, or decoded and then stored there.
    fn load(&self, split: Split, path: &Path) -> Result<Kept, DataError> {
        let Some(disk) = &self.disk else {
            return self.decode(split, path);
        };
        // Before it is read: what is stored under this stamp can't be older than the stamp says.
        let Some(file) = Disk::identify(&self.folder, path) else {
            return self.decode(split, path);
        };
        let crops = self.random_crop(split).is_some();
        match disk.load(&file, crops) {
            Some(kept) => Ok(kept),
            None => Ok(disk.store(&file, self.decode(split, path)?, self.shape)),
        }
    }

    fn decode(&self, split: Split, path: &Path) -> Result<Kept, DataError> {
        let crops = self.random_crop(split).is_some();
        let opened = match self.decode {
            Decode::Exact => photo::open(path),
            Decode::Scaled => photo::open_scaled(path, |width, height| {
                sample::reduced_size((width, height), self.shape, self.view, crops)
            }),
        };
        let image = opened.map_err(|error| match error {
            photo::PhotoError::Io { path, source } => DataError::io(path, source),
            photo::PhotoError::Format { path, problem } => FileError::new(path, problem)
                .advise("replace or remove this file")
                .into(),
        })?;
        let photo = sample::photo(image, self.shape.channels);
        Ok(if crops {
            Kept::Photo(sample::reduced(photo, self.shape, self.view.centre))
        } else {
            Kept::Ready(sample::ready(&photo, self.shape, self.view))
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
