//! The files of a folder of images, with the class and the split of each. No file is opened.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::config::ImageFolderConfig;
use crate::data::split_rule::{self, SplitRule};
use crate::data::{ClassOrder, DataError, Split};
use crate::photo::has_image_extension;
use crate::progress::Stage;

/// Folder names of each split. Both names for validation are in common use.
const SPLIT_FOLDERS: [(Split, &[&str]); 3] = [
    (Split::Train, &["train"]),
    (Split::Valid, &["valid", "val"]),
    (Split::Test, &["test"]),
];

/// Class names, and the files of the three splits with their labels.
pub(super) type Listing = (Vec<String>, [Vec<(PathBuf, usize)>; 3]);

/// Lists a folder as [`super::ImageFolder::open`] describes.
pub(super) fn list(
    folder: &Path,
    config: &ImageFolderConfig,
    stage: &Stage,
) -> Result<Listing, DataError> {
    if folder.join("train").is_dir() {
        list_splits(folder, config.class_order, stage)
    } else {
        divide(folder, config, stage)
    }
}

/// `train/`, `valid/` or `val/`, `test/`.
fn list_splits(folder: &Path, order: ClassOrder, stage: &Stage) -> Result<Listing, DataError> {
    let train = folder.join("train");
    let classes = class_folders(&train, order, stage)?;
    let mut splits: [Vec<(PathBuf, usize)>; 3] = Default::default();
    for (split, names) in SPLIT_FOLDERS {
        let mut present = names
            .iter()
            .map(|name| folder.join(name))
            .filter(|p| p.is_dir());
        let Some(split_folder) = present.next() else {
            continue;
        };
        if let Some(second) = present.next() {
            return Err(DataError::format(
                second,
                format!("exists alongside {}; keep only one", split_folder.display()),
            ));
        }
        for (name, path) in folders(&split_folder, stage)? {
            let Some(label) = classes.iter().position(|class| *class == name) else {
                return Err(DataError::format(
                    &path,
                    "class does not exist in train/; every class needs training images",
                ));
            };
            let samples = images(&path, stage)?.into_iter().map(|path| (path, label));
            splits[split.index()].extend(samples);
        }
        // The folders come in the order of their names; labels may be in the order of numbers.
        splits[split.index()].sort_by_key(|&(_, label)| label);
    }
    Ok((classes, splits))
}

/// Class folders without predefined splits.
fn divide(folder: &Path, config: &ImageFolderConfig, stage: &Stage) -> Result<Listing, DataError> {
    let classes = class_folders(folder, config.class_order, stage)?;
    let by_share = matches!(config.split, SplitRule::Share(_));
    let mut splits: [Vec<(PathBuf, usize)>; 3] = Default::default();
    let (mut samples, mut paths) = (Vec::new(), Vec::new());
    for (label, class) in classes.iter().enumerate() {
        for path in images(&folder.join(class), stage)? {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let name = if by_share {
                format!("{class}/{stem}")
            } else {
                stem.into_owned()
            };
            samples.push((name, label));
            paths.push(path);
        }
    }
    let divided = split_rule::divide(&config.split, &samples);
    for ((path, (_, label)), split) in paths.into_iter().zip(samples).zip(divided) {
        splits[split.index()].push((path, label));
    }
    Ok((classes, splits))
}

/// Sorted names of the class folders in `folder`: at least one, each with at least one image.
fn class_folders(
    folder: &Path,
    order: ClassOrder,
    stage: &Stage,
) -> Result<Vec<String>, DataError> {
    let found = folders(folder, stage)?;
    if found.is_empty() {
        return Err(DataError::Empty(format!(
            "{}: no images; expected <class>/*.png, *.jpg or *.jpeg",
            folder.display()
        )));
    }
    for (_, path) in &found {
        if images(path, stage)?.is_empty() {
            return Err(DataError::Empty(format!(
                "{}: no images; expected *.png, *.jpg or *.jpeg in this class folder",
                path.display()
            )));
        }
    }
    let mut names: Vec<String> = found.into_iter().map(|(name, _)| name).collect();
    order.sort(&mut names);
    Ok(names)
}

/// Folders in `folder` with their names, sorted by name.
fn folders(folder: &Path, stage: &Stage) -> Result<Vec<(String, PathBuf)>, DataError> {
    let paths = entries(folder, stage)?
        .into_iter()
        .filter(|path| path.is_dir());
    paths
        .map(|path| match path.file_name().and_then(OsStr::to_str) {
            Some(name) => Ok((name.to_owned(), path)),
            None => Err(DataError::format(
                &path,
                "folder name is not valid UTF-8; rename it",
            )),
        })
        .collect()
}

/// Image files in `folder`, sorted by name.
fn images(folder: &Path, stage: &Stage) -> Result<Vec<PathBuf>, DataError> {
    let is_image = |path: &PathBuf| has_image_extension(path) && path.is_file();
    Ok(entries(folder, stage)?
        .into_iter()
        .filter(is_image)
        .collect())
}

/// The entries of `folder` without hidden ones, sorted.
fn entries(folder: &Path, stage: &Stage) -> Result<Vec<PathBuf>, DataError> {
    let failed = |error| DataError::io(folder, error);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        stage.advance(1)?;
        let name = path.file_name().unwrap_or_default();
        if !name.as_encoded_bytes().starts_with(b".") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
