//! File checksums: SHA-256, and MD5 where only that is published.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use md5::Md5;
use sha2::{Digest, Sha256};

use super::catalogue::Sum;
use crate::files::hexadecimal;

/// Bytes that are read at a time.
const BLOCK: usize = 1 << 16;

/// How messages call the first digits of a SHA-256.
const SHA256_START: &str = "shortened sha256";

/// Result of comparing a file with its checksum.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// The file's SHA-256.
    pub sha256: String,
    /// The result of the comparison.
    pub verdict: Verdict,
}

/// Whether a file matches its checksum.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// There is no known checksum.
    Unknown,
    /// The checksum matches; the name of the algorithm.
    Right(&'static str),
    /// The checksum differs.
    Wrong {
        /// The name of the algorithm.
        kind: &'static str,
        /// The checksum of the file.
        found: String,
        /// The expected checksum.
        expected: String,
    },
}

/// Computes the checksums of a file from its beginning.
pub fn check(file: &mut File, sum: Option<&Sum>) -> io::Result<Check> {
    file.seek(SeekFrom::Start(0))?;
    let mut sha256 = Sha256::new();
    let mut md5 = Md5::new();
    let mut block = vec![0; BLOCK];
    loop {
        let read = match file.read(&mut block) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = block.get(..read).unwrap_or_default();
        sha256.update(bytes);
        if matches!(sum, Some(Sum::Md5(_))) {
            md5.update(bytes);
        }
    }
    let sha256 = hexadecimal(&sha256.finalize());
    let verdict = match sum {
        None => Verdict::Unknown,
        Some(Sum::Sha256(expected)) => compare("sha256", &sha256, expected),
        Some(Sum::Sha256Start(expected)) => {
            let start = sha256.get(..expected.len()).unwrap_or(&sha256);
            compare(SHA256_START, start, expected)
        }
        Some(Sum::Md5(expected)) => compare("md5", &hexadecimal(&md5.finalize()), expected),
    };
    Ok(Check { sha256, verdict })
}

fn compare(kind: &'static str, found: &str, expected: &str) -> Verdict {
    if found.eq_ignore_ascii_case(expected) {
        Verdict::Right(kind)
    } else {
        Verdict::Wrong {
            kind,
            found: found.to_string(),
            expected: expected.to_ascii_lowercase(),
        }
    }
}
