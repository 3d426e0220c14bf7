//! The images that a file of labels names, with the class and the split of each.

use std::collections::hash_map::{Entry, HashMap};
use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use super::lookup::Images;
use super::parse::parse;
use super::row::{Row, Table};
use crate::data::image_folder::config::{ImageFolderConfig, OnBadImage};
use crate::data::image_folder::found::{Listing, Named, in_order};
use crate::data::image_folder::unreadable::{BadImage, refuse};
use crate::data::image_folder::walk::Walk;
use crate::data::source::Reason;
use crate::data::source::split_named;
use crate::data::{DataError, Split, untrained};
use crate::error::{FileError, counted};
use crate::files;
use crate::photo::has_image_extension;

/// Extensions of files that may hold labels, in lower case.
pub(in crate::data::image_folder) const EXTENSIONS: [&str; 6] =
    ["csv", "tsv", "txt", "jsonl", "ndjson", "json"];

/// Maximum size of a file of labels: several million rows.
const MAX_BYTES: u64 = 512 << 20;

/// Largest file that is looked into unasked.
const MAX_UNASKED: u64 = 16 << 20;

/// Lists the images of `folder` that `file` names.
///
/// # Errors
/// The file can't be read, a row contradicts another or can't be understood, or an image is missing and bad images are not to be
/// skipped.
pub(in crate::data::image_folder) fn list(
    walk: &mut Walk,
    folder: &Path,
    file: &str,
    config: &ImageFolderConfig,
) -> Result<Listing, DataError> {
    let path = folder.join(file);
    let bytes = files::read(&path, MAX_BYTES).map_err(|error| FileError::named(&path, error))?;
    let images = Images::find(walk, folder)?;
    walk.passed_over.retain(|passed| passed.path != path);
    let table = parse(&bytes, &|name| images.get(name).is_some())
        .map_err(|problem| DataError::format(&path, problem))?;
    let rows = used_rows(walk, &path, folder, &table, &images, config)?;
    let named: HashSet<&PathBuf> = rows.iter().map(|(image, _)| image).collect();
    let others: Vec<PathBuf> = images
        .paths
        .iter()
        .filter(|image| !named.contains(image))
        .cloned()
        .collect();
    walk.pass_over(others, &Reason::NotNamed);
    if rows.is_empty() {
        return Err(DataError::format(
            &path,
            "no row has both an image and a label",
        ));
    }
    let mut listing = Listing::default();
    listing
        .notes
        .extend(table.note.as_ref().map(|note| format!("{file}: {note}")));
    let labels: BTreeSet<String> = rows
        .iter()
        .filter_map(|(_, row)| row.label.clone())
        .collect();
    listing.classes = in_order(labels, config);
    assign(&mut listing, rows, &table, &path, folder, config)?;
    Ok(listing)
}

/// An image with its row.
type Used<'a> = (PathBuf, &'a Row);

/// The rows that name an image and a label, each image once.
fn used_rows<'a>(
    walk: &mut Walk,
    path: &Path,
    folder: &Path,
    table: &'a Table,
    images: &Images,
    config: &ImageFolderConfig,
) -> Result<Vec<Used<'a>>, DataError> {
    let mut seen: HashMap<PathBuf, &Row> = HashMap::new();
    let (mut used, mut missing) = (Vec::new(), Vec::new());
    for row in &table.rows {
        let Some(image) = images.get(&row.file) else {
            missing.push(row);
            continue;
        };
        if row.label.is_none() {
            walk.pass_over([image], &Reason::NoLabel);
            continue;
        }
        match seen.entry(image.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(row);
                used.push((image, row));
            }
            Entry::Occupied(entry) => {
                require_same(path, entry.get(), row)?;
                walk.pass_over([image], &Reason::Repeated);
            }
        }
    }
    if let Some(first) = missing.first()
        && used.is_empty()
    {
        return Err(none_found(path, folder, first, table.rows.len(), images).into());
    }
    let bad = |row: &&Row| BadImage {
        path: folder.join(&row.file),
        problem: format!(
            "not found; line {} of {} names it",
            row.line,
            path.display()
        ),
    };
    let missing: Vec<BadImage> = missing.iter().map(bad).collect();
    if config.on_bad_image == OnBadImage::Stop {
        refuse(folder, table.rows.len(), &missing)?;
    }
    let missing = missing.into_iter().map(BadImage::passed_over);
    walk.passed_over.extend(missing);
    used.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(used)
}

/// None of the images is where the file of labels says; the message says where they may be.
fn none_found(path: &Path, folder: &Path, row: &Row, rows: usize, images: &Images) -> FileError {
    let problem = format!(
        "none of its {} is in {}; line {} names {}",
        counted(rows, "image", "images"),
        folder.display(),
        row.line,
        row.file
    );
    FileError::new(path, problem).advise(elsewhere(path, folder, row, images))
}

