//! What the verbs share in talking to people and programs.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use image::RgbImage;
use serde::Serialize;

use crate::config::experiment::{Backend, Task};
use crate::inference::Classifier;
pub(super) use crate::report::format::duration;
use crate::run_dir::RunDir;
use crate::{device, photo};

/// Something that the user should have typed differently.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// Standard output that can't be written.
#[derive(Debug, thiserror::Error)]
#[error("standard output can't be written: {0}")]
pub struct OutputError(pub std::io::Error);

impl OutputError {
    /// Whether the reader has gone, as in `kiln ... | head`: no error of ours.
    pub fn reader_has_gone(&self) -> bool {
        self.0.kind() == std::io::ErrorKind::BrokenPipe
    }
}

/// Prints an error as lines that start with `error:` and returns the exit code.
pub fn complain(error: &anyhow::Error, code: u8) -> ExitCode {
    for line in error.to_string().lines() {
        note(&format!("error: {line}"));
    }
    ExitCode::from(code)
}

/// Writes a line to standard error. That nobody reads it is no reason to stop the work.
pub fn note(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Writes a result to standard output, as it is.
pub fn emit(text: &str) -> Result<(), OutputError> {
    emit_bytes(text.as_bytes())
}

/// Writes a result that is no text to standard output.
pub fn emit_bytes(bytes: &[u8]) -> Result<(), OutputError> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(OutputError)
}

/// Writes a value as indented JSON to standard output.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    Ok(emit(&format!(
        "{}\n",
        serde_json::to_string_pretty(value)?
    ))?)
}

/// Refuses a picture to be written that is not named `.png` or that is the input itself.
pub fn check_picture(out: &Path, input: Option<&Path>) -> Result<(), UsageError> {
    let is_png = out
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("png"));
    if !is_png {
        let out = out.display();
        return Err(UsageError(format!(
            "{out}: the picture's name must end in .png"
        )));
    }
    let same = |a: &Path, b: &Path| matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
    if input.is_some_and(|input| same(out, input)) {
        let out = out.display();
        return Err(UsageError(format!(
            "{out}: is the input; name another file"
        )));
    }
    Ok(())
}

/// Refuses to write over files that are read in the same breath.
pub fn spare<'a>(
    outs: impl IntoIterator<Item = &'a Path>,
    read: impl IntoIterator<Item = &'a Path>,
) -> Result<(), UsageError> {
    let read: BTreeSet<PathBuf> = read
        .into_iter()
        .filter_map(|path| path.canonicalize().ok())
        .collect();
    let is_read = |out: &&Path| out.canonicalize().is_ok_and(|out| read.contains(&out));
    match outs.into_iter().find(is_read) {
        None => Ok(()),
        Some(out) => Err(UsageError(format!(
            "{}: is read here and would be written over; name another file",
            out.display()
        ))),
    }
}

/// The name that the user called this program by, for lines that say what to type next.
pub fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "kiln".into())
}

/// Opens the model of a run.
pub fn classifier(run: &Path, backend: Option<Backend>) -> anyhow::Result<Classifier> {
    let run = RunDir::open(run)?;
    let device = device::open(backend.unwrap_or_default())?;
    Ok(Classifier::load(&run.model_file(), &device)?)
}

/// [`classifier`], but not an autoencoder.
pub fn naming_classifier(run: &Path, backend: Option<Backend>) -> anyhow::Result<Classifier> {
    let model = classifier(run, backend)?;
    match model.task() {
        Task::Classify => Ok(model),
        Task::Reconstruct => Err(UsageError(format!(
            "{}: this model is an autoencoder, which gives images back and names no classes; name a run of a classifier, or \
             use `eval`",
            run.display()
        ))
        .into()),
    }
}

/// Opens a photograph as colour image.
pub fn photo(path: &Path) -> Result<RgbImage, photo::PhotoError> {
    Ok(photo::open(path)?.into_rgb8())
}
