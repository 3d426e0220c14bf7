//! A folder of decoded images, which runs and processes share.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::checked::CheckedImages;
use super::entry::{self, Lookup, StoredImage};
use super::layout::{self, About, Form, on_disk};
use super::listings::FolderListings;
use super::removal;
use super::space::Space;
use super::stamp::Stamp;
use super::tally::{Tally, megabytes};
use crate::error::FileError;
use crate::files;

/// File of a set with the images that were decoded without an error.
const CHECKED: &str = "checked";

/// File of a set with what was in its folders.
const LISTINGS: &str = "listings";

/// What to do if a cache can't be used.
const ADVICE: &str = "name a folder that can be written in data.cache, or leave it out";

/// The cache of one folder of images.
#[derive(Debug)]
pub struct DiskCache {
    root: PathBuf,
    set: PathBuf,
    data_folder: PathBuf,
    space: Arc<Space>,
    tally: Arc<Tally>,
    /// Locked while the cache is in use.
    _in_use: File,
}

impl DiskCache {
    /// Opens the cache in the folder `root` for the images in `data_folder`, and makes it if there is none. All its images take at
    /// most `limit` bytes.
    ///
    /// # Errors
    /// `root` can't be made or written.
    pub fn open(root: &Path, data_folder: &Path, limit: u64) -> Result<Self, FileError> {
        Self::try_open(root, data_folder, limit)
            .map_err(|error| FileError::create(root, error).advise(ADVICE))
    }

    fn try_open(root: &Path, data_folder: &Path, limit: u64) -> io::Result<Self> {
        layout::create(root)?;
        let data_folder = fs::canonicalize(data_folder)?;
        let set = layout::set_folder(root, &data_folder);
        fs::create_dir_all(&set)?;
        let space = Space::new(root, limit);
        let in_use = space.guarded(|usage| {
            if let Some(_lock) = layout::lock_alone(root)? {
                let forms = layout::forms(root)?;
                forms.iter().for_each(removal::remove_temporaries);
                usage.bytes = forms.iter().map(removal::usage).sum();
            }
            layout::lock_shared(root)
        })?;
        Ok(Self {
            root: root.to_path_buf(),
            set,
            data_folder,
            space: Arc::new(space),
            tally: Arc::default(),
            _in_use: in_use,
        })
    }

    /// The images for these settings: whatever besides the file itself decides the values of an image.
    ///
    /// # Errors
    /// The cache can't be written.
    pub fn images(&self, settings: serde_json::Value) -> Result<ImageCache, FileError> {
        let about = About {
            folder: self.data_folder.clone(),
            kiln: env!("CARGO_PKG_VERSION").to_string(),
            settings,
        };
        let opened = self.space.guarded(|_| {
            let form = Form::create(&self.set, &about)?;
            let in_use = form.lock_shared()?;
            Ok((form, in_use))
        });
        let (form, in_use) =
            opened.map_err(|error| FileError::create(&self.root, error).advise(ADVICE))?;
        Ok(ImageCache {
            form,
            _in_use: in_use,
            space: self.space.clone(),
            tally: self.tally.clone(),
        })
    }

    /// The images of the folder that were decoded without an error.
    pub fn checked(&self) -> CheckedImages {
        CheckedImages::load(&self.set.join(CHECKED))
    }

    /// What was in the folder and in those below it.
    pub fn listings(&self) -> FolderListings {
        FolderListings::load(&self.set.join(LISTINGS))
    }

    /// Counts that something was not saved, which costs time and no more.
    pub fn saved(&self, saved: Result<(), FileError>) {
        if let Err(error) = saved {
            self.tally.failed(&error);
        }
    }

    /// One line on what the cache holds, with the images of these forms.
    pub fn note(&self, forms: &[&ImageCache]) -> String {
        let images: usize = forms.iter().map(|images| images.count()).sum();
        let taken = self.space.guarded(|usage| Ok(usage.bytes)).unwrap_or(0);
        format!(
            "cache {}: {images} of these images, {} of at most {} in use",
            self.root.display(),
            megabytes(taken),
            megabytes(self.space.limit())
        )
    }

    /// What using the cache has found since the last call, a line each.
    pub fn warnings(&self) -> Vec<String> {
        self.tally.take(&self.root)
    }
}

/// The images of a folder for the same settings. An image is known by the name of its file within the folder.
#[derive(Debug)]
pub struct ImageCache {
    form: Form,
    space: Arc<Space>,
    tally: Arc<Tally>,
    /// Locked while the form is in use.
    _in_use: File,
}

impl ImageCache {
    /// The image whose file has this stamp now, if it is in the cache. A damaged one is counted.
    pub fn load(&self, name: &str, stamp: Stamp) -> Option<StoredImage> {
        match entry::read(&self.form.entry(name), name, stamp) {
            Lookup::Hit(image) => Some(image),
            Lookup::Missing | Lookup::Stale => None,
            Lookup::Damaged => {
                self.tally.damaged();
                None
            }
        }
    }

    /// Asks the system to fetch the image from the disk; false if there is none.
    pub fn load_soon(&self, name: &str) -> bool {
        files::read_soon(&self.form.entry(name))
    }

    /// Stores an image, in place of an older one, if there is room. `stamp` is that of its file from before it was read. What goes
    /// wrong is counted.
    pub fn store(&self, name: &str, stamp: Stamp, image: &StoredImage) {
        let wants_none = self.space.limit() == 0 || self.tally.has_stopped();
        // A file that has just been written may be written again without another stamp.
        if wants_none || !stamp.is_settled() {
            return;
        }
        let path = self.form.entry(name);
        let bytes = on_disk(entry::length(name, image));
        match self.space.take(bytes) {
            Err(error) => self.tally.failed(&error),
            Ok(false) => self.tally.full(self.space.limit()),
            Ok(true) => {
                let before = fs::metadata(&path).map_or(0, |data| on_disk(data.len()));
                match self.write(&path, name, stamp, image) {
                    Ok(()) => self.space.give_back(before),
                    Err(error) => {
                        self.space.give_back(bytes);
                        self.tally.failed(&error);
                    }
                }
            }
        }
    }

    fn write(&self, path: &Path, name: &str, stamp: Stamp, image: &StoredImage) -> io::Result<()> {
        match entry::write(path, name, stamp, image) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if let Some(shard) = path.parent() {
                    fs::create_dir_all(shard)?;
                }
                entry::write(path, name, stamp, image)
            }
            written => written,
        }
    }

    fn count(&self) -> usize {
        let shards = self.form.shards();
        shards.iter().map(|s| layout::entries(s).len()).sum()
    }
}
