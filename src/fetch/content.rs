//! The content of a set's folder: whether it is complete, and how it is made from the set's files.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use super::catalogue::{DataSet, Layout};
use super::download::Obtained;
use super::error::FetchError;
use super::flowers17;
use super::unpack::{self, UnpackError};
use crate::data::formats::mat;
use crate::error::FileError;
use crate::progress::CancelToken;

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

/// The first expected file or folder that is missing or empty.
fn missing(set: &DataSet, folder: &Path) -> Option<PathBuf> {
    let is_there = |name: &PathBuf| {
        let path = folder.join(name);
        match fs::metadata(&path) {
            Ok(found) if found.is_file() => found.len() > 0,
            Ok(_) => fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_some()),
            Err(_) => false,
        }
    };
    set.expected().into_iter().find(|name| !is_there(name))
}

/// Makes the content of the set's folder from its files.
pub(super) fn make(
    set: &DataSet,
    files: &mut [Obtained],
    folder: &Path,
    cancel: &CancelToken,
) -> Result<(), FetchError> {
    let Some((first, others)) = files.split_first_mut() else {
        return Ok(());
    };
    let among = |names: &'static [&'static str]| {
        move |name: &str| names.contains(&name).then(|| PathBuf::from(name))
    };
    let unpacked = match set.layout {
        Layout::Single(name) => {
            let path = folder.join(name);
            return copy(&mut first.file, &path).map_err(|e| FileError::write(&path, e).into());
        }
        Layout::Zip(names) => unpack::zip(&mut first.file, folder, &among(names), cancel),
        Layout::TarGz(names) => unpack::tar_gz(&mut first.file, folder, &among(names), cancel),
        Layout::Flowers17 => {
            let places = match others.first_mut() {
                Some(splits) => flower_places(splits)?,
                None => Default::default(),
            };
            let place = |name: &str| places.get(name).cloned();
            let unpacked = unpack::tar_gz(&mut first.file, folder, &place, cancel);
            unpacked.and_then(|()| {
                match places.iter().find(|(_, path)| !folder.join(path).exists()) {
                    Some((name, _)) => {
                        Err(UnpackError::Archive(format!("does not contain {name}")))
                    }
                    None => Ok(()),
                }
            })
        }
    };
    let unpacked = unpacked.and_then(|()| match missing(set, folder) {
        Some(name) => Err(UnpackError::Archive(format!(
            "does not contain {}",
            name.display()
        ))),
        None => Ok(()),
    });
    unpacked.map_err(|error| match error {
        UnpackError::Write(error) => error.into(),
        UnpackError::Cancelled(cancelled) => cancelled.into(),
        UnpackError::Archive(problem) => first.reject(problem),
    })
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
