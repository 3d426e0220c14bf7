//! How many pixels an inch of the page has, as its file says: PNG, JPEG and TIFF.

use super::format::{Format, recognize};
use super::tiff_header::{Directories, tag};

/// Resolutions that are believed, in dots per inch. Below are the 72 and 96 that programs write without having measured anything; the upper
/// limit is above all scanners.
const BELIEVABLE: std::ops::RangeInclusive<f32> = 100.0..=4800.0;
/// An inch in metres, and in centimetres.
const INCH_IN_METRES: f32 = 0.0254;
const INCH_IN_CENTIMETRES: f32 = 2.54;
/// Start of an EXIF block in a JPEG's APP1 segment (EXIF 2.3, 4.7.2).
const EXIF: &[u8] = b"Exif\0\0";

/// Dots per inch across and down the upright image with number `index` of a file; `None` if the file doesn't say, or says what only a
/// default of a program can be (less than 100).
pub fn resolution(bytes: &[u8], index: usize) -> Option<[f32; 2]> {
    let found = match recognize(bytes).ok()? {
        Format::Png => png(bytes),
        Format::Jpeg => jpeg(bytes),
        Format::Tiff => tiff(bytes, index),
        _ => None,
    };
    found.filter(|sides| sides.iter().all(|dpi| BELIEVABLE.contains(dpi)))
}

/// The pHYs chunk (PNG specification, 11.3.4.3): pixels per unit across and down, and 1 for metres. It stands before the pixels.
fn png(bytes: &[u8]) -> Option<[f32; 2]> {
    let mut rest = bytes.get(8..)?;
    while let Some((header, after)) = rest.split_first_chunk::<8>() {
        let [a, b, c, d, kind @ ..] = *header;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        match &kind {
            b"pHYs" => {
                let [x0, x1, x2, x3, y0, y1, y2, y3, 1] = *after.first_chunk::<9>()? else {
                    return None;
                };
                let dpi = |dots: [u8; 4]| u32::from_be_bytes(dots) as f32 * INCH_IN_METRES;
                return Some([dpi([x0, x1, x2, x3]), dpi([y0, y1, y2, y3])]);
            }
            b"IDAT" => return None,
            _ => rest = after.get(length.checked_add(4)?..)?,
        }
    }
    None
}

/// The JFIF header (ECMA TR/98, 10.1): unit (1: inch, 2: centimetre), dots across and down; else the EXIF block.
fn jpeg(bytes: &[u8]) -> Option<[f32; 2]> {
    let mut rest = bytes.get(2..)?;
    let mut exif = None;
    // Segments before the pixels: 0xff, a code, and a length that counts itself.
    while let [0xff, code @ 0xe0..=0xef, high, low, ..] = *rest {
        let length = usize::from(u16::from_be_bytes([high, low]));
        let segment = rest.get(4..length.max(2) + 2)?;
        match (code, segment) {
            (
                0xe0,
                [
                    b'J',
                    b'F',
                    b'I',
                    b'F',
                    0,
                    _,
                    _,
                    unit @ (1 | 2),
                    x1,
                    x0,
                    y1,
                    y0,
                    ..,
                ],
            ) => {
                let scale = if *unit == 1 { 1.0 } else { INCH_IN_CENTIMETRES };
                let dpi = |dots: [u8; 2]| f32::from(u16::from_be_bytes(dots)) * scale;
                return Some([dpi([*x1, *x0]), dpi([*y1, *y0])]);
            }
            (0xe1, segment) if exif.is_none() => {
                exif = segment.strip_prefix(EXIF).and_then(|block| tiff(block, 0));
            }
            _ => {}
        }
        rest = rest.get(length.max(2) + 2..)?;
    }
    exif
}

/// TIFF 6.0, section 8: the unit is 2 for inches (also where none is given) and 3 for centimetres.
fn tiff(bytes: &[u8], index: usize) -> Option<[f32; 2]> {
    let file = Directories::of(bytes)?;
    let directory = *file.places().get(index)?;
    let scale = match file.value(directory, tag::UNIT) {
        None | Some(2) => 1.0,
        Some(3) => INCH_IN_CENTIMETRES,
        Some(_) => return None,
    };
    let [across, down] = tag::RESOLUTION;
    let across = scale * file.fraction(directory, across)?;
    let down = scale * file.fraction(directory, down)?;
    // From 5 on, rows and columns change places.
    let lies = file
        .value(directory, tag::ORIENTATION)
        .is_some_and(|orientation| orientation >= 5);
    Some(if lies { [down, across] } else { [across, down] })
}
