//! Walking through folders: what is in them, and what of it is passed over.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::config::OnBadImage;
use crate::archive::STAMP;
use crate::data::DataError;
use crate::data::disk_cache::{self, EntryKind, FolderListings};
use crate::data::source::{PassedOver, Reason};
use crate::error::io_problem;
use crate::photo::{SIGNATURE_BYTES, has_image_extension, has_image_signature};
use crate::progress::Stage;

/// How many levels below the folder of a class are searched.
const MAX_DEPTH: usize = 32;

/// Names, in lower case, of what systems and programs leave in folders: archives of macOS; Windows; NAS boxes by Synology and
/// QNAP; file systems; Python.
const SYSTEM_NAMES: [&str; 12] = [
    "__macosx",
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "$recycle.bin",
    "system volume information",
    "@eadir",
    "#recycle",
    "@recycle",
    "@recently-snapshot",
    "lost+found",
    "__pycache__",
];

/// One level of a folder, sorted by name.
#[derive(Debug, Default)]
pub(super) struct Level {
    /// Image files.
    pub images: Vec<PathBuf>,
    /// Folders.
    pub folders: Vec<PathBuf>,
}

/// Reads folders, and remembers what is passed over.
pub(super) struct Walk<'a> {
    stage: &'a Stage,
    /// What is known about the folders.
    listings: Option<&'a FolderListings>,
    on_bad_image: OnBadImage,
    /// What is not used so far.
    pub passed_over: Vec<PassedOver>,
}

/// What an entry of a folder is, through links.
enum Kind {
    Folder,
    Image,
    No(Reason),
}

impl<'a> Walk<'a> {
    pub fn new(
        stage: &'a Stage,
        listings: Option<&'a FolderListings>,
        on_bad_image: OnBadImage,
    ) -> Self {
        Self {
            stage,
            listings,
            on_bad_image,
            passed_over: Vec::new(),
        }
    }

    /// Passes over files for one reason.
    pub fn pass_over(&mut self, paths: impl IntoIterator<Item = PathBuf>, reason: &Reason) {
        let files = paths
            .into_iter()
            .map(|path| PassedOver::new(path, reason.clone()));
        self.passed_over.extend(files);
    }

    /// What is in `folder`. What is neither a folder nor an image is passed over.
    ///
    /// # Errors
    /// The folder can't be read.
    pub fn level(&mut self, folder: &Path) -> Result<Level, DataError> {
        let mut level = Level::default();
        let entries = match self.listings {
            Some(listings) => listings.list(folder, self.stage)?,
            None => disk_cache::list(folder, self.stage)?,
        };
        // What kiln itself puts into the folder of an archive is no news to anyone.
        let entries = entries.into_iter().filter(|(name, _)| *name != STAMP);
        for (name, kind) in entries {
            let path = folder.join(&name);
            match use_of(&name, kind, &path) {
                Kind::Folder => level.folders.push(path),
                Kind::Image => level.images.push(path),
                Kind::No(reason) => self.passed_over.push(PassedOver::new(path, reason)),
            }
        }
        level.images.sort_unstable();
        level.folders.sort_unstable();
        Ok(level)
    }

    /// [`level`](Self::level) of a folder that is passed over if it can't be read and bad images are to be skipped.
    fn level_if_readable(&mut self, folder: &Path) -> Result<Level, DataError> {
        match self.level(folder) {
            Err(DataError::File(error)) if self.on_bad_image == OnBadImage::Skip => {
                let reason = Reason::Unreadable(error.reason());
                self.passed_over.push(PassedOver::new(folder, reason));
                Ok(Level::default())
            }
            other => other,
        }
    }

    /// All images in `folder` and below it, sorted by their paths. Links are followed, but not in circles.
    ///
    /// # Errors
    /// A folder can't be read, and bad images are not to be skipped.
    pub fn images(&mut self, folder: &Path) -> Result<Vec<PathBuf>, DataError> {
        let level = self.level_if_readable(folder)?;
        self.images_below(folder, level)
    }

