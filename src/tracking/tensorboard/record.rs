//! Records: how messages follow each other in an event file (`tensorflow/core/lib/io/record_writer.h`).
//!
//! A record is the length of its data (8 bytes, little-endian), the masked CRC-32C of that length, the data, and the masked CRC-32C of the
//! data.

/// Bytes before the data, and after it.
const HEAD: usize = 12;
const TAIL: usize = 4;

/// Appends a record to a file's bytes.
pub fn push(file: &mut Vec<u8>, data: &[u8]) {
    let length = (data.len() as u64).to_le_bytes();
    file.extend_from_slice(&length);
    file.extend_from_slice(&masked(&length).to_le_bytes());
    file.extend_from_slice(data);
    file.extend_from_slice(&masked(data).to_le_bytes());
}

/// The data of a file's records in order, up to the first that is damaged or not whole.
pub struct Records<'a>(pub &'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(HEAD)?;
        let (length, sum) = head.split_at_checked(8)?;
        if sum != masked(length).to_le_bytes() {
            return None;
        }
        let length = usize::try_from(u64::from_le_bytes(length.try_into().ok()?)).ok()?;
        let (data, rest) = rest.split_at_checked(length)?;
        let (sum, rest) = rest.split_at_checked(TAIL)?;
        if sum != masked(data).to_le_bytes() {
            return None;
        }
        self.0 = rest;
        Some(data)
    }
}

/// A checksum as records have it: rotated and moved, because the sum of data that holds sums is weak (`crc32c.h`).
fn masked(data: &[u8]) -> u32 {
    crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C: that of iSCSI (RFC 3720, appendix B.4), with the bits of Castagnoli's polynomial in reverse order.
fn crc32c(data: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0x82f6_3b78;
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut index = 0;
        while index < 256 {
            let mut value = index as u32;
            let mut bit = 0;
            while bit < 8 {
                let carry = value & 1;
                value >>= 1;
                if carry == 1 {
                    value ^= POLYNOMIAL;
                }
                bit += 1;
            }
            table[index] = value;
            index += 1;
        }
        table
    };
    let step = |sum: u32, byte: &u8| TABLE[usize::from(sum as u8 ^ byte)] ^ (sum >> 8);
    !data.iter().fold(!0, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_rfc() {
        // RFC 3720, appendix B.4: 32 bytes of zeroes, of ones, and counting up; and the usual check value.
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(&(0..32).collect::<Vec<u8>>()), 0x46dd_794e);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn records_are_read_back_up_to_one_that_is_torn_or_damaged() {
        let mut file = Vec::new();
        push(&mut file, b"first");
        push(&mut file, b"");
        push(&mut file, b"third");
        let read = |file: &[u8]| Records(file).map(<[u8]>::to_vec).collect::<Vec<_>>();
        assert_eq!(read(&file), [&b"first"[..], b"", b"third"]);
        assert_eq!(read(&file[..file.len() - 1]), [&b"first"[..], b""]);
        file[13] ^= 1;
        assert!(read(&file).is_empty());
    }
}
