//! How many pixels an image in a PDF claims, in its dictionary and in its own header: a decoder allocates whichever it trusts.

use std::io::Cursor;

use hayro::hayro_syntax::Filter;
use hayro::hayro_syntax::object::dict::keys::{COLUMNS, DECODE_PARMS, DP};
use hayro::hayro_syntax::object::{Array, Dict, Stream};
use image::ImageDecoder;
use image::codecs::jpeg::JpegDecoder;

/// Start of a JPEG 2000 codestream and of its SIZ segment (ITU-T T.800, A.4.1 and A.5.1).
const CODESTREAM: &[u8] = b"\xff\x4f\xff\x51";
/// Start of a JBIG2 segment of page information after its number: type 48, no references, the page, 19 bytes (ITU-T T.88, 7.2 and 7.4.8).
const PAGE_INFORMATION: (&[u8], &[u8]) = (b"\x30\0", b"\0\0\0\x13");

/// The most pixels that an image of `width` x `height` by its dictionary may be decoded to.
pub(super) fn pixels(stream: &Stream<'_>, width: u32, height: u32) -> u64 {
    let claimed = area(width, height);
    let own = match *stream.filters() {
        [] => None,
        [.., Filter::CcittFaxDecode] => columns(stream.dict()).map(|columns| area(columns, height)),
        // Behind another filter they would have to be unpacked first.
        [Filter::DctDecode] => jpeg(&stream.raw_data()),
        [Filter::JpxDecode] => jpeg2000(&stream.raw_data()),
        [Filter::Jbig2Decode] => jbig2(&stream.raw_data()),
        [
            ..,
            Filter::DctDecode | Filter::JpxDecode | Filter::Jbig2Decode,
        ] => Some(u64::MAX),
        _ => None,
    };
    claimed.max(own.unwrap_or_default())
}

fn area(width: u32, height: u32) -> u64 {
    u64::from(width) * u64::from(height)
}

/// Pixels of a row by the parameters of the last filter.
fn columns(image: &Dict<'_>) -> Option<u32> {
    let of = |key: &[u8]| {
        let one = image.get::<Dict<'_>>(key);
        one.or_else(|| image.get::<Array<'_>>(key)?.iter::<Dict<'_>>().last())
    };
    of(DP).or_else(|| of(DECODE_PARMS))?.get::<u32>(COLUMNS)
}

fn jpeg(file: &[u8]) -> Option<u64> {
    let (width, height) = JpegDecoder::new(Cursor::new(file)).ok()?.dimensions();
    Some(area(width, height))
}

/// The number of four bytes at a place.
fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// After the marker: length and capabilities (2 bytes each), width and height of the reference grid.
fn jpeg2000(file: &[u8]) -> Option<u64> {
    let at = file.windows(4).position(|four| four == CODESTREAM)?;
    Some(area(number(file, at + 8)?, number(file, at + 12)?))
}

/// The largest page: width and height follow the segment's length. A height of `u32::MAX` is unknown.
fn jbig2(file: &[u8]) -> Option<u64> {
    let (kind, length) = PAGE_INFORMATION;
    let starts = file
        .windows(7)
        .enumerate()
        .filter(|(_, seven)| seven.starts_with(kind) && seven.ends_with(length));
    let pages = starts.filter_map(|(at, _)| {
        let (width, height) = (number(file, at + 7)?, number(file, at + 11)?);
        Some(area(width, if height == u32::MAX { 0 } else { height }))
    });
    pages.max()
}
