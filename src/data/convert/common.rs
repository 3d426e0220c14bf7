//! What all forms have in common: the output that appears when it is complete, and samples as PNG files.

use std::collections::BTreeSet;
use std::path::Path;

use image::ExtendedColorType;

use crate::data::{DataSource, Split};
use crate::error::FileError;
use crate::files;
use crate::shape::ImageShape;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Images of training, validation and test.
    pub images: [usize; 3],
    /// Classes that have images.
    pub classes: usize,
}

impl Written {
    /// All samples of a source.
    pub(super) fn all(source: &dyn DataSource) -> Self {
        let of_split = |split| (0..source.len(split)).map(move |index| source.label(split, index));
        let labels: BTreeSet<usize> = Split::ALL.into_iter().flat_map(of_split).collect();
        Self {
            images: Split::ALL.map(|split| source.len(split)),
            classes: labels.len(),
        }
    }
}

/// Nothing is overwritten: `out` must not exist, or be an empty folder, in a folder that exists.
pub(super) fn require_free(out: &Path) -> Result<(), FileError> {
    FileError::require_parent(out)?;
    let problem = match std::fs::read_dir(out).map(|mut entries| entries.next().is_some()) {
        Ok(false) => return Ok(()),
        Ok(true) => "is not empty",
        Err(_) if !out.exists() => return Ok(()),
        Err(_) => "is not a folder",
    };
    let advice = "choose a folder that does not exist yet";
    Err(FileError::new(out, problem).advise(advice).usage())
}

/// A sample as a PNG file, grey or in colour; values are rounded to 255 steps.
pub(super) fn png(shape: ImageShape, values: &[f32]) -> std::io::Result<Vec<u8>> {
    let plane = shape.height * shape.width;
    let channels = if shape.channels == 1 { 1 } else { 3 };
    let pixels: Vec<u8> = (0..plane)
        .flat_map(|at| (0..channels).map(move |channel| channel * plane + at))
        .map(|at| (values[at].clamp(0.0, 1.0) * 255.0).round() as u8)
        .collect();
    let color = match channels {
        1 => ExtendedColorType::L8,
        _ => ExtendedColorType::Rgb8,
    };
    files::png(&pixels, (shape.width as u32, shape.height as u32), color)
        .map_err(std::io::Error::other)
}

/// Gives the finished folder its name.
pub(super) fn publish(folder: tempfile::TempDir, out: &Path) -> Result<(), FileError> {
    let created = |error| FileError::create(out, error);
    if out.exists() {
        std::fs::remove_dir(out).map_err(created)?;
    }
    files::publish_folder(folder, out).map_err(created)
}
