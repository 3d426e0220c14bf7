//! What a file of weights claims, held against what it is, before a reader of other people's is let near it.
//!
//! Comes in: an open file. Goes out: nothing, or one problem without the file's name. The readers check much themselves, but
//! not that a description stays small beside the weights: a pickle of a hundred megabytes of `None` becomes ten gigabytes
//! of objects, and a compressed one fits into a hundred kilobytes. Nothing here runs what a pickle asks for; neither does the
//! reader, which knows the handful of calls that rebuild tensors and takes every other for an opaque name.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};

use safetensors::tensor::Metadata;

/// Longest file that is read: the largest network that a config may describe (2^28 values) in 64 bits, and as much again for
/// what is saved beside it.
pub const MAX_FILE_BYTES: u64 = 4 << 30;
/// Longest header of a safetensors file. A tensor takes about a hundred bytes of it, so this is one of 80,000 tensors.
pub const MAX_HEADER_BYTES: u64 = 8 << 20;
/// Longest pickle. SqueezeNet's has 6 kB for 52 tensors.
const MAX_PICKLE_BYTES: u64 = 16 << 20;
/// Most instructions of a pickle. Each makes an object of about a hundred bytes at most; a tensor takes about forty.
const MAX_INSTRUCTIONS: usize = 500_000;
/// Pickles in front of the weights of a file of PyTorch before 1.6: magic number, version, system, the weights' description,
/// and the list of their places.
const LEGACY_PICKLES: usize = 5;
/// Most entries of a zip: one a tensor, and a few besides.
const MAX_ENTRIES: usize = 65_536;
/// Most bytes that compressed entries unpack to, all together. `torch.save` compresses nothing.
const MAX_UNPACKED_BYTES: u64 = 64 << 20;
/// The entry of a zip that describes the tensors.
const PICKLE_ENTRY: &str = "data.pkl";
/// Bytes of the number in front of a safetensors header.
const LENGTH_BYTES: u64 = 8;
/// Where a tar archive says that it is one, and how.
const TAR_MAGIC: (usize, &[u8]) = (257, b"ustar");

/// Looks at a file of any kind: it is read from its start, and left anywhere.
pub fn check(file: &mut File) -> Result<(), String> {
    let length = length(file)?;
    let start = start(file)?;
    if is_safetensors(&start) {
        safetensors(file, length).map(|_| ())
    } else if start.starts_with(b"PK") {
        zip(file)
    } else if start.get(TAR_MAGIC.0..).unwrap_or_default() == TAR_MAGIC.1 {
        Err("PyTorch before 0.1.10 wrote it; load and save it with a newer one".into())
    } else {
        pickles(BufReader::new(file), LEGACY_PICKLES)
    }
}

/// By the content: the length of a header that is JSON.
pub fn is_safetensors(start: &[u8]) -> bool {
    start.get(LENGTH_BYTES as usize) == Some(&b'{')
}

/// The first bytes of a file, as many as it takes to tell what it is.
pub fn start(file: &mut File) -> Result<Vec<u8>, String> {
    let mut start = Vec::new();
    let most = (TAR_MAGIC.0 + TAR_MAGIC.1.len()) as u64;
    file.rewind()
        .and_then(|()| file.take(most).read_to_end(&mut start))
        .map_err(text)?;
    file.rewind().map_err(text)?;
    Ok(start)
}

/// Whether a safetensors file of `length` bytes is as long as its header says, and the header of a sane size. Gives the
/// header's description of the tensors.
pub fn safetensors(file: &mut File, length: u64) -> Result<Metadata, String> {
    let mut size = [0; LENGTH_BYTES as usize];
    file.rewind()
        .and_then(|()| file.read_exact(&mut size))
        .map_err(|_| format!("{length} bytes are too few for a header"))?;
    let size = u64::from_le_bytes(size);
    let room = length.saturating_sub(LENGTH_BYTES);
    if size > MAX_HEADER_BYTES || size > room {
        return Err(format!(
            "its header claims {size} bytes, {room} are there and {MAX_HEADER_BYTES} allowed"
        ));
    }
    let mut header = Vec::new();
    file.take(size).read_to_end(&mut header).map_err(text)?;
    let header: Metadata = serde_json::from_slice(&header)
        .map_err(|error| format!("its header can't be understood: {error}"))?;
    let claimed = (size + LENGTH_BYTES).saturating_add(header.data_len() as u64);
    match claimed == length {
        true => Ok(header),
        false => Err(format!(
            "it has {length} bytes and its header speaks of {claimed}"
        )),
    }
}

