//! PNG files.

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageResult, RgbImage};

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
