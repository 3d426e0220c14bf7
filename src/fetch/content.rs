//! The content of a set's folder: whether it is complete, and how it is made from the set's files.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use super::catalogue::{DataSet, Layout};
use super::download::Obtained;
use super::error::FetchError;
use super::flowers17;
use crate::archive::{Format, Limits, Place, UnpackError, unpack};
use crate::data::formats::mat;
use crate::error::FileError;
use crate::files;
use crate::progress::Stage;

/// Whether the set's folder is complete; a missing or empty folder is not. Error: the folder has other content.
pub fn is_complete(set: &DataSet, folder: &Path) -> Result<bool, FetchError> {
    let is_empty_folder =
        |path: &Path| fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if !folder.exists() || is_empty_folder(folder) {
        return Ok(false);
    }
    match missing(set, folder) {
        None => Ok(true),
        Some(missing) => Err(FetchError::Occupied {
            folder: folder.to_path_buf(),
            missing,
        }),
    }
}

/// Whether the set's folder has some of what is expected in it: a folder of notes has nothing.
pub fn has_some(set: &DataSet, folder: &Path) -> bool {
    set.expected().iter().any(|name| is_there(folder, name))
}

/// The first expected file or folder that is missing or empty.
fn missing(set: &DataSet, folder: &Path) -> Option<PathBuf> {
    let mut expected = set.expected().into_iter();
    expected.find(|name| !is_there(folder, name))
}

/// Whether a file or folder is there and not empty.
fn is_there(folder: &Path, name: &Path) -> bool {
    let path = folder.join(name);
    match fs::metadata(&path) {
        Ok(found) if found.is_file() => found.len() > 0,
        Ok(_) => fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_some()),
        Err(_) => false,
    }
}

/// Limits of a set's archive. CIFAR-10 unpacks to 184 MB, Flowers-17 to 60 MB in 1,362 entries; single files are no larger than MATLAB's.
const LIMITS: Limits = Limits {
    bytes: 2 << 30,
    file_bytes: mat::MAX_FILE_BYTES,
    entries: 100_000,
};

/// Makes the content of the set's folder from its files; `stage` can cancel it.
pub(super) fn make(
    set: &DataSet,
    obtained: &mut [Obtained],
    folder: &Path,
    stage: &Stage,
) -> Result<(), FetchError> {
    let Some((first, others)) = obtained.split_first_mut() else {
        return Ok(());
    };
    let mut unpacked = |format: Format, place: Place| {
        let done = unpack(&mut first.file, format, folder, place, LIMITS, stage);
        let is_listed = matches!(set.layout, Layout::Zip(_) | Layout::TarGz(_));
        done.and_then(|()| {
            if is_listed {
                whole(set, folder)
            } else {
                Ok(())
            }
        })
        .map_err(|error| match error {
            UnpackError::Write(error) => error.into(),
            UnpackError::Cancelled(cancelled) => cancelled.into(),
            UnpackError::Archive(problem) => first.reject(problem),
        })
    };
    // Wherever in the archive they are.
    let named = |parts: &[&str]| parts.last().copied().unwrap_or_default().to_string();
    let among = |names: &'static [&'static str]| {
        move |parts: &[&str]| {
            let name = named(parts);
            names.contains(&name.as_str()).then(|| PathBuf::from(name))
        }
    };
    match &set.layout {
        Layout::Single(name) => copied(first, &folder.join(name)),
        Layout::Files => {
            let all = std::iter::once(first).chain(others);
            for (file, remote) in all.zip(&set.files) {
                copied(file, &folder.join(remote.name))?;
            }
            Ok(())
        }
        Layout::Zip(names) => unpacked(Format::Zip, &among(names)),
        Layout::TarGz(names) => unpacked(Format::TarGz, &among(names)),
        Layout::Flowers17Images(images) => copy_flowers(images, first, folder, stage),
        Layout::Flowers17 => {
            let places = match others.first_mut() {
                Some(splits) => flower_places(splits)?,
                None => Default::default(),
            };
            let place = |parts: &[&str]| places.get(&named(parts)).cloned();
            unpacked(Format::TarGz, &place)?;
            match places.iter().find(|(_, path)| !folder.join(path).exists()) {
                Some((name, _)) => Err(first.reject(format!("does not contain {name}"))),
                None => Ok(()),
            }
        }
    }
}

/// Copies the images of the first split from where they are unpacked.
fn copy_flowers(
    images: &Path,
    splits: &mut Obtained,
    folder: &Path,
    stage: &Stage,
) -> Result<(), FetchError> {
    for (name, place) in flower_places(splits)? {
        stage.advance(1)?;
        let to = folder.join(place);
        let failed = |error| FileError::write(&to, error);
        fs::create_dir_all(files::folder_of(&to)).map_err(failed)?;
        let from = images.join(name);
        fs::copy(&from, &to).map_err(|source| FetchError::Read { path: from, source })?;
    }
    Ok(())
}

/// Refuses an archive that does not have everything of the set.
fn whole(set: &DataSet, folder: &Path) -> Result<(), UnpackError> {
    match missing(set, folder) {
        None => Ok(()),
        Some(name) => Err(UnpackError::Archive(format!(
            "does not contain {}",
            name.display()
        ))),
    }
}

fn copied(file: &mut Obtained, to: &Path) -> Result<(), FetchError> {
    copy(&mut file.file, to).map_err(|error| FileError::write(to, error).into())
}

fn flower_places(splits: &mut Obtained) -> Result<BTreeMap<String, PathBuf>, FetchError> {
    let mut bytes = Vec::new();
    splits
        .file
        .rewind()
        .and_then(|()| {
            (&mut splits.file)
                .take(mat::MAX_FILE_BYTES)
                .read_to_end(&mut bytes)
        })
        .map_err(|source| FetchError::Read {
            path: splits.path.clone(),
            source,
        })?;
    flowers17::places(bytes).map_err(|problem| splits.reject(problem))
}

fn copy(from: &mut File, to: &Path) -> std::io::Result<()> {
    from.rewind()?;
    let mut file = File::create_new(to)?;
    std::io::copy(from, &mut file)?;
    file.sync_all()
}
