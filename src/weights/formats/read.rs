//! Reads a file of named tensors, in any format that kiln supports.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::foreign::{self, Foreign, Written};
use super::onnx;
use super::safetensors;
use super::saved::{COUNTER, Saved};
use super::source::Source;
use super::torch;
use crate::error::{FileError, io_problem};
use crate::files;
use crate::weights::limits;

/// The start of a zip archive.
const ZIP: &[u8] = b"PK";

/// What kiln reads.
const SUPPORTED: &str =
    "supported: .safetensors, .pth with a state_dict saved by torch.save, and .onnx";

/// Why a file can't be read.
enum Failure {
    Problem(String),
    Foreign(Foreign),
}

impl From<String> for Failure {
    fn from(problem: String) -> Self {
        Failure::Problem(problem)
    }
}

/// The tensors of a file. `example` is the name of a parameter that the caller looks for, for advice about tensors without names.
pub fn read(path: &Path, example: &str) -> Result<Saved, FileError> {
    let file = files::open(path).map_err(|error| FileError::named(path, error))?;
    let error =
        |problem: String| FileError::new(path, format!("no weights that kiln can read: {problem}"));
    match read_any(file, path, example) {
        Ok(saved) if saved.tensors.is_empty() && saved.is_quantized => {
            let written = Written {
                path,
                reader: saved.reader,
                dictionary: "",
            };
            Err(foreign_error(path, foreign::quantized(written)))
        }
        Ok(saved) if saved.tensors.is_empty() => {
            Err(error("it contains no tensors".into()).advise(SUPPORTED))
        }
        Ok(saved) if saved.tensors.iter().all(|(name, _)| name.is_empty()) => {
            Err(foreign_error(path, foreign::single_tensor(path, example)))
        }
        Ok(saved) => Ok(saved),
        Err(Failure::Problem(problem)) => Err(error(problem).advise(SUPPORTED)),
        Err(Failure::Foreign(foreign)) => Err(foreign_error(path, foreign)),
    }
}

/// The error for a file of another kind.
pub fn foreign_error(path: &Path, foreign: Foreign) -> FileError {
    let problem = format!("no weights that kiln can read: {}", foreign.problem);
    FileError::new(path, problem).advise(foreign.advice)
}

fn read_any(mut file: File, path: &Path, example: &str) -> Result<Saved, Failure> {
    let length = limits::length(&file)?;
    let text = |error: std::io::Error| io_problem(&error);
    let mut head = Vec::new();
    let mut start = file.by_ref().take(foreign::HEAD_BYTES);
    start.read_to_end(&mut head).map_err(text)?;
    if limits::is_safetensors(&head) {
        return Ok(without_counters(safetensors::read(file, length)?));
    }
    if let Some(foreign) = foreign::recognise(&head, path, example) {
        return Err(Failure::Foreign(foreign));
    }
    let source = Arc::new(Source::of_file(file).map_err(text)?);
    if foreign::is_onnx(&head, path) {
        return Ok(onnx::read(&source)?);
    }
    if !head.starts_with(ZIP) {
        return Ok(without_counters(torch::read_pickles(&source)?));
    }
    let archive = torch::Archive::open(source)?;
    let names = archive.entries.iter().map(|entry| entry.name.as_str());
    match foreign::recognise_archive(names, path) {
        Some(foreign) => Err(Failure::Foreign(foreign)),
        None => Ok(without_counters(torch::read_archive(&archive)?)),
    }
}

/// The tensors without the counters of batch norms.
fn without_counters(mut saved: Saved) -> Saved {
    saved.tensors.retain(|(name, _)| !name.ends_with(COUNTER));
    saved
}
