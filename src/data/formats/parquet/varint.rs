//! Numbers of seven bits per byte, the lowest first; the highest bit says that more follow (LEB128). Thrift's compact protocol and runs of
//! numbers have them.

/// Reads a number, byte by byte.
///
/// # Errors
/// That of `next`, or a number of more than 64 bits.
pub fn varint(mut next: impl FnMut() -> Result<u8, String>) -> Result<u64, String> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = next()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("has a number of more than 64 bits".into())
}
