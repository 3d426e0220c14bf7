//! A checkpoint: everything that a run needs to go on after an epoch as if it had never stopped, as one file.
//!
//! ```text
//! "kiln checkpoint 1\n"
//! length of the header, 8 bytes, little end first
//! header                  JSON: what made it, how far the run is, name and length of each part
//! parts                   Burn's records of the weights, the optimizer, the schedule, ...
//! SHA-256 of all before   32 bytes
//! ```
//!
//! Comes in: records and a [`Header`]. Goes out: `checkpoints/epoch-<n>.ckpt`, or from such a file the same again. A file that
//! was not written to its end, or changed since, is refused. Which epochs are kept is [`super::checkpointer`]'s business.

use std::io::Write;
use std::path::{Path, PathBuf};

use burn::lr_scheduler::LrSchedulerRecord;
use burn::optim::OptimizerRecord;
use burn::store::{ModuleRecord, RecordError};
use burn::tensor::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::Experiment;
use crate::error::{ErrorExit, FileError};
use crate::files;
use crate::metrics::EpochRecord;
use crate::run_dir::RunDir;

/// What every checkpoint begins with; the number is that of the format.
const MAGIC: &[u8] = b"kiln checkpoint 1\n";

/// Bytes of the header's length.
const LENGTH_BYTES: usize = 8;

/// Bytes of a SHA-256.
const SUM_BYTES: usize = 32;

/// No checkpoint is larger: a network may have 1 GiB of weights (`models::MAX_MODEL_VALUES`), and there are five of each with
/// Adam, an average and kept weights.
const MOST_BYTES: u64 = 6 << 30;

/// Why a checkpoint can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: not a checkpoint that kiln can go on from: {problem}", path.display())]
pub struct CheckpointError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: String,
}

impl ErrorExit for CheckpointError {}

/// What made a checkpoint, and how far the run is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Version of kiln.
    pub kiln: String,
    /// Version of Burn.
    pub burn: String,
    /// The experiment.
    pub experiment: Experiment,
    /// SHA-256 of the experiment as JSON, to tell at a glance.
    pub config_sha256: String,
    /// SHA-256 of the data's classes and labels.
    pub data_sha256: String,
    /// How far the run is.
    pub progress: Progress,
}

impl Header {
    /// The header of a run, at no epoch yet.
    pub fn new(experiment: &Experiment, data_sha256: String) -> Self {
        let json = serde_json::to_vec(experiment).unwrap_or_default();
        Self {
            kiln: env!("CARGO_PKG_VERSION").into(),
            burn: crate::device::BURN_VERSION.into(),
            experiment: experiment.clone(),
            config_sha256: files::hexadecimal(&Sha256::digest(&json)),
            data_sha256,
            progress: Progress::default(),
        }
    }
}

/// What a run remembers of its epochs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Completed epochs.
    pub epochs: Vec<EpochRecord>,
    /// Epoch and validation result of the best epoch.
    pub best: Option<(usize, f64)>,
    /// Epoch and validation result of the last improvement that early stopping counts.
    pub improved: Option<(usize, f64)>,
    /// The epoch whose weights are to be handed on.
    pub kept: Option<usize>,
    /// Steps that the running average has taken.
    pub average_steps: usize,
}

/// Weights, optimizer and whatever else is as large.
pub struct Parts {
    /// The network with its loss, in training.
    pub model: ModuleRecord,
    /// The optimizer.
    pub optimizer: OptimizerRecord,
    /// The schedule.
    pub schedule: LrSchedulerRecord,
    /// The running average of the weights, if there is one.
    pub average: Option<ModuleRecord>,
    /// The weights to be handed on, if they are not those of this epoch.
    pub kept: Option<ModuleRecord>,
}

/// A checkpoint as it was read.
pub struct Checkpoint {
    /// Its file.
    pub path: PathBuf,
    /// What made it, and how far it is.
    pub header: Header,
    /// What is in it.
    pub parts: Parts,
}

impl std::fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checkpoint")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Checkpoint {
    /// The epoch after which it was made.
    pub fn epoch(&self) -> usize {
        self.header.progress.epochs.len()
    }
}

/// The header as it stands in the file.
#[derive(Serialize, Deserialize)]
struct Written {
    header: Header,
    parts: Vec<(String, usize)>,
}

/// File of an epoch's checkpoint.
pub fn path_of(run: &RunDir, epoch: usize) -> PathBuf {
    run.checkpoints().join(format!("epoch-{epoch}.ckpt"))
}

/// The epochs of which there are checkpoints, whole or not, in ascending order.
pub fn epochs(run: &RunDir) -> Vec<usize> {
    let entries = std::fs::read_dir(run.checkpoints());
    let mut epochs: Vec<usize> = entries
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let number = name.to_str()?.strip_prefix("epoch-")?;
            number.strip_suffix(".ckpt")?.parse().ok()
        })
        .collect();
    epochs.sort_unstable();
    epochs
}

