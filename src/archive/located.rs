//! An archive in place of a folder: unpacked once, beside it.

use std::path::{Path, PathBuf};

use super::cache::Cache;
use super::error::{LocateError, UnpackError};
use super::format::{Format, is_archive};
use super::limits::Limits;
use super::name;
use super::unpack::unpack;
use crate::error::FileError;
use crate::files;
use crate::progress::Monitor;

/// Folders and files that programs leave in archives.
const LEFT_BY_PROGRAMS: [&str; 4] = ["__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"];

/// The start of the names of files with macOS's attributes of other files.
const ATTRIBUTES: &str = "._";

/// The folder that a path stands for: the path itself, or that of the content if it is an archive.
///
/// An archive is unpacked the first time, as a stage of `monitor`, into `NAME.unpacked` beside it, or in kiln's cache folder if that can't
/// be written; later, and by other processes, that folder is used as long as the archive has the same length and time. It appears only
/// when it is complete. If the archive holds nothing but one folder, that one is given, unless `is_split` takes its name for a split's.
///
/// # Errors
/// The archive is damaged, rejected, or of a format that kiln does not unpack; something can't be written; it was cancelled.
pub fn located(
    path: &Path,
    is_split: &dyn Fn(&str) -> bool,
    monitor: &Monitor,
) -> Result<PathBuf, LocateError> {
    if !is_archive(path) {
        return Ok(path.to_path_buf());
    }
    let cache = Cache::of(path)?;
    if !cache.is_current() {
        let _lock = cache.lock(monitor)?;
        // Another process may have been faster.
        if !cache.is_current() {
            make(path, &cache, monitor)?;
        }
    }
    Ok(innermost(cache.folder.clone(), is_split))
}

/// Unpacks an archive to its place.
fn make(path: &Path, cache: &Cache, monitor: &Monitor) -> Result<(), LocateError> {
    cache.validate_place()?;
    let failed = |error| FileError::io(path, error);
    let mut archive = std::fs::File::open(path).map_err(failed)?;
    let length = archive.metadata().map_err(failed)?.len();
    if length == 0 {
        return Err(FileError::new(path, files::EMPTY)
            .advise("copy or download it again")
            .into());
    }
    let format = Format::of(&mut archive).map_err(failed)?.ok_or_else(|| {
        FileError::new(
            path,
            "kiln unpacks .zip, .tar, .tar.gz and .tgz, and this is none of them",
        )
        .advise("unpack it, and name the folder instead")
    })?;
    let limits = Limits::of_length(length);
    let parent = files::folder_of(&cache.folder);
    let temporary =
        files::temporary_folder(parent).map_err(|error| FileError::create(parent, error))?;
    let place = |parts: &[&str]| {
        let is_left = |part: &&str| LEFT_BY_PROGRAMS.contains(part) || part.starts_with(ATTRIBUTES);
        (!parts.iter().any(is_left)).then(|| name::path(parts))
    };
    let stage = monitor.stage("unpacking files", None);
    let unpacked = unpack(
        &mut archive,
        format,
        temporary.path(),
        &place,
        limits,
        &stage,
    );
    unpacked.map_err(|error| match error {
        UnpackError::Archive(problem) => LocateError::File(
            FileError::new(path, problem)
                .advise("download it again, or unpack it and name the folder instead"),
        ),
        UnpackError::Write(error) => {
            LocateError::File(error.moved(temporary.path(), &cache.folder))
        }
        UnpackError::Cancelled(cancelled) => LocateError::Cancelled(cancelled),
    })?;
    drop(stage);
    Ok(cache.put(temporary)?)
}

/// The only folder in a folder, and so on.
fn innermost(mut folder: PathBuf, is_split: &dyn Fn(&str) -> bool) -> PathBuf {
    while let Some(inner) = only_folder(&folder, is_split) {
        folder = inner;
    }
    folder
}

/// The folder in a folder that has nothing else but hidden files, unless it is a split.
fn only_folder(folder: &Path, is_split: &dyn Fn(&str) -> bool) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let is_hidden =
        |entry: &std::fs::DirEntry| entry.file_name().to_string_lossy().starts_with('.');
    let mut entries = entries.filter(|entry| !is_hidden(entry));
    let (first, second) = (entries.next()?, entries.next());
    let is_split = is_split(&first.file_name().to_string_lossy());
    let path = first.path();
    (second.is_none() && !is_split && path.is_dir()).then_some(path)
}
