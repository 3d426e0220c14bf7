//! Images that can't be read: all of them are found at once, listed, and skipped only if that is asked for.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::data::source::{PassedOver, Reason, bad_images};
use crate::data::{DataError, Split};
use crate::error::FileError;
use crate::progress::Stage;

/// An image that can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadImage {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: String,
}

impl BadImage {
    /// It is skipped.
    pub fn passed_over(self) -> PassedOver {
        PassedOver::new(self.path, Reason::Unreadable(self.problem))
    }
}

/// Reads the samples 0 to `count` of a split on all cores, and finds those that can't be; sorted by their places.
///
/// # Errors
/// The work is cancelled, or `read` fails with anything but a bad file.
pub(super) fn find(
    split: Split,
    count: usize,
    stage: &Stage,
    read: impl Fn(Split, usize) -> Result<(), DataError> + Sync,
) -> Result<Vec<(usize, BadImage)>, DataError> {
    let bad = Mutex::new(Vec::new());
    (0..count).into_par_iter().try_for_each(|index| {
        match read(split, index) {
            Ok(()) => {}
            Err(DataError::File(error)) => {
                let image = BadImage {
                    path: error.path().to_path_buf(),
                    problem: error.reason(),
                };
                bad.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push((index, image));
            }
            Err(other) => return Err(other),
        }
        Ok(stage.advance(1)?)
    })?;
    let mut bad = bad.into_inner().unwrap_or_else(PoisonError::into_inner);
    bad.sort_by_key(|(index, _)| *index);
    Ok(bad)
}

/// Refuses a folder of `total` images of which some are bad.
///
/// # Errors
/// There is a bad image: its path, its problem and what to do about it; of several, one line each.
pub(super) fn refuse(folder: &Path, total: usize, bad: &[BadImage]) -> Result<(), DataError> {
    let advice = "set data.on_bad_image to \"skip\" to go on without";
    match bad {
        [] => Ok(()),
        [only] => Err(FileError::new(&only.path, &only.problem)
            .advise(format!("replace or remove this file, or {advice} it"))
            .into()),
        _ => {
            let below = |path: &Path| {
                path.strip_prefix(folder)
                    .unwrap_or(path)
                    .display()
                    .to_string()
            };
            let images = bad
                .iter()
                .map(|image| (below(&image.path), image.problem.clone()));
            Err(DataError::Images(format!(
                "{}: {} of {total} images can't be read; replace or remove them, or {advice} them\n{}",
                folder.display(),
                bad.len(),
                bad_images(images)
            )))
        }
    }
}
