//! A folder's images in the cache on the disk (`data.cache`).

use std::path::Path;

use serde_json::json;

use super::config::ImageFolderConfig;
use super::kept::Kept;
use crate::data::DataError;
use crate::data::disk_cache::{CheckedImages, DiskCache, FolderListings, ImageCache, Stamp};
use crate::shape::ImageShape;

/// The cache of a folder of images.
#[derive(Debug)]
pub(super) struct Disk {
    cache: DiskCache,
    /// Photographs to crop, if training crops at random.
    photos: Option<ImageCache>,
    /// Finished samples.
    samples: ImageCache,
}

/// A file as the cache knows it.
pub(super) struct FileId {
    name: String,
    stamp: Stamp,
}

impl Disk {
    /// Opens `data.cache`, if there is one, for the images in `folder`. A relative path starts from `root`, as that of the folder.
    pub fn open(
        config: &ImageFolderConfig,
        root: &Path,
        folder: &Path,
    ) -> Result<Option<Self>, DataError> {
        // A folder that is missing is told by whoever lists it.
        let Some(path) = config.cache.as_ref().filter(|_| folder.is_dir()) else {
            return Ok(None);
        };
        let cache = DiskCache::open(&root.join(path), folder, config.cache_bytes())?;
        let images = |contents: &str| {
            cache.images(json!({
                "contents": contents,
                "height": config.height,
                "width": config.width,
                "channels": config.channels,
                "fit": config.fit,
                "centre": config.centre,
                "decode": config.decode,
            }))
        };
        let crops = config.random_crop.is_some();
        Ok(Some(Self {
            photos: crops.then(|| images("photographs")).transpose()?,
            samples: images("samples")?,
            cache,
        }))
    }

    /// A file in `folder`; `None` if it can't be asked about.
    pub fn identify(folder: &Path, path: &Path) -> Option<FileId> {
        Some(FileId {
            name: name(folder, path)?.to_owned(),
            stamp: Stamp::of(path).ok()?,
        })
    }

    /// Asks the system to fetch the content of a file from the disk; false if it is not in the cache.
    pub fn load_soon(&self, folder: &Path, path: &Path, crops: bool) -> bool {
        name(folder, path).is_some_and(|name| self.images(crops).load_soon(name))
    }

    /// The content of a file, if it is in the cache: a photograph if the sample is cropped at random.
    pub fn load(&self, file: &FileId, crops: bool) -> Option<Kept> {
        let stored = self.images(crops).load(&file.name, file.stamp)?;
        Some(if crops {
            Kept::photo(stored)
        } else {
            Kept::ready(stored)
        })
    }

    /// Stores the content of a file and gives it back.
    pub fn store(&self, file: &FileId, kept: Kept, shape: ImageShape) -> Kept {
        match kept {
            Kept::Ready(_) => {
                let stored = kept.into_stored(shape);
                self.images(false).store(&file.name, file.stamp, &stored);
                Kept::ready(stored)
            }
            Kept::Photo(_) => {
                let stored = kept.into_stored(shape);
                self.images(true).store(&file.name, file.stamp, &stored);
                Kept::photo(stored)
            }
        }
    }

    fn images(&self, crops: bool) -> &ImageCache {
        let photos = self.photos.as_ref().filter(|_| crops);
        photos.unwrap_or(&self.samples)
    }

    /// One line on what the cache holds.
    pub fn note(&self) -> String {
        let forms: Vec<&ImageCache> = self.photos.iter().chain([&self.samples]).collect();
        self.cache.note(&forms)
    }

    /// What using the cache has found since the last call.
    pub fn warnings(&self) -> Vec<String> {
        self.cache.warnings()
    }

    /// The images that were decoded without an error.
    pub fn checked(&self) -> CheckedImages {
        self.cache.checked()
    }

    /// Keeps which images were checked, for the next start.
    pub fn save_checked(&self, checked: &CheckedImages) {
        self.cache.saved(checked.save());
    }

    /// What was in the folder and in those below it.
    pub fn listings(&self) -> FolderListings {
        self.cache.listings()
    }

    /// Keeps what was in the folders, for the next start.
    pub fn save_listings(&self, listings: &FolderListings) {
        self.cache.saved(listings.save());
    }
}

/// The name of a file within the folder, or its whole path if it is elsewhere; `None` if it is not valid UTF-8.
fn name<'a>(folder: &Path, path: &'a Path) -> Option<&'a str> {
    path.strip_prefix(folder).unwrap_or(path).to_str()
}

impl FileId {
    /// Whether the file was decoded without an error as it is now.
    pub fn is_in(&self, checked: &CheckedImages) -> bool {
        checked.contains(&self.name, self.stamp)
    }

    /// Adds the file to those that were decoded without an error.
    pub fn add_to(&self, checked: &CheckedImages) {
        checked.add(&self.name, self.stamp);
    }
}
