//! The directories of a TIFF file (TIFF 6.0, section 2): one for each image in it, with a number or text under each tag. EXIF blocks have
//! them as well.

use std::collections::BTreeSet;

/// Tags that are looked up here.
pub(super) mod tag {
    /// `NewSubfileType`.
    pub const SUBFILE: u64 = 254;
    /// `PhotometricInterpretation`.
    pub const PHOTOMETRIC: u64 = 262;
    /// `Orientation`.
    pub const ORIENTATION: u64 = 274;
    /// `XResolution` and `YResolution`.
    pub const RESOLUTION: [u64; 2] = [282, 283];
    /// `ResolutionUnit`.
    pub const UNIT: u64 = 296;
}

/// Bits of `NewSubfileType`: a reduced copy of another image, and a mask for one.
const REDUCED_OR_MASK: u64 = 1 | 4;
/// Field types of 2, 4 and 8 bytes (section 2, and BigTIFF).
const SHORT: u64 = 3;
const LONG: u64 = 4;
const RATIONAL: u64 = 5;
/// Most directories that are looked at.
const MAX_DIRECTORIES: usize = 100_000;

/// A TIFF file, or an EXIF block.
pub(super) struct Directories<'a> {
    bytes: &'a [u8],
    is_little: bool,
    /// BigTIFF: numbers of 8 bytes instead of 4.
    is_big: bool,
}

impl<'a> Directories<'a> {
    /// `None` if the header is not that of a TIFF.
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        let is_little = bytes.starts_with(b"II");
        let plain = Self {
            bytes,
            is_little,
            is_big: false,
        };
        let is_tiff = is_little || bytes.starts_with(b"MM");
        match plain.number(2, 2)? {
            42 if is_tiff => Some(plain),
            43 if is_tiff => Some(Self {
                is_big: true,
                ..plain
            }),
            _ => None,
        }
    }

    /// The number of `length` bytes at `place`.
    fn number(&self, place: usize, length: usize) -> Option<u64> {
        let bytes = self.bytes.get(place..place.checked_add(length)?)?;
        let digit = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        Some(if self.is_little {
            bytes.iter().rev().fold(0, digit)
        } else {
            bytes.iter().fold(0, digit)
        })
    }

    /// Lengths of a directory's count, of an entry, and of a place.
    fn lengths(&self) -> (usize, usize, usize) {
        if self.is_big { (8, 20, 8) } else { (2, 12, 4) }
    }

    /// Where the directories are, in their order; those after a damaged or repeated place are missing.
    pub fn places(&self) -> Vec<usize> {
        let (count_length, entry_length, place_length) = self.lengths();
        let mut next = if self.is_big {
            self.number(8, 8)
        } else {
            self.number(4, 4)
        };
        let (mut places, mut seen) = (Vec::new(), BTreeSet::new());
        while let Some(place) = next.and_then(|place| usize::try_from(place).ok()) {
            if place == 0 || !seen.insert(place) || places.len() == MAX_DIRECTORIES {
                break;
            }
            let Some(count) = self.number(place, count_length) else {
                break;
            };
            places.push(place);
            next = usize::try_from(count)
                .ok()
                .and_then(|count| count.checked_mul(entry_length))
                .and_then(|entries| place.checked_add(count_length)?.checked_add(entries))
                .and_then(|end| self.number(end, place_length));
        }
        places
    }

    /// Where the entry of a tag is: tag, type (2 bytes each), count, and the value or its place.
    fn entry(&self, directory: usize, tag: u64) -> Option<usize> {
        let (count_length, entry_length, _) = self.lengths();
        let count = usize::try_from(self.number(directory, count_length)?).ok()?;
        let first = directory.checked_add(count_length)?;
        let mut entries = (0..count).map_while(|index| {
            let entry = index.checked_mul(entry_length)?.checked_add(first)?;
            Some((entry, self.number(entry, 2)?))
        });
        entries
            .find(|&(_, found)| found == tag)
            .map(|(entry, _)| entry)
    }

    /// Where the value of an entry is, or the place of its value.
    fn value_place(&self, entry: usize) -> Option<usize> {
        entry.checked_add(if self.is_big { 12 } else { 8 })
    }

    /// The whole number under a tag.
    pub fn value(&self, directory: usize, tag: u64) -> Option<u64> {
        let entry = self.entry(directory, tag)?;
        let length = match self.number(entry + 2, 2)? {
            SHORT => 2,
            LONG => 4,
            _ => return None,
        };
        self.number(self.value_place(entry)?, length)
    }

    /// The fraction under a tag: two numbers of 4 bytes, in the entry itself only in BigTIFF.
    pub fn fraction(&self, directory: usize, tag: u64) -> Option<f32> {
        let entry = self.entry(directory, tag)?;
        if self.number(entry + 2, 2)? != RATIONAL {
            return None;
        }
        let mut place = self.value_place(entry)?;
        if !self.is_big {
            place = usize::try_from(self.number(place, 4)?).ok()?;
        }
        let (over, under) = (self.number(place, 4)?, self.number(place + 4, 4)?);
        (under > 0).then(|| over as f32 / under as f32)
    }

    /// Whether the image of a directory is a page of its own.
    fn is_page(&self, directory: usize) -> bool {
        let kind = self.value(directory, tag::SUBFILE).unwrap_or_default();
        kind & REDUCED_OR_MASK == 0
    }

    /// The numbers of the directories whose image is a page: the first in any case, and none that is a reduced copy or a mask.
    pub fn pages(&self) -> Vec<usize> {
        let places = self.places().into_iter().enumerate();
        let pages = places.filter(|&(index, place)| index == 0 || self.is_page(place));
        pages.map(|(index, _)| index).collect()
    }

    /// Place of the low byte of `PhotometricInterpretation` of the directory with this number: a SHORT, at the left of its field.
    pub fn photometric(&self, index: usize) -> Option<usize> {
        let directory = *self.places().get(index)?;
        let value = self.value_place(self.entry(directory, tag::PHOTOMETRIC)?)?;
        Some(if self.is_little { value } else { value + 1 })
    }
}
