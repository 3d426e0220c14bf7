//! The length of a pickle in instructions, without executing it.

use std::io::{self, BufRead, BufReader, Read};

/// Maximum length of a pickle in bytes. SqueezeNet's has 6 kB for 52 tensors.
pub(super) const MAX_BYTES: u64 = 16 << 20;
/// Maximum number of instructions in a pickle. Each makes an object of about a hundred bytes at most; a tensor takes about forty.
const MAX_INSTRUCTIONS: usize = 500_000;

/// Checks the length of the first `count` pickles. Data that is not a pickle is left for the reader to refuse.
pub(super) fn check(reader: impl Read, count: usize) -> Result<(), String> {
    let mut pickle = Instructions {
        reader: BufReader::new(reader.take(MAX_BYTES + 1)),
    };
    let (mut instructions, mut stops) = (0, 0);
    while stops < count {
        match pickle.next() {
            Ok(Some(b'.')) => stops += 1,
            Ok(Some(_)) => instructions += 1,
            // The end, or an unknown instruction. The reader will meet read errors again.
            Ok(None) | Err(_) => break,
        }
        if instructions > MAX_INSTRUCTIONS {
            return Err(too_long());
        }
    }
    match pickle.reader.get_ref().limit() {
        0 if stops < count => Err(too_long()),
        _ => Ok(()),
    }
}

pub(super) fn too_long() -> String {
    format!(
        "its pickle data is longer than {MAX_BYTES} bytes or {MAX_INSTRUCTIONS} instructions; \
         save the state_dict alone"
    )
}

/// The instructions of a pickle, one after the other.
struct Instructions<R> {
    reader: BufReader<io::Take<R>>,
}

impl<R: Read> Instructions<R> {
    /// Reads an instruction and skips its argument. `None` for an unknown instruction.
    fn next(&mut self) -> io::Result<Option<u8>> {
        let [code] = self.bytes::<1>()?;
        // Python's pickletools lists the instructions and the form of their arguments.
        match code {
            b'('
            | b'.'
            | b'0'
            | b'1'
            | b'2'
            | b'N'
            | b'R'
            | b'b'
            | b'd'
            | b'l'
            | b't'
            | b's'
            | b'a'
            | b'o'
            | b')'
            | b']'
            | b'}'
            | b'e'
            | b'u'
            | b'Q'
            | 0x81
            | 0x85..=0x89
            | 0x8f..=0x94
            | 0x97
            | 0x98 => {}
            b'I' | b'L' | b'F' | b'V' | b'S' | b'P' | b'g' | b'p' => self.skip_line()?,
            b'c' | b'i' => {
                self.skip_line()?;
                self.skip_line()?;
            }
            b'K' | b'h' | b'q' | 0x80 | 0x82 => self.skip(1)?,
            b'M' | 0x83 => self.skip(2)?,
            b'J' | b'j' | b'r' | 0x84 => self.skip(4)?,
            b'G' | 0x95 => self.skip(8)?,
            b'C' | b'U' | 0x8a | 0x8c => {
                let [length] = self.bytes()?;
                self.skip(u64::from(length))?;
            }
            b'T' | b'X' | b'B' | 0x8b => {
                let length = u32::from_le_bytes(self.bytes()?);
                self.skip(u64::from(length))?;
            }
            0x8d | 0x8e | 0x96 => {
                let length = u64::from_le_bytes(self.bytes()?);
                self.skip(length)?;
            }
            _ => return Ok(None),
        }
        Ok(Some(code))
    }

    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.reader.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn skip(&mut self, length: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.reader.by_ref().take(length), &mut io::sink())?;
        if skipped == length {
            Ok(())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    fn skip_line(&mut self) -> io::Result<()> {
        match self.reader.skip_until(b'\n')? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}
