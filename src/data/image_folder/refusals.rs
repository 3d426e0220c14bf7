//! Folders that can't be used, and what to do about them.

use std::path::Path;

use super::labels;
use super::walk::Walk;
use crate::data::DataError;
use crate::data::formats::choice::quoted;
use crate::data::source::{Reason, listed_passed_over};
use crate::error::{FileError, counted};
use crate::photo::{FORMATS, conversion};

/// A folder without any class that has images; `flat` images lie in it.
pub(super) fn no_images(walk: &Walk, folder: &Path, flat: usize) -> DataError {
    let shown = folder.display();
    if flat > 0 {
        return DataError::Empty(format!(
            "{shown}: {}, but no class folders; make one folder per class (<class>/*.png), or name a file with the \
             labels in data.labels",
            counted(flat, "image", "images")
        ));
    }
    let mut kinds = walk
        .passed_over
        .iter()
        .filter_map(|file| match &file.reason {
            Reason::OtherKind(extension) => conversion(extension),
            _ => None,
        });
    let advice = kinds.next_back().map_or_else(
        || format!("expected <class>/*.png, *.jpg or other {FORMATS} files"),
        str::to_owned,
    );
    let passed_over = match listed_passed_over(&walk.passed_over) {
        list if list.is_empty() => String::new(),
        list => format!(" (passed over: {list})"),
    };
    DataError::Empty(format!("{shown}: no images{passed_over}; {advice}"))
}

/// Refuses a folder of at most one class beside a file with the labels of its images, which nobody asked for.
pub(super) fn refuse_unused_labels(walk: &Walk, folder: &Path) -> Result<(), DataError> {
    let beside = walk.passed_over.iter().filter(|file| {
        let is_table = matches!(&file.reason, Reason::OtherKind(kind) if labels::EXTENSIONS.contains(&kind.as_str()));
        is_table && file.path.parent() == Some(folder)
    });
    let found = beside.filter(|file| labels::names_images(&file.path, folder));
    let mut found: Vec<String> = found
        .map(|file| {
            let name = file.path.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        })
        .collect();
    found.sort();
    let (problem, advice) = match found.as_slice() {
        [] => return Ok(()),
        [name] => (
            format!("{name} in it seems to hold the labels of its images"),
            format!("set data.labels to \"{name}\", or make one folder per class"),
        ),
        several => (
            format!(
                "{} in it seem to hold labels of its images",
                quoted(several)
            ),
            "set data.labels to one of them, or make one folder per class".into(),
        ),
    };
    let error = FileError::new(folder, problem).advise(advice);
    Err(error.usage().into())
}
