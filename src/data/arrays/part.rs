//! The images and labels of a split as a file has them.

use std::path::PathBuf;

use super::labels::Labels;
use super::pixels::Images;
use crate::data::Split;
use crate::error::counted;

/// Images and labels of one file, or of two that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// What it is for. Training samples are divided where another split has no part of its own.
    pub split: Split,
    /// The file of the labels.
    pub file: PathBuf,
    /// As many as the labels.
    pub images: Images,
    /// One per image.
    pub labels: Labels,
}

impl Part {
    /// How many training images there are.
    pub(super) fn counted(&self) -> String {
        counted(
            self.labels.labels.len(),
            "training image",
            "training images",
        )
    }

    /// Lines about its values: those beyond the range, and a largest one that is nearly black.
    pub(super) fn notes(&self) -> Vec<String> {
        let (found, split) = (&self.images.found, self.split.name());
        let range = found.range.in_words();
        let clipped = (found.beyond > 0).then(|| {
            let values = counted(found.beyond, "value", "values");
            format!("clipped {values} of the {split} images to the range {range}")
        });
        let dim = found.dim().map(|most| {
            format!(
                "the largest value of the {split} images is {most}, nearly black in {range}; if it stands for white, scale the values to \
                 one of the ranges of data.range"
            )
        });
        clipped.into_iter().chain(dim).collect()
    }
}
