//! Photographs: bytes on disk or in memory -> an upright image in memory, or one clear error.
//!
//! The only place that decodes image files. Comes in: PNG or JPEG. Goes out: an 8-bit grey or RGB image, turned as its EXIF
//! orientation says, transparent parts on white paper. It refuses images that would take too much memory and files that end
//! early; it doesn't write files and doesn't look at what an image shows.

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use image::{
    DynamicImage, GrayImage, ImageDecoder, ImageFormat, ImageReader, Limits, Rgb, RgbImage,
};

/// Longest file that is read; what is beyond is cut off and then found to be missing.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// Largest number of pixels that is decoded: a 200-megapixel phone photograph still passes.
pub const MAX_PIXELS: u64 = 250_000_000;

/// Largest decoded image in bytes: [`MAX_PIXELS`] in 8-bit RGB. Deeper images may have fewer pixels.
const MAX_BYTES: u64 = 3 * MAX_PIXELS;

/// What a decoder may allocate besides: its own rows and tables.
const DECODER_BYTES: u64 = 256 << 20;

/// Why a file gave no image.
#[derive(Debug, thiserror::Error)]
pub enum PhotoError {
    /// The file can't be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The bytes are not an image that kiln reads.
    #[error("{}: {problem}; kiln reads PNG and JPEG files", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

/// Reads a PNG or JPEG file; the image comes back upright, as [`decode`] describes.
pub fn open(path: &Path) -> Result<DynamicImage, PhotoError> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        // Not by the file's size: devices and pipes have none.
        std::fs::File::open(path)?
            .take(MAX_FILE_BYTES)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|source| PhotoError::Io {
        path: path.to_path_buf(),
        source,
    })?;
    decode(&bytes, path)
}

/// Decodes a PNG or JPEG from memory; `name` is only for the error text.
///
/// The image is upright (EXIF orientation applied) and either `ImageLuma8` (grey files) or `ImageRgb8`. 16-bit values are
/// rounded to 8 bits, transparent pixels lie on white. Bytes after the image's end are ignored; an image that ends early
/// is an error, though many decoders fill the missing part with grey.
pub fn decode(bytes: &[u8], name: &Path) -> Result<DynamicImage, PhotoError> {
    decode_upright(bytes).map_err(|problem| PhotoError::Format {
        path: name.to_path_buf(),
        problem,
    })
}

/// [`decode`] with the problem as text.
fn decode_upright(bytes: &[u8]) -> Result<DynamicImage, String> {
    let reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(one_line)?;
    let complete = match reader.format() {
        Some(ImageFormat::Jpeg) => jpeg_ends(bytes),
        Some(ImageFormat::Png) => png_ends(bytes),
        Some(other) => return Err(format!("this is a {other:?} image")),
        None => return Err("this is not an image".into()),
    };
    if !complete {
        return Err("the file ends early or is damaged; copy or download it again".into());
    }
    let mut decoder = reader.into_decoder().map_err(one_line)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS || decoder.total_bytes() > MAX_BYTES {
        return Err(format!(
            "{width}x{height} pixels in {:?} are more than the {MAX_PIXELS} pixels or {MAX_BYTES} bytes that kiln decodes",
            decoder.color_type()
        ));
    }
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_BYTES + DECODER_BYTES);
    decoder.set_limits(limits).map_err(one_line)?;
    let orientation = decoder.orientation().map_err(one_line)?;
    let image = DynamicImage::from_decoder(decoder).map_err(one_line)?;
    let mut image = on_white(image);
    image.apply_orientation(orientation);
    Ok(image)
}

/// A decoder's error text, some of which have several lines.
fn one_line(error: impl std::fmt::Display) -> String {
    let text = error.to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The image in 8 bits, its transparent parts on white: grey files stay grey.
fn on_white(image: DynamicImage) -> DynamicImage {
    let has_alpha = image.color().has_alpha();
    match (image.color().has_color(), has_alpha) {
        (false, false) => DynamicImage::ImageLuma8(image.into_luma8()),
        (true, false) => DynamicImage::ImageRgb8(image.into_rgb8()),
        (false, true) => {
            let source = image.into_luma_alpha8();
            DynamicImage::ImageLuma8(GrayImage::from_fn(
                source.width(),
                source.height(),
                |x, y| {
                    let [grey, alpha] = source.get_pixel(x, y).0;
                    image::Luma([over_white(grey, alpha)])
                },
            ))
        }
        (true, true) => {
            let source = image.into_rgba8();
            DynamicImage::ImageRgb8(RgbImage::from_fn(
                source.width(),
                source.height(),
                |x, y| {
                    let [red, green, blue, alpha] = source.get_pixel(x, y).0;
                    Rgb([red, green, blue].map(|value| over_white(value, alpha)))
                },
            ))
        }
    }
}

/// `value` at opacity `alpha` over 255, rounded.
fn over_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

/// Whether a PNG reaches its IEND chunk: 8 bytes of signature, then chunks of length, type, data and checksum (PNG
/// specification, section 5).
fn png_ends(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(8..).unwrap_or_default();
    while let Some((header, after)) = rest.split_first_chunk::<8>() {
        let [a, b, c, d, kind @ ..] = *header;
        // Data and 4 bytes of checksum.
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let Some(next) = length.checked_add(4).and_then(|length| after.get(length..)) else {
            return false;
        };
        if &kind == b"IEND" {
            return true;
        }
        rest = next;
    }
    false
}

/// JPEG marker codes (ITU-T T.81, table B.1).
mod marker {
    /// End of image.
    pub const EOI: u8 = 0xd9;
    /// Restart markers, between parts of the entropy-coded data; they have no length.
    pub const RST: std::ops::RangeInclusive<u8> = 0xd0..=0xd7;
    /// Start of image and the temporary marker: no length either.
    pub const ALONE: [u8; 2] = [0xd8, 0x01];
}

/// Whether a JPEG reaches its end marker: walks from segment to segment and through the entropy-coded data, in which a
/// byte 0xff is followed by 0 or by a restart marker. A thumbnail's end marker lies inside a segment and isn't met.
fn jpeg_ends(bytes: &[u8]) -> bool {
    let mut at = 0;
    while let (Some(&first), Some(&code)) = (bytes.get(at), bytes.get(at + 1)) {
        if first != 0xff || code == 0xff {
            // Entropy-coded data, or fill bytes before a marker; decoders also skip stray bytes between segments.
            at += 1;
            continue;
        }
        at += 2;
        match code {
            marker::EOI => return true,
            0 => {}
            code if marker::RST.contains(&code) || marker::ALONE.contains(&code) => {}
            _ => {
                let Some(length) = bytes.get(at..at + 2) else {
                    return false;
                };
                at += usize::from(u16::from_be_bytes([length[0], length[1]]));
            }
        }
    }
    false
}
