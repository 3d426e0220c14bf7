//! What the header of an image file says, without decoding its pixels.

use std::borrow::Cow;
use std::io::Cursor;
use std::path::Path;

use image::{ColorType, ImageDecoder};

use super::decode::{decoder, read};
use super::format::recognize;

/// Size and colour type of an image file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Pixels across and down, as stored.
    pub size: (u32, u32),
    /// The colour type of its pixels.
    pub color: ColorType,
}

impl Header {
    /// Reads the header of a file; `None` if it is broken or not an image that kiln decodes.
    pub fn read(path: &Path) -> Option<Self> {
        Self::of(&read(path).ok()?)
    }

    /// The header of a file's bytes; `None` if it is broken or not an image that kiln decodes.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        Self::of_page(bytes, 0)
    }

    /// The header of the image with this number, from 0, in a file's bytes: only a TIFF has several.
    pub fn of_page(bytes: &[u8], index: usize) -> Option<Self> {
        match decoder(bytes, recognize(bytes).ok()?).ok()? {
            Some(opened) => Some(Self {
                size: opened.decoder.dimensions(),
                color: opened.decoder.color_type(),
            }),
            None => Self::of_tiff(bytes, index),
        }
    }

    fn of_tiff(bytes: &[u8], index: usize) -> Option<Self> {
        let mut decoder = tiff::decoder::Decoder::new(Cursor::new(Cow::Borrowed(bytes))).ok()?;
        if index > 0 {
            decoder.seek_to_image(index).ok()?;
        }
        let found = decoder.colortype().ok()?;
        let samples = match found {
            tiff::ColorType::CMYK(_) => 3,
            other => other.num_samples(),
        };
        let color = match (samples, found.bit_depth()) {
            (1, 16) => ColorType::L16,
            (1, _) => ColorType::L8,
            (2, 16) => ColorType::La16,
            (2, _) => ColorType::La8,
            (3, 16) => ColorType::Rgb16,
            (3, _) => ColorType::Rgb8,
            (_, 16) => ColorType::Rgba16,
            (_, _) => ColorType::Rgba8,
        };
        Some(Self {
            size: decoder.dimensions().ok()?,
            color,
        })
    }

    /// The colour type in words, as `RGB, 8 bits`.
    pub fn color_name(&self) -> String {
        let kind = match (self.color.has_color(), self.color.has_alpha()) {
            (false, false) => "grey",
            (false, true) => "grey with transparency",
            (true, false) => "RGB",
            (true, true) => "RGB with transparency",
        };
        let bits = self.color.bits_per_pixel() / u16::from(self.color.channel_count().max(1));
        format!("{kind}, {bits} bits")
    }
}
