//! The files of a folder of images, with the class and the split of each. Only files without an extension are opened.

use std::path::Path;

use super::config::ImageFolderConfig;
use super::folders;
use super::found::Listing;
use super::labels;
use super::layout::{self, Layout};
use super::walk::Walk;
use crate::data::DataError;
use crate::data::disk_cache::FolderListings;
use crate::progress::Stage;

/// Lists a folder as [`super::ImageFolder::open`] describes; `listings` holds what is known about it already.
pub(super) fn list(
    folder: &Path,
    config: &ImageFolderConfig,
    listings: Option<&FolderListings>,
    stage: &Stage,
) -> Result<Listing, DataError> {
    let mut walk = Walk::new(stage, listings, config.on_bad_image);
    let mut listing = match &config.labels {
        Some(file) => labels::list(&mut walk, folder, file, config)?,
        None => {
            let found = layout::find(&mut walk, folder)?;
            let mut listing = match found.layout {
                Layout::Splits(splits) => {
                    folders::list_splits(&mut walk, &found.folder, splits, config)?
                }
                Layout::Classes(level) => {
                    folders::list_classes(&mut walk, &found.folder, level, config)?
                }
            };
            listing.notes.splice(0..0, found.note);
            listing
        }
    };
    listing.note_same_but_for_case();
    listing.passed_over = walk.passed_over;
    listing.passed_over.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(listing)
}
