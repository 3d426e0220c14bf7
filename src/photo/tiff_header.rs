//! Where a TIFF file says what its samples are.

/// Tag of `PhotometricInterpretation` (TIFF 6.0, section 8).
const PHOTOMETRIC: u64 = 262;

/// Numbers in the byte order of a file.
struct Numbers<'a> {
    bytes: &'a [u8],
    is_little: bool,
}

impl Numbers<'_> {
    /// The number of `length` bytes at `place`.
    fn at(&self, place: usize, length: usize) -> Option<u64> {
        let bytes = self.bytes.get(place..place.checked_add(length)?)?;
        let digit = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        Some(if self.is_little {
            bytes.iter().rev().fold(0, digit)
        } else {
            bytes.iter().fold(0, digit)
        })
    }
}

/// Place of the low byte of `PhotometricInterpretation` of the first page. A header has the byte order, a version (43: BigTIFF, with
/// numbers of 8 bytes instead of 4), and the place of the first directory; this a count and entries of tag, type, count and value.
pub(super) fn photometric(bytes: &[u8]) -> Option<usize> {
    let is_little = bytes.starts_with(b"II");
    let numbers = Numbers { bytes, is_little };
    let is_big = numbers.at(2, 2)? == 43;
    let (first, count_length, entry_length, value_place) = if is_big {
        (numbers.at(8, 8)?, 8, 20, 12)
    } else {
        (numbers.at(4, 4)?, 2, 12, 8)
    };
    let directory = usize::try_from(first).ok()?;
    let count = usize::try_from(numbers.at(directory, count_length)?).ok()?;
    let entries = (0..count).map_while(|index| {
        let entry = index
            .checked_mul(entry_length)?
            .checked_add(directory.checked_add(count_length)?)?;
        Some((entry, numbers.at(entry, 2)?))
    });
    let (entry, _) = entries.into_iter().find(|&(_, tag)| tag == PHOTOMETRIC)?;
    // A SHORT, at the left of its field.
    let low = if is_little { 0 } else { 1 };
    entry.checked_add(value_place + low)
}
