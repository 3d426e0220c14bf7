//! Which folders are splits, and which are classes.

use std::path::{Path, PathBuf};

use super::walk::{Level, Walk, class_name};
use crate::data::source::{Reason, split_named};
use crate::data::{DataError, Split};

/// A folder of a split with its first level.
pub(super) struct SplitFolder {
    pub split: Split,
    pub path: PathBuf,
    pub level: Level,
}

/// How a folder holds its images.
pub(super) enum Layout {
    /// In folders of classes; with the folder's first level.
    Classes(Level),
    /// In folders of splits, at least one.
    Splits(Vec<SplitFolder>),
}

/// The folder that holds the splits or classes, and its layout.
pub(super) struct Found {
    pub folder: PathBuf,
    pub layout: Layout,
    /// What the user should know about it.
    pub note: Option<String>,
}

/// Finds the layout of a folder.
///
/// Folders called like splits are splits if one of them holds folders. Otherwise they are classes among others: `train/`, `car/` and
/// `bus/` with images. A folder with nothing but one folder, in which the splits are, stands for that one.
///
/// # Errors
/// A folder can't be read; two folders are the same split; or the splits hold no folders of classes.
pub(super) fn find(walk: &mut Walk, folder: &Path) -> Result<Found, DataError> {
    let level = walk.level(folder)?;
    let inner = match level.folders.as_slice() {
        [only] if level.images.is_empty() && split_of(only).is_none() => Some(only.clone()),
        _ => None,
    };
    if let Some(inner) = inner {
        let below = walk.level(&inner)?;
        let layout = arrange(walk, &inner, below)?;
        if matches!(layout, Layout::Splits(_)) {
            let note = Some(format!(
                "reading {}, the only folder in it",
                inner.display()
            ));
            return Ok(Found {
                folder: inner,
                layout,
                note,
            });
        }
        // Its levels are read again, as those of a class.
        walk.passed_over
            .retain(|file| !file.path.starts_with(&inner));
    }
    Ok(Found {
        folder: folder.to_path_buf(),
        layout: arrange(walk, folder, level)?,
        note: None,
    })
}

fn split_of(folder: &Path) -> Option<(Split, bool)> {
    folder
        .file_name()
        .and_then(|name| name.to_str())
        .and_then(split_named)
}

/// The layout of a folder whose first level has been read.
fn arrange(walk: &mut Walk, folder: &Path, level: Level) -> Result<Layout, DataError> {
    let (named, others): (Vec<_>, Vec<_>) = level
        .folders
        .iter()
        .cloned()
        .partition(|path| split_of(path).is_some());
    if named.is_empty() {
        return Ok(Layout::Classes(level));
    }
    let before = walk.passed_over.len();
    let mut splits = Vec::new();
    for path in named {
        splits.extend(split_folder(walk, path)?);
    }
    if splits.iter().any(|split| !split.level.folders.is_empty()) {
        let splits = without_synonyms(walk, splits)?;
        if splits.iter().all(|split| split.split != Split::Train) {
            refuse_classes_beside(walk, &splits[0].path, &others)?;
        }
        walk.pass_over(others, &Reason::BesideSplits);
        walk.pass_over(level.images, &Reason::OutsideClasses);
        return Ok(Layout::Splits(splits));
    }
    if others.is_empty() && splits.iter().any(|split| !split.level.images.is_empty()) {
        let names: Vec<&str> = splits
            .iter()
            .map(|split| class_name(&split.path))
            .collect::<Result<_, _>>()?;
        return Err(DataError::Empty(format!(
            "{}: images in {}/, but no class folders; make one folder per class in it, or name a file with the labels in \
             data.labels",
            folder.display(),
            names.join("/ and ")
        )));
    }
    // They are classes, whose levels are read again.
    walk.passed_over.truncate(before);
    Ok(Layout::Classes(level))
}

/// Refuses folders of images beside a split other than training: they are probably the classes of training.
fn refuse_classes_beside(
    walk: &mut Walk,
    split: &Path,
    others: &[PathBuf],
) -> Result<(), DataError> {
    for other in others {
        let before = walk.passed_over.len();
        let has_images = !walk.level(other)?.images.is_empty();
        walk.passed_over.truncate(before);
        if has_images {
            return Err(DataError::format(
                other,
                format!(
                    "images beside {}; move the folders of training images into train/",
                    split.display()
                ),
            ));
        }
    }
    Ok(())
}

/// The folder of a split; the one in it if that is all it holds and has its name, as archives are unpacked.
fn split_folder(walk: &mut Walk, path: PathBuf) -> Result<Option<SplitFolder>, DataError> {
    let Some((split, _)) = split_of(&path) else {
        return Ok(None);
    };
    let mut path = path;
    let mut level = walk.level(&path)?;
    if let [only] = level.folders.as_slice()
        && level.images.is_empty()
        && only.file_name() == path.file_name()
    {
        path = only.clone();
        level = walk.level(&path)?;
    }
    Ok(Some(SplitFolder { split, path, level }))
}

/// One folder for each split: by the first names if there are any, else by the others.
fn without_synonyms(
    walk: &mut Walk,
    mut found: Vec<SplitFolder>,
) -> Result<Vec<SplitFolder>, DataError> {
    let is_first = |folder: &SplitFolder| split_of(&folder.path).is_some_and(|(_, first)| first);
    let mut chosen = Vec::new();
    for split in Split::ALL {
        let (of_split, rest): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|folder| folder.split == split);
        found = rest;
        let has_first = of_split.iter().any(is_first);
        let (mut kept, synonyms): (Vec<_>, Vec<_>) = of_split
            .into_iter()
            .partition(|folder| is_first(folder) == has_first);
        if let [first, second, ..] = kept.as_slice() {
            let problem = format!("exists alongside {}; keep only one", first.path.display());
            return Err(DataError::format(&second.path, problem));
        }
        for synonym in synonyms {
            // Whatever was passed over in it counts with it.
            walk.passed_over
                .retain(|file| !file.path.starts_with(&synonym.path));
            walk.pass_over([synonym.path], &Reason::BesideSplits);
        }
        chosen.append(&mut kept);
    }
    Ok(chosen)
}
