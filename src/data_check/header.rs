//! What the beginning of an image file says, without decoding its pixels.

use std::path::Path;

use image::{ColorType, ImageDecoder, ImageReader};

/// Size and colour type of an image file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Pixels across and down, as stored.
    pub size: (u32, u32),
    /// The colour type of its pixels.
    pub color: ColorType,
}

/// Reads the header of a file; `None` if its format is not among those of the `image` crate, or if it is broken.
pub fn read(path: &Path) -> Option<Header> {
    let reader = ImageReader::open(path).ok()?.with_guessed_format().ok()?;
    let decoder = reader.into_decoder().ok()?;
    Some(Header {
        size: decoder.dimensions(),
        color: decoder.color_type(),
    })
}

/// The name of a colour type, as `RGB, 8 bits`.
pub fn name(color: ColorType) -> String {
    let kind = match (color.has_color(), color.has_alpha()) {
        (false, false) => "grey",
        (false, true) => "grey with transparency",
        (true, false) => "RGB",
        (true, true) => "RGB with transparency",
    };
    let bits = color.bits_per_pixel() / u16::from(color.channel_count().max(1));
    format!("{kind}, {bits} bits")
}
