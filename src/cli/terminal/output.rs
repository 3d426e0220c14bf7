//! Results go to standard output, messages to standard error.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;

use crate::cli::failure::{Failure, OutputError};
use crate::error::printable_lines;
use crate::report::table::Table;
use crate::timings::Lap;

/// Whether another process of the run prints.
static IS_SILENT: AtomicBool = AtomicBool::new(false);

/// From now on nothing is printed, or again what there is: one of several processes speaks for all.
pub fn be_silent(is_silent: bool) {
    IS_SILENT.store(is_silent, Ordering::Relaxed);
}

/// Prints an error on lines that start with `error:`.
pub fn complain(error: &Failure) {
    for line in error.to_string().lines() {
        note(&format!("error: {line}"));
    }
}

/// Writes a line to standard error, without terminal control sequences. Write errors are ignored: they must not stop the work.
pub fn note(line: &str) {
    if IS_SILENT.load(Ordering::Relaxed) {
        return;
    }
    let _ = writeln!(std::io::stderr(), "{}", printable_lines(line));
}

/// Writes a result to standard output, as it is.
pub fn emit(text: &str) -> Result<(), OutputError> {
    emit_bytes(text.as_bytes())
}

/// Writes a binary result to standard output. A terminal that was closed is a pipe that nobody reads.
pub fn emit_bytes(bytes: &[u8]) -> Result<(), OutputError> {
    if IS_SILENT.load(Ordering::Relaxed) {
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(|error| {
            OutputError(if is_closed_terminal(&error) {
                std::io::ErrorKind::BrokenPipe.into()
            } else {
                error
            })
        })
}

/// Whether standard output could not be written because its terminal is gone. (The same error of a file is one of its disk.)
#[cfg(unix)]
fn is_closed_terminal(error: &std::io::Error) -> bool {
    use rustix::fs::{FileType, fstat};
    use rustix::io::Errno;

    let kind = fstat(std::io::stdout()).map(|status| FileType::from_raw_mode(status.st_mode));
    error.raw_os_error() == Some(Errno::IO.raw_os_error())
        && kind.is_ok_and(|kind| kind == FileType::CharacterDevice)
}

#[cfg(not(unix))]
fn is_closed_terminal(_: &std::io::Error) -> bool {
    false
}

/// Writes a value as indented JSON to standard output.
pub fn json(value: &impl Serialize) -> Result<(), OutputError> {
    emit(&format!(
        "{}\n",
        to_json(serde_json::to_string_pretty(value))?
    ))
}

/// Writes a value as one line of JSON to standard output.
pub fn json_line(value: &impl Serialize) -> Result<(), OutputError> {
    emit(&format!("{}\n", to_json(serde_json::to_string(value))?))
}

fn to_json(text: serde_json::Result<String>) -> Result<String, OutputError> {
    text.map_err(|error| OutputError(error.into()))
}

/// Printed when Ctrl-C is pressed for the first time.
pub const STOPPING: &str = "stopping after this batch; press Ctrl-C again to exit at once";

/// A command of this program to be pasted into a shell, with the name that the user called the program by.
pub fn command(arguments: &[&str]) -> String {
    let program = std::env::args().next().unwrap_or_else(|| "kiln".into());
    shell_words::join(std::iter::once(program.as_str()).chain(arguments.iter().copied()))
}

/// A path as an argument of a [`command`]: with a hyphen in front it would be taken for a flag.
pub fn argument(path: &str) -> String {
    let folder = if path.starts_with('-') { "./" } else { "" };
    format!("{folder}{path}")
}

/// A table of the stages of a job, with milliseconds and the share of each.
pub fn stage_table(laps: &[Lap]) -> String {
    let total: Duration = laps.iter().map(|lap| lap.time).sum();
    let mut table = Table::new(["stage", "ms", "share"]);
    let mut row = |stage: &str, time: Duration| {
        let share = 100.0 * time.as_secs_f64() / total.as_secs_f64().max(f64::MIN_POSITIVE);
        table.push([
            stage.to_string(),
            format!("{:.2}", time.as_secs_f64() * 1e3),
            format!("{share:.1} %"),
        ]);
    };
    for lap in laps {
        row(lap.stage, lap.time);
    }
    row("total", total);
    table.text()
}
