//! What the compressed streams of a PDF unpack to, before anything allocates it.

use std::io::Read;

use flate2::bufread::{DeflateDecoder, ZlibDecoder};

use super::lzw;
use crate::photo::MAX_WORKING_BYTES;

/// The keyword before the data of a stream (ISO 32000-1, 7.3.8).
const STREAM: &[u8] = b"stream";
/// The keyword after it; the one above is a part of it.
const END: &[u8] = b"end";
/// How far before the keyword the dictionary with its filters is searched.
const DICTIONARY: usize = 2048;
/// Names of the filter for zlib data, and of LZW (7.4.1; short names in table 94).
const FLATE: [&[u8]; 2] = [b"/FlateDecode", b"/Fl"];
const LZW: [&[u8]; 2] = [b"/LZWDecode", b"/LZW"];
/// Those of bytes as text.
const ASCII85: [&[u8]; 2] = [b"/ASCII85Decode", b"/A85"];
const HEXADECIMAL: [&[u8]; 2] = [b"/ASCIIHexDecode", b"/AHx"];
/// The key of a file whose streams are encrypted (7.6.1).
const ENCRYPT: &[u8] = b"/Encrypt";
/// Most bytes to which deflate expands one: 258 for two bits (RFC 1951, 3.2.5).
const DEFLATE_RATIO: u64 = 1032;
/// How many bytes are unpacked between two looks at the total.
const BLOCK: usize = 64 << 10;

/// Refuses a file in which a stream unpacks to more than an image may take. Streams of encrypted files can't be examined.
///
/// # Errors
/// What is wrong, in one line.
pub(super) fn check(file: &[u8]) -> Result<(), String> {
    let is_encrypted = find(file, ENCRYPT).is_some();
    let (mut from, mut last) = (0, 0);
    while let Some(at) = find(&file[from..], STREAM) {
        let keyword = from + at;
        from = keyword + STREAM.len();
        if file[..keyword].ends_with(END) {
            continue;
        }
        // After the keyword comes the end of a line.
        let line = if file[from..].starts_with(b"\r\n") {
            2
        } else {
            1
        };
        let data = file.get(from + line..).unwrap_or_default();
        // No byte is looked at for two streams.
        let start = keyword.saturating_sub(DICTIONARY).max(last);
        last = keyword;
        let before = &file[start..keyword];
        // What belongs to the object before this one.
        let own = before
            .windows(4)
            .rposition(|four| four == b" obj")
            .map_or(before, |at| &before[at..]);
        let packed = count(own, FLATE);
        let lzw = count(own, LZW);
        if packed + lzw > 1 {
            return Err(
                "a stream of this PDF file is compressed twice, which ordinary programs don't do; save it again with another \
                 program"
                    .into(),
            );
        }
        if packed == 1 && count(own, ASCII85) > 0 {
            unpack(&ascii85(&data[..length(data)]), is_encrypted)?;
        } else if packed == 1 && count(own, HEXADECIMAL) > 0 {
            unpack(&hexadecimal(&data[..length(data)]), is_encrypted)?;
        } else if packed == 1 {
            // The keyword may be the last word of the file.
            from = (from + line + unpack(data, is_encrypted)?).min(file.len());
        } else if lzw == 1 && lzw::unpacked_bytes(data, MAX_WORKING_BYTES) > MAX_WORKING_BYTES {
            return Err(too_large());
        }
    }
    Ok(())
}

fn too_large() -> String {
    format!(
        "a stream of this PDF file unpacks to more than {} MB; save it again with another program, or convert its pages to images",
        MAX_WORKING_BYTES / 1_000_000
    )
}

/// Unpacks zlib data without keeping it, and returns how many bytes of it were used. Where they are no zlib data, or damaged, hayro takes
/// them for deflate data without a header, and goes on after the damage: so does this, as far as it can be known.
fn unpack(data: &[u8], is_encrypted: bool) -> Result<usize, String> {
    let mut zlib = ZlibDecoder::new(data);
    let is_whole = drain(&mut zlib)?;
    let used = usize::try_from(zlib.total_in()).unwrap_or(data.len());
    if is_whole || is_encrypted {
        return Ok(used);
    }
    drain(&mut DeflateDecoder::new(data))?;
    if (length(data) as u64).saturating_mul(DEFLATE_RATIO) > MAX_WORKING_BYTES {
        return Err(
            "a stream of this PDF file is damaged; repair the file with `qpdf in.pdf out.pdf`"
                .into(),
        );
    }
    Ok(used)
}

/// Reads to the end; whether there was no error on the way.
fn drain(decoder: &mut impl Read) -> Result<bool, String> {
    let mut block = vec![0; BLOCK];
    let mut total = 0u64;
    loop {
        match decoder.read(&mut block) {
            Ok(0) => return Ok(true),
            Ok(read) => total += read as u64,
            Err(_) => return Ok(false),
        }
        if total > MAX_WORKING_BYTES {
            return Err(too_large());
        }
    }
}

/// Bytes as digits of base 85, five for four bytes, and `z` for four zeros, up to `~` (7.4.3).
fn ascii85(data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut value, mut digits) = (0u32, 0);
    for &digit in data.iter().take_while(|&&digit| digit != b'~') {
        match digit {
            b'z' if digits == 0 => bytes.extend([0; 4]),
            b'!'..=b'u' => {
                value = value.wrapping_mul(85).wrapping_add(u32::from(digit - b'!'));
                digits += 1;
            }
            _ => continue,
        }
        if digits == 5 {
            bytes.extend(value.to_be_bytes());
            (value, digits) = (0, 0);
        }
    }
    // What is missing of the last five counts as the highest digit.
    for _ in digits..5 {
        value = value.wrapping_mul(85).wrapping_add(84);
    }
    if digits > 1 {
        bytes.extend(&value.to_be_bytes()[..digits - 1]);
    }
    bytes
}

/// Two digits a byte, up to `>` (7.4.2).
fn hexadecimal(data: &[u8]) -> Vec<u8> {
    let digits = data.iter().take_while(|&&digit| digit != b'>');
    let digits = digits.filter_map(|&digit| char::from(digit).to_digit(16));
    let digits: Vec<u8> = digits.map(|digit| digit as u8).collect();
    let pairs = digits.chunks(2);
    pairs
        .map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or_default())
        .collect()
}

/// How often a filter is named in a dictionary: by the long name or the short one, which may be the start of another.
fn count(dictionary: &[u8], [long, short]: [&[u8]; 2]) -> usize {
    let mut number = 0;
    for at in 0..dictionary.len() {
        let rest = &dictionary[at..];
        let ends = |name: &[u8]| {
            rest.strip_prefix(name)
                .is_some_and(|after| !after.first().is_some_and(u8::is_ascii_alphanumeric))
        };
        number += usize::from(ends(long) || ends(short));
    }
    number
}

/// Bytes up to the end of a stream.
fn length(data: &[u8]) -> usize {
    find(data, b"endstream").unwrap_or(data.len())
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