/// Where the images of a file of labels are, if they aren't where it says.
fn elsewhere(path: &Path, folder: &Path, row: &Row, images: &Images) -> String {
    match images.folder_of(&row.file) {
        Some(below) => {
            let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
            format!(
                "an image of that name is in {below}: set data.folder to \"{}\" and data.labels to \"{}\"",
                folder.join(&below).display(),
                absolute.display()
            )
        }
        None => "set data.folder to the folder from which it names them".into(),
    }
}

/// Two rows of one image must say the same.
fn require_same(path: &Path, first: &Row, second: &Row) -> Result<(), DataError> {
    let said = |row: &Row| {
        let label = row.label.as_deref().unwrap_or_default();
        let split = row
            .split
            .as_ref()
            .map_or_else(String::new, |split| format!(" in {split}"));
        format!("{label:?}{split}")
    };
    if first.label == second.label && first.split == second.split {
        return Ok(());
    }
    let problem = format!(
        "line {}: {} is {}, but line {} says {}; keep one of them",
        second.line,
        second.file,
        said(second),
        first.line,
        said(first)
    );
    Err(DataError::format(path, problem))
}

/// Puts the images into their splits: those of the rows, or by `data.split`.
fn assign(
    listing: &mut Listing,
    rows: Vec<Used>,
    table: &Table,
    path: &Path,
    folder: &Path,
    config: &ImageFolderConfig,
) -> Result<(), DataError> {
    let places: HashMap<String, usize> = listing.classes.iter().cloned().zip(0..).collect();
    let mut of_split: [Vec<Named>; 3] = Default::default();
    if table.has_splits {
        require_trained(&rows, path)?;
    }
    for (image, row) in rows {
        let label = row
            .label
            .as_ref()
            .and_then(|label| places.get(label))
            .copied()
            .unwrap_or_default();
        let split = if table.has_splits {
            split_of(row, path)?
        } else {
            Split::Train
        };
        of_split[split.index()].push(Named::new(image, folder, None, label, &config.split));
    }
    for files in &mut of_split {
        // As class folders are listed: class by class.
        files.sort_by_key(|file| file.label);
    }
    let [train, valid, test] = of_split;
    if !table.has_splits {
        listing.divide(train, &config.split);
        return Ok(());
    }
    let (has_valid, has_test) = (!valid.is_empty(), !test.is_empty());
    for (split, files) in [(Split::Valid, valid), (Split::Test, test)] {
        listing.splits[split.index()] = files
            .into_iter()
            .map(|file| (file.path, file.label))
            .collect();
    }
    if has_valid {
        listing.splits[Split::Train.index()] = train
            .into_iter()
            .map(|file| (file.path, file.label))
            .collect();
    } else {
        listing.divide_train(train, &config.split, has_test);
    }
    Ok(())
}

/// Refuses a class of validation or test that training does not have, if there is any training.
fn require_trained(rows: &[Used], path: &Path) -> Result<(), DataError> {
    let mut known = BTreeSet::new();
    let mut held_out = Vec::new();
    for (_, row) in rows {
        let label = row.label.as_ref();
        match (split_of(row, path)?, label) {
            (Split::Train, label) => known.extend(label.cloned()),
            (split, Some(label)) => held_out.push((split, label, row.line)),
            _ => {}
        }
    }
    let mut unknown = held_out
        .into_iter()
        .filter(|(_, label, _)| !known.contains(*label));
    match unknown.next().filter(|_| !known.is_empty()) {
        None => Ok(()),
        Some((split, label, line)) => {
            let problem = untrained::problem(label, split, &known);
            Err(DataError::format(path, format!("line {line}: {problem}")))
        }
    }
}

fn split_of(row: &Row, path: &Path) -> Result<Split, DataError> {
    let found = row.split.as_deref().unwrap_or_default();
    let split = split_named(found).map(|(split, _)| split);
    split.ok_or_else(|| {
        let problem = format!(
            "line {}: split is {found:?}; expected train, valid or test",
            row.line
        );
        DataError::format(path, problem)
    })
}

/// Whether a file that nobody asked for names images of `folder`, or of a folder in it, with labels.
pub(in crate::data::image_folder) fn names_images(file: &Path, folder: &Path) -> bool {
    let Ok(Some(bytes)) = files::read_up_to(file, MAX_UNASKED) else {
        return false;
    };
    let exists = |name: &str| folder.join(name.replace('\\', "/")).is_file();
    let Ok(table) = parse(&bytes, &exists) else {
        return false;
    };
    let mut rows = table.rows.iter();
    rows.any(|row| {
        row.label.is_some() && (has_image_extension(row.file.as_ref()) || exists(&row.file))
    })
}
