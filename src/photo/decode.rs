//! Decoding by format.

use std::io::Cursor;
use std::path::Path;

use image::codecs::bmp::BmpDecoder;
use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::pnm::PnmDecoder;
use image::codecs::qoi::QoiDecoder;
use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ImageDecoder};

use super::error::PhotoError;
use super::format::{Format, recognize};
use super::limits::{self, MAX_FILE_BYTES, MAX_WORKING_BYTES};
use super::{complete, paper, tiff};
use crate::error::one_line;
use crate::files;

/// Bytes per pixel that the WebP decoder takes besides the image: a frame with opacity, and the picture that an animation puts
/// it on.
const WEBP_EXTRA: u64 = 8;
/// Bytes per pixel that the GIF decoder takes besides the image: the frame before it lies on the screen.
const GIF_EXTRA: u64 = 4;

/// The problem of a truncated file.
const ENDS_EARLY: &str = "the file is truncated or corrupt; copy or download it again";

/// Reads an image file; the image comes back upright, as [`decode`] describes.
///
/// # Errors
/// The file can't be read, or is not an image that kiln decodes.
pub fn open(path: &Path) -> Result<DynamicImage, PhotoError> {
    decode(&read(path)?, path)
}

/// The bytes of an image file.
///
/// # Errors
/// The file can't be read.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, PhotoError> {
    files::read(path, MAX_FILE_BYTES).map_err(|source| PhotoError::Io {
        path: path.to_path_buf(),
        source,
    })
}

/// Decodes an image file in memory; `name` is only for the error text.
///
/// The image is upright (EXIF orientation applied) and either `ImageLuma8` (grey files) or `ImageRgb8`. 16-bit values are
/// rounded to 8 bits, transparent pixels lie on white (on black where only light ink is opaque); of several pages or frames the first is taken. Bytes after the image's
/// end are ignored; a truncated image is an error, though many decoders fill the missing part with grey.
///
/// # Errors
/// The bytes are not an image that kiln decodes, end early, or need more than [`MAX_WORKING_BYTES`].
pub fn decode(bytes: &[u8], name: &Path) -> Result<DynamicImage, PhotoError> {
    decode_page(bytes, name, 0)
}

/// [`decode`] for one of several images in a file: `page` is one of [`page_indices`].
///
/// # Errors
/// As those of [`decode`].
pub fn decode_page(bytes: &[u8], name: &Path, page: usize) -> Result<DynamicImage, PhotoError> {
    decode_upright(bytes, page).map_err(|problem| PhotoError::Format {
        path: name.to_path_buf(),
        problem,
    })
}

/// The numbers, from 0, of the images in a file that are pages: of a TIFF all but reduced copies and masks, of any other file the first image.
pub fn page_indices(bytes: &[u8]) -> Vec<usize> {
    match recognize(bytes) {
        Ok(Format::Tiff) => tiff::pages(bytes),
        _ => vec![0],
    }
}

/// [`decode_page`] with the problem as text.
fn decode_upright(bytes: &[u8], page: usize) -> Result<DynamicImage, String> {
    if bytes.is_empty() {
        return Err(files::EMPTY.into());
    }
    match decoder(bytes, recognize(bytes)?)? {
        Some(opened) => decoded(opened),
        None => tiff::decode(bytes, page),
    }
}

/// A decoder that has read its image's header. Boxed, since a function that is generic over decoders is compiled for each of them.
pub(super) struct Opened<'a> {
    pub decoder: Box<dyn ImageDecoder + 'a>,
    /// Bytes that it allocates besides the pixels.
    pub extra: u64,
}

impl<'a> Opened<'a> {
    fn new(decoder: impl ImageDecoder + 'a, extra: u64) -> Self {
        Self {
            decoder: Box::new(decoder),
            extra,
        }
    }
}

/// The decoder of a format; `None` for TIFF, which has kiln's own ([`tiff`]).
pub(super) fn decoder(bytes: &[u8], format: Format) -> Result<Option<Opened<'_>>, String> {
    let stream = Cursor::new(bytes);
    let opened = match format {
        Format::Jpeg => {
            let jpeg = complete::jpeg(bytes).ok_or(ENDS_EARLY)?;
            let decoder = JpegDecoder::new(stream).map_err(one_line)?;
            Opened::new(decoder, jpeg.coefficient_bytes)
        }
        Format::Png => {
            complete::png(bytes).ok_or(ENDS_EARLY)?;
            // Limited from the start: what precedes the pixels (a colour profile) is unpacked at once.
            let limits = limits::limits(MAX_WORKING_BYTES);
            let decoder = PngDecoder::with_limits(stream, limits).map_err(one_line)?;
            Opened::new(decoder, 0)
        }
        Format::WebP => {
            complete::webp(bytes).ok_or(ENDS_EARLY)?;
            let decoder = WebPDecoder::new(stream).map_err(one_line)?;
            let extra = WEBP_EXTRA * pixels(&decoder);
            Opened::new(decoder, extra)
        }
        Format::Gif => {
            let decoder = GifDecoder::new(stream).map_err(one_line)?;
            let extra = GIF_EXTRA * pixels(&decoder);
            Opened::new(decoder, extra)
        }
        Format::Bmp => Opened::new(BmpDecoder::new(stream).map_err(one_line)?, 0),
        Format::Pnm => {
            let decoder = PnmDecoder::new(stream).map_err(one_line)?;
            let extra = decoder.total_bytes();
            Opened::new(decoder, extra)
        }
        Format::Qoi => Opened::new(QoiDecoder::new(stream).map_err(one_line)?, 0),
        Format::Tiff => return Ok(None),
    };
    Ok(Some(opened))
}

fn pixels(decoder: &impl ImageDecoder) -> u64 {
    let (width, height) = decoder.dimensions();
    u64::from(width) * u64::from(height)
}

/// Decodes an image within the memory limit.
fn decoded(opened: Opened<'_>) -> Result<DynamicImage, String> {
    let Opened { mut decoder, extra } = opened;
    let orientation = decoder.orientation().map_err(one_line)?;
    let dimensions = decoder.dimensions();
    if dimensions.0 == 0 || dimensions.1 == 0 {
        return Err("the image has no pixels".into());
    }
    let needed = limits::working_bytes(&decoder, orientation, extra);
    limits::require(needed, dimensions, &format!("{:?}", decoder.color_type()))?;
    let limits = limits::limits(MAX_WORKING_BYTES);
    decoder.set_limits(limits).map_err(one_line)?;
    let image = DynamicImage::from_decoder(decoder).map_err(one_line)?;
    let mut image = paper::on_ground(image);
    image.apply_orientation(orientation);
    Ok(image)
}
