//! What the compressed streams of a PDF unpack to, before anything allocates it.

use std::io::Read;

use flate2::bufread::ZlibDecoder;

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
/// Most bytes to which LZW expands one: codes of 9 to 12 bits, strings of at most 4,096 bytes.
const LZW_RATIO: u64 = 4096 * 8 / 9;
/// How many bytes are unpacked between two looks at the total.
const BLOCK: usize = 64 << 10;

/// Refuses a file of which one stream unpacks to more than an image may take. Streams of encrypted files can't be looked into.
///
/// # Errors
/// What is wrong, in one line.
pub(super) fn check(file: &[u8]) -> Result<(), String> {
    let mut from = 0;
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
        let start = keyword.saturating_sub(DICTIONARY);
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
                "a stream is compressed twice, which no ordinary program does; save it anew with another program"
                    .into(),
            );
        }
        if packed == 1 {
            from += line + unpack(data)?;
        } else if lzw == 1 && lzw_bytes(data) > MAX_WORKING_BYTES {
            return Err(too_large());
        }
    }
    Ok(())
}

fn too_large() -> String {
    format!(
        "a part of it unpacks to more than {} MB; save it anew with another program, or convert its pages to images",
        MAX_WORKING_BYTES / 1_000_000
    )
}

/// Unpacks zlib data without keeping it, and returns how many bytes of it were used; damaged data end early.
fn unpack(data: &[u8]) -> Result<usize, String> {
    let mut decoder = ZlibDecoder::new(data);
    let mut block = vec![0; BLOCK];
    let mut total = 0u64;
    while let Ok(read @ 1..) = decoder.read(&mut block) {
        total += read as u64;
        if total > MAX_WORKING_BYTES {
            return Err(too_large());
        }
    }
    Ok(usize::try_from(decoder.total_in()).unwrap_or(data.len()))
}

/// Most bytes to which LZW data up to the end of its stream expand.
fn lzw_bytes(data: &[u8]) -> u64 {
    let length = find(data, b"endstream").unwrap_or(data.len());
    (length as u64).saturating_mul(LZW_RATIO)
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

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
