//! How many bytes LZW data unpack to (ISO 32000-1, 7.4.4), counted without unpacking them.

/// The code that empties the table, and the one that ends the data; the table goes on after them.
const CLEAR: usize = 256;
const END: usize = 257;
/// Most entries of the table, with the 256 bytes and the two codes.
const MAX_ENTRIES: usize = 4096;

/// Unpacked bytes, for whichever value of `EarlyChange` gives more; counting stops beyond `limit`.
pub(super) fn unpacked_bytes(data: &[u8], limit: u64) -> u64 {
    [0, 1]
        .map(|early| count(data, early, limit))
        .into_iter()
        .fold(0, u64::max)
}

/// `early`: how many entries before a code needs another bit its length grows.
fn count(data: &[u8], early: usize, limit: u64) -> u64 {
    // Lengths of the entries after END.
    let mut lengths: Vec<u64> = Vec::new();
    let mut last: Option<u64> = None;
    let (mut total, mut held, mut bits) = (0, 0usize, 0);
    for &byte in data {
        held = held << 8 | usize::from(byte);
        bits += 8;
        let width = code_bits(END + 1 + lengths.len() + early);
        if bits < width {
            continue;
        }
        bits -= width;
        let code = held >> bits;
        held &= (1 << bits) - 1;
        let length = match code {
            CLEAR => {
                lengths.clear();
                last = None;
                continue;
            }
            END => break,
            0..CLEAR => Some(1),
            // The entry that this code completes is the last one and a byte.
            _ if code - END - 1 == lengths.len() => last.map(|last| last + 1),
            _ => lengths.get(code - END - 1).copied(),
        };
        // A code without an entry: no program unpacks more.
        let Some(length) = length else {
            break;
        };
        total += length;
        if total > limit {
            break;
        }
        if let Some(last) = last.filter(|_| END + 1 + lengths.len() < MAX_ENTRIES) {
            lengths.push(last + 1);
        }
        last = Some(length);
    }
    total
}

/// Bits of a code when the table has this many entries.
fn code_bits(entries: usize) -> u32 {
    match entries {
        0..512 => 9,
        512..1024 => 10,
        1024..2048 => 11,
        _ => 12,
    }
}

#[cfg(test)]
mod tests {
    use super::{count, unpacked_bytes};

    /// ISO 32000-1, 7.4.4.2: ten bytes, as 1, 2, 2, 1, 3 and 1.
    #[test]
    fn the_example_of_the_standard_has_its_length() {
        let packed = [0x80, 0x0b, 0x60, 0x50, 0x22, 0x0c, 0x0c, 0x85, 0x01];
        assert_eq!(unpacked_bytes(&packed, u64::MAX), 10);
        assert_eq!(unpacked_bytes(&packed, 3), 5);
    }

    /// The same byte again and again is the strongest compression: entries of 1, 2, 3, ... bytes.
    #[test]
    fn counting_follows_codes_of_all_lengths_and_a_full_table() {
        let mut bits: Vec<bool> = Vec::new();
        let mut put = |code: usize, width: usize| {
            bits.extend((0..width).rev().map(|bit| code >> bit & 1 == 1));
        };
        put(256, 9);
        put(b'a'.into(), 9);
        let mut expected = 1;
        // Entry 258 is complete after the second code, and so on up to 4,095; then the last entry twice more.
        for code in (258..4096).chain([4095, 4095]) {
            let width = 9 + [511, 1023, 2047]
                .iter()
                .filter(|&&full| code >= full)
                .count();
            put(code, width);
            expected += (code - 256) as u64;
        }
        let bytes = bits.chunks(8).map(|chunk| {
            let byte = chunk
                .iter()
                .fold(0u8, |byte, &bit| byte << 1 | u8::from(bit));
            byte << (8 - chunk.len())
        });
        assert_eq!(count(&bytes.collect::<Vec<u8>>(), 1, u64::MAX), expected);
    }
}
