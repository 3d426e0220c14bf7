//! TIFF images: their pages, as cameras and scanners write them.
//!
//! The `tiff` crate reads the samples; here they become grey or RGB. Palettes, which it refuses, are read as grey indices and looked up.
//! References: TIFF Revision 6.0 (1992), and its Technical Note 2 for JPEG.

use std::borrow::Cow;
use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, RgbImage};
use tiff::ColorType;
use tiff::TiffError;
use tiff::decoder::{ChunkType, Decoder, DecodingResult, Limits};
use tiff::tags::Tag;

use super::colours::{from_ycbcr, looked_up, printed};
use super::complete;
use super::limits::{self, MAX_WORKING_BYTES};
use super::paper::over_white;
use super::tiff_header::Directories;
use crate::error::one_line;

type Reader<'a> = Decoder<Cursor<Cow<'a, [u8]>>>;

/// What the samples of a pixel are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pixel {
    Grey,
    GreyAlpha,
    Rgb,
    Rgba,
    Cmyk,
    YCbCr,
    Index,
}

impl Pixel {
    fn samples(self) -> usize {
        match self {
            Self::Grey | Self::Index => 1,
            Self::GreyAlpha => 2,
            Self::Rgb | Self::YCbCr => 3,
            Self::Rgba | Self::Cmyk => 4,
        }
    }

    fn is_grey(self) -> bool {
        matches!(self, Self::Grey | Self::GreyAlpha)
    }
}

/// `PhotometricInterpretation` of images with a palette, and that of greyscale, as which their indices are read.
const PALETTE: u16 = 3;
const BLACK_IS_ZERO: u8 = 1;
/// `Compression` of JPEG.
const JPEG: u16 = 7;
/// `ExtraSamples` of opacity by which the colours are already multiplied.
const ASSOCIATED_ALPHA: u16 = 1;
/// Bytes that the JPEG decoder takes for each coefficient: two for itself, then the samples, twice.
const JPEG_BYTES: u64 = 4;

/// The numbers of the images that are pages, from 0.
pub(super) fn pages(bytes: &[u8]) -> Vec<usize> {
    let pages = Directories::of(bytes).map(|file| file.pages());
    // A damaged header is for the decoder to name.
    pages
        .filter(|pages| !pages.is_empty())
        .unwrap_or_else(|| vec![0])
}

/// Decodes the image with number `page`, upright.
pub(super) fn decode(bytes: &[u8], page: usize) -> Result<DynamicImage, String> {
    let open = |bytes| -> Result<Reader, String> {
        let mut reader = Decoder::new(Cursor::new(bytes)).map_err(said)?;
        if page > 0 {
            reader.seek_to_image(page).map_err(said)?;
        }
        Ok(reader)
    };
    let mut reader = open(Cow::Borrowed(bytes))?;
    let interpretation = reader.find_tag_unsigned::<u16>(Tag::PhotometricInterpretation);
    let palette = match interpretation.map_err(said)? {
        Some(PALETTE) => Some(reader.get_tag_u16_vec(Tag::ColorMap).map_err(said)?),
        _ => None,
    };
    let mut copied = 0;
    if palette.is_some() {
        let mut grey = bytes.to_vec();
        let place = Directories::of(&grey).and_then(|file| file.photometric(page));
        let place = place.and_then(|place| grey.get_mut(place));
        *place.ok_or("its colours can't be found")? = BLACK_IS_ZERO;
        copied = grey.len() as u64;
        reader = open(Cow::Owned(grey))?;
    }
    let (pixel, bits) = layout(reader.colortype().map_err(said)?, palette.is_some())?;
    let page = Page::read(reader, bytes, pixel, bits, copied)?;
    page.upright(palette.as_deref())
}

/// What the pixels are, and the bits of a sample.
fn layout(color: ColorType, has_palette: bool) -> Result<(Pixel, u8), String> {
    let found = match color {
        ColorType::Gray(bits @ 1..=8) if has_palette => Some((Pixel::Index, bits)),
        ColorType::Gray(bits @ (1 | 2 | 4 | 8 | 16)) if !has_palette => Some((Pixel::Grey, bits)),
        ColorType::Multiband {
            bit_depth: bits @ (8 | 16),
            num_samples: 2,
        } => Some((Pixel::GreyAlpha, bits)),
        ColorType::RGB(bits @ (8 | 16)) => Some((Pixel::Rgb, bits)),
        ColorType::RGBA(bits @ (8 | 16)) => Some((Pixel::Rgba, bits)),
        ColorType::CMYK(bits @ (8 | 16)) => Some((Pixel::Cmyk, bits)),
        ColorType::YCbCr(bits @ 8) => Some((Pixel::YCbCr, bits)),
        _ => None,
    };
    found.ok_or_else(|| format!("a TIFF image of {color:?} pixels is not supported; {CONVERT}"))
}

