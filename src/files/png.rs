//! PNG files.

use std::path::Path;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageResult, RgbImage};

use super::write::write;
use crate::error::FileError;

/// Encodes pixels of this size and colour type. `image`'s own method for any format would compile the encoders of all of them.
///
/// # Errors
/// A side is 0, or the image is too large for PNG.
pub fn png(
    pixels: &[u8],
    (width, height): (u32, u32),
    color: ExtendedColorType,
) -> ImageResult<Vec<u8>> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(pixels, width, height, color)?;
    Ok(bytes)
}

/// [`png`] of an image.
///
/// # Errors
/// A side is 0, or the image is too large for PNG.
pub fn png_of(image: &RgbImage) -> ImageResult<Vec<u8>> {
    png(image.as_raw(), image.dimensions(), ExtendedColorType::Rgb8)
}

/// Encodes an image as PNG and writes it as [`write()`](super::write()) does.
///
/// # Errors
/// The file can't be written.
pub fn write_png(path: &Path, image: &RgbImage) -> Result<(), FileError> {
    let bytes =
        png_of(image).map_err(|error| FileError::write(path, std::io::Error::other(error)))?;
    write(path, &bytes)
}