/// The file's length, which must be that of a file of weights.
fn length(file: &File) -> Result<u64, String> {
    let about = file.metadata().map_err(text)?;
    match about.len() {
        _ if !about.is_file() => Err("this is no regular file".into()),
        length if length > MAX_FILE_BYTES => Err(format!(
            "it has {length} bytes, more than the {MAX_FILE_BYTES} that kiln reads"
        )),
        length => Ok(length),
    }
}

fn zip(file: &mut File) -> Result<(), String> {
    let mut archive = zip::ZipArchive::new(BufReader::new(file))
        .map_err(|error| format!("it is no zip archive that can be read ({error})"))?;
    if archive.len() > MAX_ENTRIES {
        return Err(format!("it holds more than {MAX_ENTRIES} entries"));
    }
    let mut unpacked = 0u64;
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(text)?;
        let name = entry.name().map_err(text)?.into_owned();
        let is_stored = entry.compression() == zip::CompressionMethod::Stored;
        let size = entry.size();
        drop(entry);
        if !is_stored {
            unpacked = unpacked.saturating_add(size);
        }
        if unpacked > MAX_UNPACKED_BYTES {
            return Err(format!(
                "it is compressed and unpacks to more than {MAX_UNPACKED_BYTES} bytes; save it with torch.save"
            ));
        }
        if name.ends_with(PICKLE_ENTRY) {
            if size > MAX_PICKLE_BYTES {
                return Err(too_long());
            }
            let entry = archive.by_index(index).map_err(text)?;
            pickles(BufReader::new(entry), 1)?;
        }
    }
    Ok(())
}

/// Walks over the instructions of the first `count` pickles. What is no pickle is left to the reader to refuse.
fn pickles(reader: impl Read, count: usize) -> Result<(), String> {
    let mut walk = Walk {
        reader: BufReader::new(reader.take(MAX_PICKLE_BYTES + 1)),
    };
    let (mut instructions, mut stops) = (0, 0);
    while stops < count {
        match walk.step() {
            Ok(Some(b'.')) => stops += 1,
            Ok(Some(_)) => instructions += 1,
            // The end, or an instruction that nobody knows. Reading errors come up again.
            Ok(None) | Err(_) => break,
        }
        if instructions > MAX_INSTRUCTIONS {
            return Err(too_long());
        }
    }
    match walk.reader.get_ref().limit() {
        0 if stops < count => Err(too_long()),
        _ => Ok(()),
    }
}

fn too_long() -> String {
    format!(
        "its description of the tensors is longer than {MAX_PICKLE_BYTES} bytes or {MAX_INSTRUCTIONS} instructions; \
         save the state_dict alone"
    )
}

/// Goes from one instruction of a pickle to the next.
struct Walk<R> {
    reader: BufReader<io::Take<R>>,
}

impl<R: Read> Walk<R> {
    /// Reads an instruction and passes over its argument. `None` for what is no instruction, and at the end.
    fn step(&mut self) -> io::Result<Option<u8>> {
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
            b'I' | b'L' | b'F' | b'V' | b'S' | b'P' | b'g' | b'p' => self.line()?,
            b'c' | b'i' => {
                self.line()?;
                self.line()?;
            }
            b'K' | b'h' | b'q' | 0x80 | 0x82 => self.pass(1)?,
            b'M' | 0x83 => self.pass(2)?,
            b'J' | b'j' | b'r' | 0x84 => self.pass(4)?,
            b'G' | 0x95 => self.pass(8)?,
            b'C' | b'U' | 0x8a | 0x8c => {
                let [length] = self.bytes()?;
                self.pass(u64::from(length))?;
            }
            b'T' | b'X' | b'B' | 0x8b => {
                let length = u32::from_le_bytes(self.bytes()?);
                self.pass(u64::from(length))?;
            }
            0x8d | 0x8e | 0x96 => {
                let length = u64::from_le_bytes(self.bytes()?);
                self.pass(length)?;
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

    fn pass(&mut self, length: u64) -> io::Result<()> {
        let passed = io::copy(&mut self.reader.by_ref().take(length), &mut io::sink())?;
        match passed == length {
            true => Ok(()),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn line(&mut self) -> io::Result<()> {
        match self.reader.skip_until(b'\n')? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
