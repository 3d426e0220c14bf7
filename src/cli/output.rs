//! What the verbs share in talking to people and programs.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use image::RgbImage;
use serde::Serialize;

use crate::config::experiment::Backend;
use crate::inference::Classifier;
use crate::run_dir::RunDir;
use crate::{device, photo};

/// Something that the user should have typed differently.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// Prints an error as lines that start with `error:` and returns the exit code.
pub fn complain(error: &anyhow::Error, code: u8) -> ExitCode {
    for line in format!("{error:#}").lines() {
        let _ = writeln!(std::io::stderr(), "error: {line}");
    }
    ExitCode::from(code)
}

/// Lets `kiln ... | head` end quietly: a reader that has gone is no error of ours.
pub fn quiet_broken_pipe() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let text = info.payload().downcast_ref::<String>();
        if text.is_some_and(|text| text.contains("Broken pipe")) {
            std::process::exit(0);
        }
        default(info);
    }));
}

/// Prints a value as indented JSON.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

/// The name that the user called this program by, for lines that say what to type next.
pub fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "kiln".into())
}

/// A rate as people read it.
pub fn percent(rate: f64) -> String {
    format!("{:.2} %", 100.0 * rate)
}

/// A duration as people read it: `45 s`, `3 min 05 s`, `2 h 07 min`.
pub fn duration(duration: std::time::Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Opens the classifier of a run.
pub fn classifier(run: &Path, backend: Option<Backend>) -> anyhow::Result<Classifier> {
    let run = RunDir::open(run)?;
    let device = device::open(backend.unwrap_or_default())?;
    Ok(Classifier::load(&run.model_file(), &device)?)
}

/// Opens a photograph as colour image.
pub fn photo(path: &Path) -> Result<RgbImage, photo::PhotoError> {
    Ok(photo::open(path)?.into_rgb8())
}
