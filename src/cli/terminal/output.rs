//! Results go to standard output, messages to standard error.

use std::io::Write;

use serde::Serialize;

use crate::cli::failure::{Failure, OutputError};

/// Prints an error on lines that start with `error:`.
pub fn complain(error: &Failure) {
    for line in error.to_string().lines() {
        note(&format!("error: {line}"));
    }
}

/// Writes a line to standard error. That nobody reads it is no reason to stop the work.
pub fn note(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Writes a result to standard output, as it is.
pub fn emit(text: &str) -> Result<(), OutputError> {
    emit_bytes(text.as_bytes())
}

/// Writes a binary result to standard output.
pub fn emit_bytes(bytes: &[u8]) -> Result<(), OutputError> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(OutputError)
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
