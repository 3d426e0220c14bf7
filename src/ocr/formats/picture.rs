//! The image as a PDF stores it: a JPEG's own bytes, which are not decoded again, or losslessly compressed pixels.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use image::codecs::jpeg::JpegDecoder;
use image::metadata::Orientation;
use image::{ImageDecoder, RgbImage};

/// An image ready to be put into a PDF.
#[derive(Debug, Clone)]
pub struct Picture {
    /// How the bytes are encoded.
    pub(super) packing: Packing,
    /// The bytes.
    pub(super) bytes: Vec<u8>,
    /// Columns as stored.
    pub(super) width: u32,
    /// Rows as stored.
    pub(super) height: u32,
    /// 1 (grey) or 3 (red, green, blue).
    pub(super) channels: u8,
    /// How the stored image must be turned to be upright.
    pub(super) orientation: Orientation,
    /// Width and height of the page in points, if its file says so.
    pub(super) size: Option<[f32; 2]>,
}

/// How a picture's bytes are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// A JPEG file.
    Jpeg,
    /// Rows of 8-bit values, each after a byte for its filter (PNG specification, section 9), in a zlib stream.
    Zlib,
}

/// The filter "Up" of the PNG specification: each value less the one above it.
const FILTER_UP: u8 = 2;

impl Picture {
    /// Takes the bytes of an image file and its upright pixels: a JPEG is stored as it is, without what may follow it in its file, and
    /// anything else as the pixels.
    pub fn new(mut file: Vec<u8>, upright: &RgbImage) -> Self {
        match stored_jpeg(&file) {
            Some(picture) => {
                if let Some(end) = end_of_jpeg(&file) {
                    file.truncate(end);
                }
                Self {
                    bytes: file,
                    ..picture
                }
            }
            None => Self::packed(upright),
        }
    }

    /// The same on a page of this width and height in points.
    pub fn on_page(self, size: Option<[f32; 2]>) -> Self {
        Self { size, ..self }
    }

    fn packed(image: &RgbImage) -> Self {
        let is_grey = image.pixels().all(|pixel| pixel.0 == [pixel.0[0]; 3]);
        let (channels, values) = if is_grey {
            (1, image.pixels().map(|pixel| pixel.0[0]).collect())
        } else {
            (3, image.as_raw().clone())
        };
        Self {
            packing: Packing::Zlib,
            bytes: deflate(&values, image.width() as usize * usize::from(channels)),
            width: image.width(),
            height: image.height(),
            channels,
            orientation: Orientation::NoTransforms,
            size: None,
        }
    }
}

/// Rows of `stride` values, filtered and compressed.
fn deflate(values: &[u8], stride: usize) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    let mut above = vec![0u8; stride];
    let mut row = Vec::with_capacity(stride + 1);
    for values in values.chunks_exact(stride.max(1)) {
        row.clear();
        row.push(FILTER_UP);
        row.extend(values.iter().zip(&above).map(|(a, b)| a.wrapping_sub(*b)));
        // Writing to a vector doesn't fail.
        let _ = encoder.write_all(&row);
        above.copy_from_slice(values);
    }
    encoder.finish().unwrap_or_default()
}

/// What a PDF must say about a JPEG, without its bytes; `None` for anything else, and for JPEGs that not every reader shows the same
/// way (more than 8 bits, or CMYK).
fn stored_jpeg(file: &[u8]) -> Option<Picture> {
    let (width, height, channels) = frame_header(file)?;
    let mut decoder = JpegDecoder::new(Cursor::new(file)).ok()?;
    (decoder.dimensions() == (width, height)).then_some(Picture {
        packing: Packing::Jpeg,
        bytes: Vec::new(),
        width,
        height,
        channels,
        orientation: decoder.orientation().ok()?,
        size: None,
    })
}

/// Where the image of a JPEG ends: after its EOI marker (ITU-T T.81, section B.2.1). Telephones append pictures and films. `None` without
/// one.
fn end_of_jpeg(file: &[u8]) -> Option<usize> {
    /// Markers (table B.1): of the end, of a scan, and those without a segment that may stand between a scan's bytes. 0 is no marker but
    /// a value of 255.
    const END: u8 = 0xd9;
    const SCAN: u8 = 0xda;
    const RESTARTS: std::ops::RangeInclusive<u8> = 0xd0..=0xd7;
    let mut at = 2;
    loop {
        // To the next marker, over fill bytes.
        if *file.get(at)? != 0xff {
            return None;
        }
        let code = *file.get(at + 1)?;
        if code == 0xff {
            at += 1;
            continue;
        }
        if code == END {
            return Some(at + 2);
        }
        let length = [*file.get(at + 2)?, *file.get(at + 3)?];
        at += 2 + usize::from(u16::from_be_bytes(length));
        if code == SCAN {
            let is_marker = |pair: &[u8]| {
                pair[0] == 0xff && !matches!(pair[1], 0 | 0xff) && !RESTARTS.contains(&pair[1])
            };
            at += file.get(at..)?.windows(2).position(is_marker)?;
        }
    }
}

/// Width, height and channels from the frame header of a JPEG (ITU-T T.81, section B.2.2).
fn frame_header(file: &[u8]) -> Option<(u32, u32, u8)> {
    /// Markers of frame headers, without arithmetic coding, which PDF readers don't decode (table B.1).
    const FRAMES: [u8; 3] = [0xc0, 0xc1, 0xc2];
    /// Marker of a scan's start: the image's data begins.
    const SCAN: u8 = 0xda;
    let mut rest = file.strip_prefix(&[0xff, 0xd8])?;
    loop {
        let [0xff, code, after @ ..] = rest else {
            return None;
        };
        if *code == 0xff {
            // A fill byte.
            rest = &rest[1..];
            continue;
        }
        let length = usize::from(u16::from_be_bytes([*after.first()?, *after.get(1)?]));
        let segment = after.get(..length)?;
        if FRAMES.contains(code) {
            let [_, _, 8, h1, h0, w1, w0, channels @ (1 | 3), ..] = segment else {
                return None;
            };
            let (height, width) = (
                u16::from_be_bytes([*h1, *h0]),
                u16::from_be_bytes([*w1, *w0]),
            );
            return Some((width.into(), height.into(), *channels));
        }
        if *code == SCAN {
            return None;
        }
        rest = &after[length..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jpegs() -> Vec<Vec<u8>> {
        let names = ["rgb.jpg", "turned.jpg", "subsampled.jpeg", "cmyk.jpg"];
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/images");
        let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
        names.map(read).into()
    }

    #[test]
    fn a_jpeg_ends_with_its_image() {
        for jpeg in jpegs() {
            let end = end_of_jpeg(&jpeg).unwrap();
            assert_eq!(&jpeg[end - 2..end], b"\xff\xd9");
            assert_eq!(end_of_jpeg(&[&jpeg[..end], &jpeg].concat()), Some(end));
            assert_eq!(end_of_jpeg(&jpeg[..end - 2]), None);
        }
    }

    #[test]
    fn what_follows_a_jpeg_is_not_stored() {
        let jpeg = jpegs().remove(0);
        let long = [jpeg.as_slice(), &[7; 1 << 20]].concat();
        let upright = image::load_from_memory(&jpeg).unwrap().to_rgb8();
        assert_eq!(Picture::new(long, &upright).bytes, jpeg);
    }
}