    /// [`images`](Self::images) of a folder whose first level has been read.
    pub fn images_below(&mut self, folder: &Path, level: Level) -> Result<Vec<PathBuf>, DataError> {
        let mut followed: Vec<PathBuf> = folder.canonicalize().into_iter().collect();
        let mut found = Vec::new();
        self.collect(level, 0, &mut followed, &mut found)?;
        found.sort_unstable();
        Ok(found)
    }

    /// `followed` holds where the links lead to that the walk has gone through.
    fn collect(
        &mut self,
        level: Level,
        depth: usize,
        followed: &mut Vec<PathBuf>,
        found: &mut Vec<PathBuf>,
    ) -> Result<(), DataError> {
        found.extend(level.images);
        for folder in level.folders {
            if depth == MAX_DEPTH {
                self.passed_over
                    .push(PassedOver::new(folder, Reason::TooDeep));
                continue;
            }
            let before = followed.len();
            match folder.is_symlink().then(|| folder.canonicalize()) {
                None => {}
                Some(Ok(target)) if !leads_back(&folder, &target, followed) => {
                    followed.push(target)
                }
                Some(_) => {
                    self.passed_over
                        .push(PassedOver::new(folder, Reason::LinkLoop));
                    continue;
                }
            }
            let below = self.level_if_readable(&folder)?;
            self.collect(below, depth + 1, followed, found)?;
            followed.truncate(before);
        }
        Ok(())
    }
}

/// Whether a link leads to a folder that it lies in, or that another link has led to.
fn leads_back(link: &Path, target: &PathBuf, followed: &[PathBuf]) -> bool {
    let parent = link.parent().and_then(|parent| parent.canonicalize().ok());
    parent.is_some_and(|parent| parent.starts_with(target)) || followed.contains(target)
}

fn use_of(name: &OsStr, kind: EntryKind, path: &Path) -> Kind {
    if is_system(name) {
        return Kind::No(Reason::System);
    }
    let is_link = matches!(kind, EntryKind::Link);
    let kind = match kind {
        EntryKind::Link => path.metadata().map(|about| about.file_type().into()),
        known => Ok(known),
    };
    match kind {
        // Such as data.cache, if it lies among the images.
        Ok(EntryKind::Folder) if disk_cache::is_cache(path) => Kind::No(Reason::System),
        Ok(EntryKind::Folder) => Kind::Folder,
        Ok(EntryKind::File) => file_kind(path),
        Ok(_) => Kind::No(Reason::Special),
        Err(error) if error.kind() == ErrorKind::NotFound => Kind::No(Reason::BrokenLink),
        // Linux: too many levels of links.
        Err(error) if is_link && error.kind() != ErrorKind::PermissionDenied => {
            Kind::No(Reason::LinkLoop)
        }
        Err(error) => Kind::No(Reason::Unreadable(io_problem(&error))),
    }
}

/// Files are images by their extension, those without one by their content.
fn file_kind(path: &Path) -> Kind {
    if has_image_extension(path) {
        return Kind::Image;
    }
    match path.extension() {
        Some(extension) => {
            let extension = extension.to_string_lossy().to_lowercase();
            Kind::No(Reason::OtherKind(extension))
        }
        None => match signature(path) {
            Ok(start) if has_image_signature(&start) => Kind::Image,
            Ok(_) => Kind::No(Reason::OtherKind(String::new())),
            Err(error) => Kind::No(Reason::Unreadable(io_problem(&error))),
        },
    }
}

fn signature(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut start = Vec::new();
    let file = File::open(path)?;
    file.take(SIGNATURE_BYTES as u64).read_to_end(&mut start)?;
    Ok(start)
}

/// Whether a file or folder is hidden, or of a system rather than of the user.
fn is_system(name: &OsStr) -> bool {
    let hidden = name.as_encoded_bytes().starts_with(b".");
    hidden
        || SYSTEM_NAMES
            .iter()
            .any(|system| name.eq_ignore_ascii_case(system))
}

/// The name of a class folder.
///
/// # Errors
/// It is not valid UTF-8.
pub(super) fn class_name(folder: &Path) -> Result<&str, DataError> {
    let name = folder.file_name().and_then(OsStr::to_str);
    name.ok_or_else(|| DataError::format(folder, "folder name is not valid UTF-8; rename it"))
}
