//! How much memory an image may take.

use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, Limits};

/// Maximum file size: a PNG of 80 megapixels that does not compress at all. The JPEG decoder keeps a copy of it.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// Maximum memory for decoding and rotating one image, so that a process which reads one stays below a gigabyte. A
/// photograph of 200 megapixels still fits unless it must be rotated, and one of 108 always does; the course's
/// have 12.
pub const MAX_WORKING_BYTES: u64 = 900_000_000;

/// Bytes of a megabyte in errors.
const MEGABYTE: u64 = 1_000_000;

/// Allocation limit of a decoder that may take `bytes`.
pub(super) fn limits(bytes: u64) -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(bytes);
    limits
}

/// Refuses an image that needs more than [`MAX_WORKING_BYTES`]; `pixels` names what they are.
pub(super) fn require(
    needed: u64,
    (width, height): (u32, u32),
    pixels: &str,
) -> Result<(), String> {
    if needed <= MAX_WORKING_BYTES {
        return Ok(());
    }
    Err(format!(
        "{width}x{height} pixels in {pixels} need {} MB to decode; the limit is {} MB; downscale the image",
        needed / MEGABYTE,
        MAX_WORKING_BYTES / MEGABYTE
    ))
}

/// Peak memory: the decoded pixels and what the decoder (`extra`) or the conversion to 8 bits needs besides, or later the 8-bit
/// image and, if it is rotated, its copy.
pub(super) fn working_bytes(
    decoder: &impl ImageDecoder,
    orientation: Orientation,
    extra: u64,
) -> u64 {
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