/// What to do about a TIFF image that no decoder reads.
const CONVERT: &str = "convert it with `magick in.tif -depth 8 out.png`";

/// An error of the `tiff` crate.
fn said(error: TiffError) -> String {
    match error {
        TiffError::UnsupportedError(problem) => format!("{}; {CONVERT}", one_line(problem)),
        TiffError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            "the file is truncated or corrupt; copy or download it again".into()
        }
        other => one_line(other),
    }
}

/// The samples of a page in 8 bits.
struct Page {
    width: usize,
    height: usize,
    pixel: Pixel,
    /// One plane after the other, or all samples of a pixel together.
    samples: Vec<u8>,
    /// Distance between two samples of a pixel, and between two pixels.
    strides: (usize, usize),
    is_premultiplied: bool,
    orientation: Orientation,
}

impl Page {
    fn read(
        mut reader: Reader,
        file: &[u8],
        pixel: Pixel,
        bits: u8,
        copied: u64,
    ) -> Result<Self, String> {
        let dimensions = reader.dimensions().map_err(said)?;
        let (width, height) = (dimensions.0 as usize, dimensions.1 as usize);
        if width == 0 || height == 0 {
            return Err("the image has no pixels".into());
        }
        let orientation = reader
            .find_tag_unsigned::<u8>(Tag::Orientation)
            .unwrap_or_default();
        let orientation = orientation.and_then(Orientation::from_exif);
        let extra = reader
            .find_tag_unsigned_vec::<u16>(Tag::ExtraSamples)
            .unwrap_or_default();
        let room = Room::of(&mut reader, file, pixel, copied)?;
        limits::require(
            room.needed,
            dimensions,
            &format!("{bits} bits x {}", pixel.samples()),
        )?;
        reader = reader.with_limits(room.limits());
        let mut result = DecodingResult::U8(Vec::new());
        let layout = reader.read_image_to_buffer(&mut result).map_err(said)?;
        if result.as_buffer(0).byte_len() < layout.complete_len {
            return Err("a TIFF image of several planes ends early".into());
        }
        let planes = layout.planes.max(1);
        let samples = in_8_bits(result, width, bits, pixel)?;
        let plane = width * height;
        let strides = if planes == 1 {
            (1, pixel.samples())
        } else {
            (plane, 1)
        };
        if samples.len() < plane * pixel.samples() {
            return Err("a TIFF image with fewer samples than pixels".into());
        }
        Ok(Self {
            width,
            height,
            pixel,
            samples,
            strides,
            is_premultiplied: extra.is_some_and(|extra| extra.first() == Some(&ASSOCIATED_ALPHA)),
            orientation: orientation.unwrap_or(Orientation::NoTransforms),
        })
    }

    /// The page as an image; `palette` has all reds, then all greens, then all blues, in 16 bits.
    fn upright(self, palette: Option<&[u16]>) -> Result<DynamicImage, String> {
        let (width, height) = (self.width as u32, self.height as u32);
        let pixels = 0..self.width * self.height;
        let image = if self.pixel.is_grey() {
            let grey = pixels.map(|at| self.grey(at)).collect();
            GrayImage::from_raw(width, height, grey).map(DynamicImage::ImageLuma8)
        } else {
            let mut rgb = Vec::with_capacity(3 * pixels.len());
            pixels.for_each(|at| rgb.extend(self.rgb(at, palette)));
            RgbImage::from_raw(width, height, rgb).map(DynamicImage::ImageRgb8)
        };
        let mut image = image.ok_or("a TIFF image with fewer samples than pixels")?;
        image.apply_orientation(self.orientation);
        Ok(image)
    }

    /// Sample `sample` of a pixel.
    fn sample(&self, pixel: usize, sample: usize) -> u8 {
        let (between_samples, between_pixels) = self.strides;
        self.samples[pixel * between_pixels + sample * between_samples]
    }

    fn grey(&self, pixel: usize) -> u8 {
        let value = self.sample(pixel, 0);
        match self.pixel {
            Pixel::GreyAlpha => self.on_white(value, self.sample(pixel, 1)),
            _ => value,
        }
    }

    fn rgb(&self, pixel: usize, palette: Option<&[u16]>) -> [u8; 3] {
        let [first, second, third] = [0, 1, 2].map(|sample| match self.pixel {
            Pixel::Index => 0,
            _ => self.sample(pixel, sample),
        });
        match self.pixel {
            Pixel::Rgba => {
                let alpha = self.sample(pixel, 3);
                [first, second, third].map(|value| self.on_white(value, alpha))
            }
            Pixel::Cmyk => {
                let black = self.sample(pixel, 3);
                [first, second, third].map(|ink| printed(ink, black))
            }
            Pixel::YCbCr => from_ycbcr(first, second, third),
            Pixel::Index => looked_up(palette.unwrap_or_default(), self.sample(pixel, 0)),
            Pixel::Rgb | Pixel::Grey | Pixel::GreyAlpha => [first, second, third],
        }
    }

