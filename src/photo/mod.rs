//! Decoding photographs: PNG or JPEG files as upright images in memory.
//!
//! The only place that decodes image files. The result is an 8-bit grey or RGB image, turned as its EXIF orientation says, with transparent
//! parts on white (on black where only light ink is opaque). Images that would take too much memory, and truncated files, are rejected.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::metadata::Orientation;
use image::{ColorType, DynamicImage, GrayImage, ImageDecoder, ImageFormat, Limits, Rgb, RgbImage};

use crate::error::{ErrorExit, ExitKind, is_wrong_name, one_line};
use crate::files;

mod complete;

/// Extensions of the image files in a folder, in lower case.
const EXTENSIONS: [&str; 3] = ["png", "jpg", "jpeg"];

/// Whether a file has the extension of a supported image format.
pub fn has_image_extension(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    EXTENSIONS
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}

/// Maximum file size: a PNG of 80 megapixels that does not compress at all. The JPEG decoder keeps a copy of it.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// Maximum memory for decoding and rotating one image, so that a process which reads one stays below a gigabyte. A
/// photograph of 200 megapixels still fits unless it must be rotated, and one of 108 always does; the course's
/// have 12.
pub const MAX_WORKING_BYTES: u64 = 900_000_000;

/// Why an image could not be read.
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
    /// The bytes are not a supported image.
    #[error("{}: {problem}; kiln reads PNG and JPEG files", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The problem.
        problem: String,
    },
}

impl ErrorExit for PhotoError {
    fn exit_kind(&self) -> ExitKind {
        match self {
            Self::Io { source, .. } if is_wrong_name(source) => ExitKind::Usage,
            Self::Io { .. } | Self::Format { .. } => ExitKind::Failure,
        }
    }
}

/// Reads a PNG or JPEG file; the image comes back upright, as [`decode`] describes.
pub fn open(path: &Path) -> Result<DynamicImage, PhotoError> {
    let bytes = files::read(path, MAX_FILE_BYTES).map_err(|source| PhotoError::Io {
        path: path.to_path_buf(),
        source,
    })?;
    decode(&bytes, path)
}

/// Decodes a PNG or JPEG from memory; `name` is only for the error text.
///
/// The image is upright (EXIF orientation applied) and either `ImageLuma8` (grey files) or `ImageRgb8`. 16-bit values are
/// rounded to 8 bits, transparent pixels lie on white (on black if only light ink is opaque). Bytes after the image's end are ignored; a truncated image
/// is an error, though many decoders fill the missing part with grey.
pub fn decode(bytes: &[u8], name: &Path) -> Result<DynamicImage, PhotoError> {
    decode_upright(bytes).map_err(|problem| PhotoError::Format {
        path: name.to_path_buf(),
        problem,
    })
}

/// [`decode`] with the problem as text.
fn decode_upright(bytes: &[u8]) -> Result<DynamicImage, String> {
    if bytes.is_empty() {
        return Err("the file is empty".into());
    }
    match image::guess_format(bytes) {
        Ok(ImageFormat::Jpeg) => {
            let jpeg = complete::jpeg(bytes).ok_or(ENDS_EARLY)?;
            let decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(one_line)?;
            decoded(decoder, jpeg.coefficient_bytes)
        }
        Ok(ImageFormat::Png) => {
            complete::png(bytes).ok_or(ENDS_EARLY)?;
            // Limited from the start: what precedes the pixels (a colour profile) is unpacked at once.
            let decoder =
                PngDecoder::with_limits(Cursor::new(bytes), limits()).map_err(one_line)?;
            decoded(decoder, 0)
        }
        Ok(other) => Err(format!("this is a {other:?} image")),
        Err(_) => Err("unrecognized image format".into()),
    }
}

/// The problem of a truncated file.
const ENDS_EARLY: &str = "the file is truncated or corrupt; copy or download it again";

/// Allocation limit of a decoder.
fn limits() -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_WORKING_BYTES);
    limits
}