/// Writes a checkpoint: the file is there as a whole or not at all.
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
    let written = Written {
        header,
        parts: lengths.collect(),
    };
    let header = serde_json::to_vec(&written).map_err(|error| failed(&error))?;
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

/// Reads a checkpoint and makes sure that it is what was written.
///
/// # Errors
/// The file can't be read, or is not what was written.
pub fn read(path: &Path) -> Result<Checkpoint, CheckpointError> {
    let bytes = files::read_up_to(path, MOST_BYTES);
    let problem = match bytes {
        Ok(Some(bytes)) => return from_bytes(&bytes, path),
        Ok(None) => format!("it has more than {MOST_BYTES} bytes"),
        Err(error) => error.to_string(),
    };
    Err(CheckpointError {
        path: path.to_path_buf(),
        problem,
    })
}

/// [`read`], from the content of a file; `path` is what errors name.
///
/// # Errors
/// It is not what was written.
pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Checkpoint, CheckpointError> {
    let error = |problem: String| CheckpointError {
        path: path.to_path_buf(),
        problem,
    };
    let content = checked(bytes).map_err(&error)?;
    let (written, parts) = split_header(content).map_err(&error)?;
    let parts = split_parts(&written.parts, parts).map_err(&error)?;
    Ok(Checkpoint {
        path: path.to_path_buf(),
        parts: Parts {
            model: wanted(&parts, "model", ModuleRecord::from_bytes).map_err(&error)?,
            optimizer: wanted(&parts, "optimizer", OptimizerRecord::from_bytes).map_err(&error)?,
            schedule: wanted(&parts, "schedule", LrSchedulerRecord::from_bytes).map_err(&error)?,
            average: part(&parts, "average", ModuleRecord::from_bytes).map_err(&error)?,
            kept: part(&parts, "kept", ModuleRecord::from_bytes).map_err(&error)?,
        },
        header: written.header,
    })
}

type Named<'a> = [(&'a str, &'a [u8])];

/// A part by its name, if it is there.
fn part<R>(
    parts: &Named,
    name: &str,
    record: impl FnOnce(Bytes) -> Result<R, RecordError>,
) -> Result<Option<R>, String> {
    let Some((_, bytes)) = parts.iter().find(|(other, _)| *other == name) else {
        return Ok(None);
    };
    // A copy of its own, which begins where numbers may begin.
    let record = record(Bytes::from_bytes_vec(bytes.to_vec()));
    let record =
        record.map_err(|error| format!("its part `{name}`: {}", crate::error::one_line(error)))?;
    Ok(Some(record))
}

/// A part that must be there.
fn wanted<R>(
    parts: &Named,
    name: &str,
    record: impl FnOnce(Bytes) -> Result<R, RecordError>,
) -> Result<R, String> {
    part(parts, name, record)?.ok_or_else(|| format!("it has no part `{name}`"))
}

/// All that the checksum vouches for.
fn checked(bytes: &[u8]) -> Result<&[u8], String> {
    let Some((content, sum)) = bytes.split_last_chunk::<SUM_BYTES>() else {
        return Err("it is cut off".into());
    };
    if !content.starts_with(MAGIC) {
        return Err("it does not begin as kiln's checkpoints of this version do".into());
    }
    match Sha256::digest(content)[..] == sum[..] {
        true => Ok(&content[MAGIC.len()..]),
        false => Err("it is damaged: its checksum does not fit".into()),
    }
}

fn split_header(content: &[u8]) -> Result<(Written, &[u8]), String> {
    let (length, rest) = content
        .split_first_chunk::<LENGTH_BYTES>()
        .ok_or("it has no header")?;
    let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let (header, parts) = rest
        .split_at_checked(length)
        .ok_or("its header is longer than the file")?;
    let written: Written = serde_json::from_slice(header).map_err(|error| {
        format!(
            "its header can't be understood: {}",
            crate::error::one_line(error)
        )
    })?;
    if !written.header.progress.is_consistent() {
        return Err("its header contradicts itself".into());
    }
    Ok((written, parts))
}

impl Progress {
    /// Whether the epochs are numbered from 1, and what is said of others is said of these.
    fn is_consistent(&self) -> bool {
        let known = |epoch: usize| (1..=self.epochs.len()).contains(&epoch);
        let of = [self.best, self.improved].into_iter().flatten();
        let mut named = of.map(|(epoch, _)| epoch).chain(self.kept);
        let mut numbers = self.epochs.iter().zip(1..);
        !self.epochs.is_empty()
            && numbers.all(|(record, number)| record.epoch == number)
            && named.all(known)
    }
}

fn split_parts<'a>(
    lengths: &'a [(String, usize)],
    mut bytes: &'a [u8],
) -> Result<Vec<(&'a str, &'a [u8])>, String> {
    let mut parts = Vec::new();
    for (name, length) in lengths {
        let (part, rest) = bytes
            .split_at_checked(*length)
            .ok_or("its parts are longer than the file")?;
        parts.push((name.as_str(), part));
        bytes = rest;
    }
    match bytes.is_empty() {
        true => Ok(parts),
        false => Err("there is more in it than its header says".into()),
    }
}
