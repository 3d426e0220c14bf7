//! The file format of a checkpoint.
//!
//! ```text
//! "kiln checkpoint 1\n"
//! length of the header    8 bytes, little-endian
//! header                  JSON: versions, experiment and progress; name and length of each part
//! parts                   Burn's records of the weights, the optimizer, the schedule, ...
//! SHA-256 of all before   32 bytes
//! ```
//!
//! A file that was cut off, or changed since, is refused.

use std::io::Write;
use std::path::Path;

use burn::lr_scheduler::LrSchedulerRecord;
use burn::optim::OptimizerRecord;
use burn::store::{ModuleRecord, RecordError};
use burn::tensor::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::contents::{Checkpoint, Header, Parts};
use crate::error::{FileError, one_line};
use crate::files;

/// The first bytes of every checkpoint; the number is the version of the format.
const MAGIC: &[u8] = b"kiln checkpoint 1\n";

/// Bytes of the header's length.
const LENGTH_BYTES: usize = 8;

/// Bytes of a SHA-256.
const SUM_BYTES: usize = 32;

/// No checkpoint is larger: a network may have 1 GiB of weights (`models::MAX_MODEL_VALUES`), and a checkpoint holds them five
/// times with Adam, a running average and kept weights.
const MAX_BYTES: u64 = 6 << 30;

/// The JSON header as it is stored.
#[derive(Serialize, Deserialize)]
struct StoredHeader {
    header: Header,
    parts: Vec<(String, usize)>,
}

/// Writes a checkpoint, atomically.
///
/// # Errors
/// The file can't be written.
pub fn write(path: &Path, header: Header, parts: Parts) -> Result<(), FileError> {
    let failed = |error: &dyn std::fmt::Display| {
        FileError::write(path, std::io::Error::other(error.to_string()))
    };
    let named = [
        ("model", Some(parts.model.into_bytes())),
        ("optimizer", Some(parts.optimizer.into_bytes())),
        ("schedule", Some(parts.schedule.into_bytes())),
        ("average", parts.average.map(ModuleRecord::into_bytes)),
        ("kept", parts.kept.map(ModuleRecord::into_bytes)),
    ];
    let mut parts = Vec::new();
    for (name, bytes) in named {
        if let Some(bytes) = bytes {
            parts.push((name, bytes.map_err(|error| failed(&error))?));
        }
    }
    let lengths = parts
        .iter()
        .map(|(name, part)| (name.to_string(), part.len()));
    let stored = StoredHeader {
        header,
        parts: lengths.collect(),
    };
    let header = serde_json::to_vec(&stored).map_err(|error| failed(&error))?;
    let length = (header.len() as u64).to_le_bytes();
    let mut pieces: Vec<&[u8]> = vec![MAGIC, &length, &header];
    pieces.extend(parts.iter().map(|(_, part)| &part[..]));
    let mut sum = Sha256::new();
    pieces.iter().for_each(|piece| sum.update(piece));
    let sum = sum.finalize();
    pieces.push(&sum);
    files::write_with(path, |file| {
        pieces.iter().try_for_each(|piece| file.write_all(piece))
    })
}

/// Reads a checkpoint.
///
/// # Errors
/// The file can't be read, was cut off or changed, or is not a checkpoint of this version.
pub fn read(path: &Path) -> Result<Checkpoint, FileError> {
    let bytes = files::read_up_to(path, MAX_BYTES);
    let problem = match bytes {
        Ok(Some(bytes)) => return from_bytes(&bytes, path),
        Ok(None) => format!("larger than {MAX_BYTES} bytes"),
        Err(error) => error.to_string(),
    };
    Err(unusable(path, problem))
}

/// The error of a checkpoint that can't be used.
pub(super) fn unusable(path: &Path, problem: impl std::fmt::Display) -> FileError {
    FileError::new(
        path,
        format!("not a checkpoint that kiln can resume from: {problem}"),
    )
}

/// [`read`], from the content of a file; `path` is what errors name.
///
/// # Errors
/// As those of [`read`].
pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Checkpoint, FileError> {
    let error = |problem: String| unusable(path, problem);
    let content = verify(bytes).map_err(&error)?;
    let (stored, parts) = split_header(content).map_err(&error)?;
    let parts = split_parts(&stored.parts, parts).map_err(&error)?;
    Ok(Checkpoint {
        path: path.to_path_buf(),
        parts: Parts {
            model: required_part(&parts, "model", ModuleRecord::from_bytes).map_err(&error)?,
            optimizer: required_part(&parts, "optimizer", OptimizerRecord::from_bytes)
                .map_err(&error)?,
            schedule: required_part(&parts, "schedule", LrSchedulerRecord::from_bytes)
                .map_err(&error)?,
            average: part(&parts, "average", ModuleRecord::from_bytes).map_err(&error)?,
            kept: part(&parts, "kept", ModuleRecord::from_bytes).map_err(&error)?,
        },
        header: stored.header,
    })
}

/// Parts by name.
type NamedParts<'a> = [(&'a str, &'a [u8])];

/// A part by its name, if it exists.
fn part<R>(
    parts: &NamedParts,
    name: &str,
    record: impl FnOnce(Bytes) -> Result<R, RecordError>,
) -> Result<Option<R>, String> {
    let Some((_, bytes)) = parts.iter().find(|(other, _)| *other == name) else {
        return Ok(None);
    };
    // A copy: within the file the numbers may not be aligned.
    let record = record(Bytes::from_bytes_vec(bytes.to_vec()));
    let record = record.map_err(|error| format!("part `{name}`: {}", one_line(error)))?;
    Ok(Some(record))
}

/// A required part.
fn required_part<R>(
    parts: &NamedParts,
    name: &str,
    record: impl FnOnce(Bytes) -> Result<R, RecordError>,
) -> Result<R, String> {
    part(parts, name, record)?.ok_or_else(|| format!("part `{name}` is missing"))
}

/// Checks the checksum and the magic bytes; returns what is between them.
fn verify(bytes: &[u8]) -> Result<&[u8], String> {
    let Some((content, sum)) = bytes.split_last_chunk::<SUM_BYTES>() else {
        return Err("the file is truncated".into());
    };
    if !content.starts_with(MAGIC) {
        return Err("not in the checkpoint format of this version".into());
    }
    if Sha256::digest(content)[..] != sum[..] {
        return Err("damaged: the checksum does not match".into());
    }
    Ok(&content[MAGIC.len()..])
}

fn split_header(content: &[u8]) -> Result<(StoredHeader, &[u8]), String> {
    let (length, rest) = content
        .split_first_chunk::<LENGTH_BYTES>()
        .ok_or("the header is missing")?;
    let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let (header, parts) = rest
        .split_at_checked(length)
        .ok_or("the header is longer than the file")?;
    let stored: StoredHeader = serde_json::from_slice(header)
        .map_err(|error| format!("the header can't be parsed: {}", one_line(error)))?;
    if !stored.header.progress.is_consistent() {
        return Err("the header is inconsistent".into());
    }
    Ok((stored, parts))
}

fn split_parts<'a>(
    lengths: &'a [(String, usize)],
    mut bytes: &'a [u8],
) -> Result<Vec<(&'a str, &'a [u8])>, String> {
    let mut parts = Vec::new();
    for (name, length) in lengths {
        let (part, rest) = bytes
            .split_at_checked(*length)
            .ok_or("the parts are longer than the file")?;
        parts.push((name.as_str(), part));
        bytes = rest;
    }
    if !bytes.is_empty() {
        return Err("the file is longer than its header says".into());
    }
    Ok(parts)
}