/// Decodes an image within the memory limit; `extra` is what the decoder allocates besides the pixels.
fn decoded(mut decoder: impl ImageDecoder, extra: u64) -> Result<DynamicImage, String> {
    let orientation = decoder.orientation().map_err(one_line)?;
    let needed = working_bytes(&decoder, orientation, extra);
    if needed > MAX_WORKING_BYTES {
        let (width, height) = decoder.dimensions();
        return Err(format!(
            "{width}x{height} pixels in {:?} need {} MB to decode; the limit is {} MB; downscale the image",
            decoder.color_type(),
            needed / MEGABYTE,
            MAX_WORKING_BYTES / MEGABYTE
        ));
    }
    decoder.set_limits(limits()).map_err(one_line)?;
    let image = DynamicImage::from_decoder(decoder).map_err(one_line)?;
    let mut image = on_ground(image);
    image.apply_orientation(orientation);
    Ok(image)
}

/// Bytes of a megabyte in errors.
const MEGABYTE: u64 = 1_000_000;

/// Peak memory: the decoded pixels and what the decoder or the conversion to 8 bits needs besides, or later the 8-bit
/// image and, if it is rotated, its copy.
fn working_bytes(decoder: &impl ImageDecoder, orientation: Orientation, extra: u64) -> u64 {
    let (width, height) = decoder.dimensions();
    let color = decoder.color_type();
    let channels = if color.has_color() { 3 } else { 1 };
    let upright = u64::from(width) * u64::from(height) * channels;
    let converted = match color {
        ColorType::L8 | ColorType::Rgb8 => 0,
        _ => upright,
    };
    let turned = match orientation {
        Orientation::NoTransforms => 0,
        _ => upright,
    };
    let decoding = decoder.total_bytes().saturating_add(converted.max(extra));
    decoding.max(upright + turned)
}

/// The image in 8 bits, its transparent parts on a ground: grey files stay grey.
fn on_ground(image: DynamicImage) -> DynamicImage {
    let has_alpha = image.color().has_alpha();
    match (image.color().has_color(), has_alpha) {
        (false, false) => DynamicImage::ImageLuma8(image.into_luma8()),
        (true, false) => DynamicImage::ImageRgb8(image.into_rgb8()),
        (false, true) => {
            let source = image.into_luma_alpha8();
            let ground = ground(source.pixels().map(|pixel| (pixel.0[0], pixel.0[1])));
            DynamicImage::ImageLuma8(GrayImage::from_fn(
                source.width(),
                source.height(),
                |x, y| {
                    let [grey, alpha] = source.get_pixel(x, y).0;
                    image::Luma([over(ground, grey, alpha)])
                },
            ))
        }
        (true, true) => {
            let source = image.into_rgba8();
            let ground = ground(source.pixels().map(|pixel| {
                let [red, green, blue, alpha] = pixel.0;
                (red.min(green).min(blue), alpha)
            }));
            DynamicImage::ImageRgb8(RgbImage::from_fn(
                source.width(),
                source.height(),
                |x, y| {
                    let [red, green, blue, alpha] = source.get_pixel(x, y).0;
                    Rgb([red, green, blue].map(|value| over(ground, value, alpha)))
                },
            ))
        }
    }
}

/// An image whose opaque part is smaller than this is ink without its ground.
const MAX_INK_PART: f32 = 0.5;
/// Ink lighter than this, on the mean, was meant for a dark ground.
const LIGHT_INK: f32 = 170.0;

/// What transparent parts lie on: white, or black where light ink alone is opaque, which would be invisible on white. `pixels` are
/// brightness and opacity.
fn ground(pixels: impl Iterator<Item = (u8, u8)>) -> u8 {
    let (mut count, mut opaque, mut light) = (0.0f64, 0.0, 0.0);
    for (value, alpha) in pixels {
        let alpha = f64::from(alpha) / 255.0;
        count += 1.0;
        opaque += alpha;
        light += alpha * f64::from(value);
    }
    let is_ink = opaque > 0.0 && opaque < f64::from(MAX_INK_PART) * count;
    if is_ink && light > f64::from(LIGHT_INK) * opaque {
        0
    } else {
        255
    }
}

/// `value` at opacity `alpha` over the ground, rounded.
fn over(ground: u8, value: u8, alpha: u8) -> u8 {
    let (ground, value, alpha) = (u32::from(ground), u32::from(value), u32::from(alpha));
    ((value * alpha + ground * (255 - alpha) + 127) / 255) as u8
}
