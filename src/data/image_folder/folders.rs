//! Classes that are folders, with or without folders of splits around them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::config::ImageFolderConfig;
use super::found::{Listing, Named, in_order};
use super::layout::SplitFolder;
use super::refusals;
use super::walk::{Level, Walk, class_name};
use crate::data::source::Reason;
use crate::data::{DataError, Split, class_folders};

/// The folder and the images of each class, by its name.
type Classes = BTreeMap<String, (PathBuf, Vec<PathBuf>)>;

fn classes_in(walk: &mut Walk, level: Level) -> Result<Classes, DataError> {
    walk.pass_over(level.images, &Reason::OutsideClasses);
    let folders = level.folders.into_iter();
    folders
        .map(|path| {
            let name = class_folders::class(class_name(&path)?).into_owned();
            let images = walk.images(&path)?;
            Ok((name, (path, images)))
        })
        .collect()
}

/// The names of classes that have images.
fn with_images(classes: &Classes) -> impl Iterator<Item = String> {
    let used = classes.iter().filter(|(_, (_, images))| !images.is_empty());
    used.map(|(name, _)| name.clone())
}

/// The files of the classes in the order of their labels.
fn named(mut found: Classes, classes: &[String], config: &ImageFolderConfig) -> Vec<Named> {
    let mut files = Vec::new();
    for (label, class) in classes.iter().enumerate() {
        let Some((folder, images)) = found.remove(class) else {
            continue;
        };
        let images = images.into_iter();
        files.extend(
            images.map(|path| Named::new(path, &folder, Some(class), label, &config.split)),
        );
    }
    files
}

/// Class folders without splits, divided by `data.split`.
pub(super) fn list_classes(
    walk: &mut Walk,
    folder: &Path,
    level: Level,
    config: &ImageFolderConfig,
) -> Result<Listing, DataError> {
    let flat = level.images.clone();
    let found = classes_in(walk, level)?;
    let classes = in_order(with_images(&found), config);
    if classes.len() < 2 {
        refusals::refuse_unused_labels(walk, folder)?;
    }
    if classes.is_empty() {
        return Err(refusals::no_images(walk, folder, flat.len()));
    }
    let mut listing = Listing::default();
    listing.notes.extend(one_class_of_folders(&found, &classes));
    let empty = found.values().filter(|(_, images)| images.is_empty());
    walk.pass_over(empty.map(|(path, _)| path.clone()), &Reason::EmptyClass);
    listing.divide(named(found, &classes, config), &config.split);
    listing.classes = classes;
    Ok(listing)
}

/// A line about a single class whose images lie in folders: these are probably the classes.
fn one_class_of_folders(found: &Classes, classes: &[String]) -> Option<String> {
    let [only] = classes else { return None };
    let (folder, images) = found.get(only)?;
    let is_nested = |path: &&PathBuf| path.parent() != Some(folder);
    let below: BTreeSet<_> = images
        .iter()
        .filter(is_nested)
        .filter_map(|path| path.parent())
        .collect();
    (below.len() > 1 && images.iter().all(|path| is_nested(&path))).then(|| {
        format!(
            "1 class, {only}, with its images in subfolders; if these are the classes, set data.folder to \"{}\"",
            folder.display()
        )
    })
}

/// Folders of splits with the class folders in them.
pub(super) fn list_splits(
    walk: &mut Walk,
    folder: &Path,
    folders: Vec<SplitFolder>,
    config: &ImageFolderConfig,
) -> Result<Listing, DataError> {
    let mut found: [Option<(PathBuf, Classes)>; 3] = Default::default();
    for SplitFolder { split, path, level } in folders {
        let classes = classes_in(walk, level)?;
        if !classes.is_empty() || split == Split::Train {
            found[split.index()] = Some((path, classes));
        }
    }
    let has = |split: Split| {
        found[split.index()]
            .as_ref()
            .is_some_and(|(_, c)| with_images(c).next().is_some())
    };
    let (has_train, has_valid, has_test) = (has(Split::Train), has(Split::Valid), has(Split::Test));
    // Training alone knows all classes; without it, the splits that are there do.
    let known: BTreeSet<String> = match &found[Split::Train.index()] {
        Some((path, _)) if !has_train => return Err(refusals::no_images(walk, path, 0)),
        Some((_, train)) => with_images(train).collect(),
        None => found
            .iter()
            .flatten()
            .flat_map(|(_, classes)| with_images(classes))
            .collect(),
    };
    if known.is_empty() {
        return Err(refusals::no_images(walk, folder, 0));
    }
    let classes = in_order(known, config);
    pass_over_empty(walk, &found, &classes);
    let mut listing = Listing::default();
    for (split, found) in Split::ALL.into_iter().zip(found) {
        let Some((_, found)) = found else { continue };
        require_known(&found, &classes)?;
        let files = named(found, &classes, config);
        if split == Split::Train && !has_valid {
            listing.divide_train(files, &config.split, has_test);
        } else {
            let files = files.into_iter().map(|file| (file.path, file.label));
            listing.splits[split.index()].extend(files);
        }
    }
    listing.classes = classes;
    Ok(listing)
}

/// Passes over the folders of classes without images in any split; each class counts once.
fn pass_over_empty(walk: &mut Walk, found: &[Option<(PathBuf, Classes)>; 3], classes: &[String]) {
    let mut empty: BTreeMap<&str, &PathBuf> = BTreeMap::new();
    for (_, classes_of_split) in found.iter().flatten() {
        for (name, (path, images)) in classes_of_split {
            if images.is_empty() && !classes.contains(name) {
                empty.entry(name).or_insert(path);
            }
        }
    }
    walk.pass_over(empty.into_values().cloned(), &Reason::EmptyClass);
}

/// Refuses a class of validation or test that training does not have.
fn require_known(found: &Classes, classes: &[String]) -> Result<(), DataError> {
    let mut used = found.iter().filter(|(_, (_, images))| !images.is_empty());
    let Some((name, (folder, _))) = used.find(|(name, _)| !classes.contains(name)) else {
        return Ok(());
    };
    let alike = classes
        .iter()
        .find(|class| class.to_lowercase() == name.to_lowercase());
    let advice = match alike {
        Some(alike) => format!("it has {alike}: rename one"),
        None => "every class needs training images".into(),
    };
    Err(DataError::format(
        folder,
        format!("class does not exist in train/; {advice}"),
    ))
}
