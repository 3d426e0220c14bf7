//! JPEGs decoded at a part of their size, for results that are small.
//!
//! A JPEG holds the frequencies of blocks of 8x8 pixels. Of these, the lowest 4x4, 2x2 or 1x1 make the image at 1/2, 1/4 or 1/8 of its
//! size, for a fraction of the work. What was left out would have been averaged away by reducing the image, but for traces:
//! `docs/data.md` says how much.

use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageDecoder, RgbImage};
use jpeg_decoder::{Decoder, PixelFormat};

use super::decode::{decode, decoder, read};
use super::error::PhotoError;
use super::format::{Format, recognize};
use super::limits::{MAX_WORKING_BYTES, working_bytes};

/// The scaled image is at least so many times as large as what is needed, so that most of the averaging is left to the resampling.
/// With 1 in place of 2, the mean difference from full decoding is three to four times as large on Flowers-17.
const MIN_RATIO: u32 = 2;

/// What an image may be divided by, the largest first.
const DENOMINATORS: [u32; 3] = [8, 4, 2];

/// [`open`](super::open) for an image that will be reduced: a JPEG may come back at 1/2, 1/4 or 1/8 of its size, rounded up. `needed`
/// tells the size that it will be reduced to from its full width and height, once it is upright; `None` wants the full image. The result
/// is at least twice as large as that.
///
/// # Errors
/// Same as for [`open`](super::open).
pub fn open_scaled(
    path: &Path,
    needed: impl Fn(usize, usize) -> Option<(usize, usize)>,
) -> Result<DynamicImage, PhotoError> {
    let bytes = read(path)?;
    match scaled(&bytes, needed) {
        Some(image) => Ok(image),
        None => decode(&bytes, path),
    }
}

/// `None` if the image is not to be scaled, or can't be: decoding it in full then says why.
fn scaled(
    bytes: &[u8],
    needed: impl Fn(usize, usize) -> Option<(usize, usize)>,
) -> Option<DynamicImage> {
    let format = recognize(bytes).ok()?;
    if format != Format::Jpeg {
        return None;
    }
    let mut opened = decoder(bytes, format).ok()??;
    let orientation = opened.decoder.orientation().ok()?;
    if working_bytes(&opened.decoder, orientation, opened.extra) > MAX_WORKING_BYTES {
        return None;
    }
    let (width, height) = opened.decoder.dimensions();
    let lies = lies_on_its_side(orientation);
    let (upright_width, upright_height) = if lies {
        (height, width)
    } else {
        (width, height)
    };
    let (across, down) = needed(upright_width as usize, upright_height as usize)?;
    let (across, down) = if lies { (down, across) } else { (across, down) };
    let is_enough = |side: u32, needed: usize| side as usize >= MIN_RATIO as usize * needed;
    let sides = DENOMINATORS
        .into_iter()
        .map(|by| (width.div_ceil(by), height.div_ceil(by)))
        .find(|&(width, height)| is_enough(width, across) && is_enough(height, down))?;
    let mut image = decode_at(bytes, sides)?;
    image.apply_orientation(orientation);
    Some(image)
}

/// Decodes a JPEG at 1/2, 1/4 or 1/8 of its size, whichever has these sides.
fn decode_at(bytes: &[u8], (width, height): (u32, u32)) -> Option<DynamicImage> {
    let mut decoder = Decoder::new(bytes);
    decoder.set_max_decoding_buffer_size(MAX_WORKING_BYTES as usize);
    let sides = (u16::try_from(width).ok()?, u16::try_from(height).ok()?);
    let (width, height) = decoder.scale(sides.0, sides.1).ok()?;
    let pixels = decoder.decode().ok()?;
    let (width, height) = (u32::from(width), u32::from(height));
    match decoder.info()?.pixel_format {
        PixelFormat::L8 => GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
        PixelFormat::RGB24 => RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
        PixelFormat::L16 | PixelFormat::CMYK32 => None,
    }
}

fn lies_on_its_side(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}