    fn on_white(&self, value: u8, alpha: u8) -> u8 {
        if self.is_premultiplied {
            value.saturating_add(255 - alpha)
        } else {
            over_white(value, alpha)
        }
    }
}

/// Memory of a page.
struct Room {
    /// Bytes of its samples as they are.
    raw: u64,
    /// Peak memory in bytes.
    needed: u64,
}

impl Room {
    /// What a page takes, besides `copied` bytes.
    fn of(reader: &mut Reader, file: &[u8], pixel: Pixel, copied: u64) -> Result<Self, String> {
        let (width, height) = reader.dimensions().map_err(said)?;
        let layout = reader.image_buffer_layout().map_err(said)?;
        let raw = u64::try_from(layout.complete_len.max(layout.len)).unwrap_or(u64::MAX);
        let pixels = u64::from(width) * u64::from(height);
        let (samples, upright) = (
            pixels.saturating_mul(pixel.samples() as u64),
            pixels.saturating_mul(3),
        );
        // The samples as they are, then in 8 bits, then as pixels, then turned.
        let stages = [
            raw.saturating_add(samples),
            samples.saturating_add(upright),
            upright.saturating_mul(2),
        ];
        let most = stages.into_iter().max().unwrap_or_default();
        let beside = copied.saturating_add(jpeg_bytes(reader, file)?);
        Ok(Self {
            raw,
            needed: most.saturating_add(beside),
        })
    }

    /// The limits of the decoder for a page that is not too large.
    fn limits(&self) -> Limits {
        let bytes = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let mut limits = Limits::default();
        limits.decoding_buffer_size = bytes(self.raw);
        limits.intermediate_buffer_size = bytes(MAX_WORKING_BYTES.saturating_sub(self.needed));
        limits
    }
}

/// Samples in 8 bits.
fn in_8_bits(
    samples: DecodingResult,
    width: usize,
    bits: u8,
    pixel: Pixel,
) -> Result<Vec<u8>, String> {
    match samples {
        DecodingResult::U8(bytes) if bits < 8 => Ok(unpacked(&bytes, width, bits, pixel)),
        DecodingResult::U8(bytes) => Ok(bytes),
        // Rounded, as elsewhere: 65,535 = 257 x 255.
        DecodingResult::U16(values) => {
            let rounded = values
                .iter()
                .map(|&value| ((u32::from(value) + 128) / 257) as u8);
            Ok(rounded.collect())
        }
        _ => Err(format!(
            "a TIFF image of signed or floating-point values is not supported; {CONVERT}"
        )),
    }
}

/// Samples of less than 8 bits, each row from a byte of its own. Grey is spread over 0 to 255, indices stay.
fn unpacked(bytes: &[u8], width: usize, bits: u8, pixel: Pixel) -> Vec<u8> {
    let most = (1u16 << bits) - 1;
    let scale = match pixel {
        Pixel::Index => 1,
        _ => 255 / most,
    };
    let bits = usize::from(bits);
    let rows = bytes.chunks((width * bits).div_ceil(8));
    let mut unpacked = Vec::with_capacity(rows.len() * width);
    for row in rows {
        let value = |x: usize| {
            let start = x * bits;
            // No sample of 1, 2 or 4 bits crosses a byte.
            let byte = row.get(start / 8).copied().unwrap_or_default();
            let value = u16::from(byte) >> (8 - bits - start % 8) & most;
            (value * scale) as u8
        };
        unpacked.extend((0..width).map(value));
    }
    unpacked
}

/// Bytes that the JPEG decoder takes for the largest frame in the strips or tiles; 0 if they aren't JPEG. Their frames may claim
/// any size.
fn jpeg_bytes(reader: &mut Reader, file: &[u8]) -> Result<u64, String> {
    if reader
        .find_tag_unsigned::<u16>(Tag::Compression)
        .map_err(said)?
        != Some(JPEG)
    {
        return Ok(0);
    }
    let (offsets, lengths) = match reader.get_chunk_type() {
        ChunkType::Strip => (Tag::StripOffsets, Tag::StripByteCounts),
        ChunkType::Tile => (Tag::TileOffsets, Tag::TileByteCounts),
    };
    let offsets = reader.get_tag_u64_vec(offsets).map_err(said)?;
    let lengths = reader.get_tag_u64_vec(lengths).map_err(said)?;
    let part = |(start, length): (u64, u64)| {
        let (start, end) = (
            usize::try_from(start).ok()?,
            usize::try_from(start.checked_add(length)?).ok()?,
        );
        file.get(start..end)
    };
    let parts = offsets.into_iter().zip(lengths).filter_map(part);
    let tables = reader.get_tag_u8_vec(Tag::JPEGTables).unwrap_or_default();
    let frames = parts
        .chain([tables.as_slice()])
        .map(complete::largest_frame);
    Ok(JPEG_BYTES.saturating_mul(frames.max().unwrap_or_default()))
}
