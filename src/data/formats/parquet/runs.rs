//! Small numbers as runs of equal ones or packed bit by bit: Parquet's levels, and indices into dictionaries.
//!
//! "RLE/Bit-Packing Hybrid" of `Encodings.md` of Apache Parquet.

use super::varint::varint;

/// Most bits of a number.
const MAX_WIDTH: u32 = 32;

/// The bits that numbers up to `max` take.
pub fn width(max: u32) -> u32 {
    u32::BITS - max.leading_zeros()
}

/// Reads `count` numbers of `width` bits.
///
/// # Errors
/// There are fewer.
pub fn read(mut bytes: &[u8], width: u32, count: usize) -> Result<Vec<u32>, String> {
    if width > MAX_WIDTH {
        return Err(format!("has numbers of {width} bits"));
    }
    let mut numbers = Vec::new();
    while numbers.len() < count {
        let left = count - numbers.len();
        let (head, rest) = head(bytes)?;
        bytes = rest;
        if head & 1 == 0 {
            let length = (head >> 1) as usize;
            let (number, rest) = take(bytes, width.div_ceil(8) as usize)?;
            bytes = rest;
            let number = number
                .iter()
                .rev()
                .fold(0u64, |n, &byte| n << 8 | u64::from(byte));
            if length == 0 {
                return Err("has an empty run".into());
            }
            numbers.resize(numbers.len() + length.min(left), number as u32);
        } else {
            // Groups of eight numbers, each of `width` bytes. The last group may be cut off.
            let groups = (head >> 1) as usize;
            let size = groups.saturating_mul(width as usize).min(bytes.len());
            let (packed, rest) = take(bytes, size)?;
            bytes = rest;
            let available = match width {
                0 => groups.saturating_mul(8),
                width => packed.len() * 8 / width as usize,
            };
            if available == 0 {
                return Err("has too few numbers in a page".into());
            }
            numbers.extend((0..available.min(left)).map(|index| bits(packed, index, width)));
        }
    }
    Ok(numbers)
}

/// The head of a run, and what follows it.
fn head(bytes: &[u8]) -> Result<(u64, &[u8]), String> {
    let mut rest = bytes;
    let head = varint(|| {
        let (byte, behind) = rest.split_first().ok_or("has too few numbers in a page")?;
        rest = behind;
        Ok(*byte)
    })?;
    Ok((head, rest))
}

fn take(bytes: &[u8], count: usize) -> Result<(&[u8], &[u8]), String> {
    bytes
        .split_at_checked(count)
        .ok_or_else(|| "has too few numbers in a page".into())
}

/// A packed number, the lowest bits first.
fn bits(packed: &[u8], index: usize, width: u32) -> u32 {
    let first = index * width as usize;
    let mut number = 0u64;
    let bytes = packed[first / 8..].iter().take(5).enumerate();
    for (place, &byte) in bytes {
        number |= u64::from(byte) << (8 * place);
    }
    let mask = (1u64 << width) - 1;
    (number >> (first % 8) & mask) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the format's description: 0 to 7, three bits each.
    #[test]
    fn numbers_are_unpacked_as_the_format_says() {
        let packed = [0b0000_0011, 0b1000_1000, 0b1100_0110, 0b1111_1010];
        assert_eq!(read(&packed, 3, 8).unwrap(), (0..8).collect::<Vec<_>>());
        // A run of five times 300 in nine bits, then nothing more.
        let run = [10, 0x2c, 0x01];
        assert_eq!(read(&run, 9, 5).unwrap(), [300; 5]);
        assert!(read(&run, 9, 6).is_err());
        assert_eq!((width(0), width(1), width(3)), (0, 1, 2));
    }
}
