//! What all forms have in common: the output that appears when it is complete, and samples as PNG files.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;

use image::{GrayImage, ImageFormat, Luma, Rgb, RgbImage};

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
    let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
    let (width, height) = (shape.width as u32, shape.height as u32);
    let plane = shape.height * shape.width;
    let place = |x: u32, y: u32| y as usize * shape.width + x as usize;
    let mut bytes = Cursor::new(Vec::new());
    let encoded = if shape.channels == 1 {
        let image = GrayImage::from_fn(width, height, |x, y| Luma([byte(values[place(x, y)])]));
        image.write_to(&mut bytes, ImageFormat::Png)
    } else {
        let image = RgbImage::from_fn(width, height, |x, y| {
            Rgb([0, 1, 2].map(|channel| byte(values[channel * plane + place(x, y)])))
        });
        image.write_to(&mut bytes, ImageFormat::Png)
    };
    encoded.map_err(std::io::Error::other)?;
    Ok(bytes.into_inner())
}

/// Gives the finished folder its name.
pub(super) fn publish(folder: tempfile::TempDir, out: &Path) -> Result<(), FileError> {
    let created = |error| FileError::create(out, error);
    if out.exists() {
        std::fs::remove_dir(out).map_err(created)?;
    }
    files::publish_folder(folder, out).map_err(created)
}
