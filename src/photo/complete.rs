//! Whether an image file is complete: many decoders fill a missing part with grey.

/// Walks a PNG to its IEND chunk: 8 bytes of signature, then chunks of length, type, data and checksum (PNG
/// specification, section 5). `None` if it ends before.
pub(super) fn png(bytes: &[u8]) -> Option<()> {
    let mut rest = bytes.get(8..)?;
    while let Some((header, after)) = rest.split_first_chunk::<8>() {
        let [a, b, c, d, kind @ ..] = *header;
        // Data and 4 bytes of checksum.
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        rest = after.get(length.checked_add(4)?..)?;
        if &kind == b"IEND" {
            return Some(());
        }
    }
    None
}

/// Whether a WebP has all bytes that its headers promise: that of the file, whose size at 4 counts what follows it, and those of its
/// chunks from 12 on, of four letters and a size each, padded to an even length. `None` if it ends before. A decoder allocates what a
/// chunk promises.
pub(super) fn webp(bytes: &[u8]) -> Option<()> {
    let size_at = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?) as usize);
    let end = size_at(4)?.checked_add(8)?;
    let mut at = 12;
    while at + 8 <= end {
        at = size_at(at + 4)?.checked_add(at + 8)?;
        if at > bytes.len() {
            return None;
        }
        at += at % 2;
    }
    (bytes.len() >= end).then_some(())
}

/// Result of walking through a JPEG.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Jpeg {
    /// Bytes that a decoder needs for all coefficients, where these come in several scans; else 0, since it then goes row by
    /// row.
    pub coefficient_bytes: u64,
}

/// JPEG marker codes (ITU-T T.81, table B.1).
mod marker {
    /// Start of frame, progressive (Huffman).
    pub const SOF2: u8 = 0xc2;
    /// Start of frame of other kinds, with the Huffman tables (0xc4), the extension (0xc8) and the arithmetic tables (0xcc)
    /// among them.
    pub const SOF: std::ops::RangeInclusive<u8> = 0xc0..=0xcf;
    /// Codes in that range that do not start a frame.
    pub const NO_FRAME: [u8; 3] = [0xc4, 0xc8, 0xcc];
    /// Start of scan.
    pub const SOS: u8 = 0xda;
    /// End of image.
    pub const EOI: u8 = 0xd9;
    /// Restart markers, between parts of the entropy-coded data; they have no length.
    pub const RST: std::ops::RangeInclusive<u8> = 0xd0..=0xd7;
    /// Start of image and the temporary marker: no length either.
    pub const ALONE: [u8; 2] = [0xd8, 0x01];
}

/// Bytes of a coefficient in a decoder.
const COEFFICIENT: u64 = 2;

/// Walks a JPEG to its end marker, from segment to segment and through the entropy-coded data, in which a byte 0xff is
/// followed by 0 or by a restart marker. A thumbnail's end marker lies inside a segment and isn't met. `None` if the file
/// ends before.
pub(super) fn jpeg(bytes: &[u8]) -> Option<Jpeg> {
    let (mut at, mut scans, mut progressive, mut coefficients) = (0, 0, false, 0);
    loop {
        let (&first, &code) = (bytes.get(at)?, bytes.get(at + 1)?);
        if first != 0xff || code == 0xff {
            // Entropy-coded data, or fill bytes before a marker; decoders also skip stray bytes between segments.
            at += 1;
            continue;
        }
        at += 2;
        match code {
            marker::EOI => break,
            0 => continue,
            code if marker::RST.contains(&code) || marker::ALONE.contains(&code) => continue,
            _ => {}
        }
        let length = usize::from(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
        let segment = bytes.get(at + 2..at + length.max(2)).unwrap_or_default();
        match code {
            marker::SOS => scans += 1,
            code if marker::SOF.contains(&code) && !marker::NO_FRAME.contains(&code) => {
                progressive |= code == marker::SOF2;
                // Of several frames, the largest: whichever a decoder takes.
                coefficients = coefficients.max(count_coefficients(segment).unwrap_or(0));
            }
            _ => {}
        }
        at += length;
    }
    let held = progressive || scans > 1;
    Some(Jpeg {
        coefficient_bytes: if held { COEFFICIENT * coefficients } else { 0 },
    })
}

/// Coefficients of the largest frame that a JPEG, or a part of one, may start anywhere.
pub(super) fn largest_frame(bytes: &[u8]) -> u64 {
    let frames = bytes.windows(2).enumerate().filter(|(_, pair)| {
        pair[0] == 0xff && marker::SOF.contains(&pair[1]) && !marker::NO_FRAME.contains(&pair[1])
    });
    let sizes = frames.map(|(at, _)| {
        let segment = bytes.get(at + 4..).unwrap_or_default();
        let components = usize::from(segment.get(5).copied().unwrap_or_default());
        count_coefficients(segment.get(..6 + 3 * components).unwrap_or(segment)).unwrap_or(0)
    });
    sizes.max().unwrap_or_default()
}

/// Coefficients of a frame: 64 for each block of 8x8, as many blocks of a component in a unit as its sampling factors say.
/// T.81, B.2.2: precision, rows (2 bytes), columns (2), components (1), and for each its name, factors and table.
fn count_coefficients(frame: &[u8]) -> Option<u64> {
    let [_, y0, y1, x0, x1, _] = *frame.first_chunk::<6>()?;
    let blocks = |a, b| u64::from(u16::from_be_bytes([a, b])).div_ceil(8);
    let factors: Vec<(u64, u64)> = frame
        .get(6..)?
        .chunks_exact(3)
        .map(|component| (u64::from(component[1] >> 4), u64::from(component[1] & 15)))
        .collect();
    let across = factors.iter().map(|(across, _)| *across).max()?.max(1);
    let down = factors.iter().map(|(_, down)| *down).max()?.max(1);
    // The image in whole units, a unit being so many blocks of the component with the most.
    let units = blocks(x0, x1).div_ceil(across) * blocks(y0, y1).div_ceil(down);
    let of_a_unit: u64 = factors.iter().map(|(across, down)| across * down).sum();
    Some(64 * units * of_a_unit)
}
