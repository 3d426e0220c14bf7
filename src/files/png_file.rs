//! Images are written as PNG files.

use std::path::Path;

use image::RgbImage;

use super::png::png_of;
use super::write::write;
use crate::error::FileError;

/// Encodes an image as PNG and writes it as [`write()`](super::write()) does.
///
/// # Errors
/// The file can't be written.
pub fn write_png(path: &Path, image: &RgbImage) -> Result<(), FileError> {
    let bytes =
        png_of(image).map_err(|error| FileError::write(path, std::io::Error::other(error)))?;
    write(path, &bytes)
}
