//! Configuration: what the user wrote (JSON) becomes what it means (an [`Experiment`] in which nothing is left open).
//!
//! Comes in: a file and `--set path=value` overrides. Goes out: a checked experiment, or every problem at once, each
//! with its dotted path, what was found, what is allowed and the nearest known name. Nothing here opens data or a
//! device: a config that contradicts itself is refused before anything is read.
//!
//! [`experiment`], [`model`], [`data`], [`image_folder`] and [`mix`] hold the types and their defaults, [`overrides`] applies
//! `--set`, [`schema`] makes the JSON Schema from the types and holds JSON against it, [`checks`] are the rules between sections.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

pub use crate::error::Problem;
use crate::error::{ErrorExit, ExitKind, one_line};
use crate::files::without_mark;

pub mod checks;
pub mod data;
pub mod difference;
pub mod experiment;
pub mod image_folder;
pub mod junk;
pub mod mix;
pub mod model;
pub mod overrides;
pub mod schema;
mod source_checks;
pub mod split;
mod strict_json;

pub use experiment::Experiment;

/// Why a config gave no experiment; the text has one line per problem.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{}: {source}; name a config file such as configs/glyphs_mlp.json", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not JSON.
    #[error("{}: not valid JSON: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A `--set` that can't be applied.
    #[error("--set {}: {}", one_line(assignment), one_line(message))]
    Override {
        /// What was typed.
        assignment: String,
        /// What is wrong with it.
        message: String,
    },
    /// The content is not a valid experiment.
    #[error("{}", describe(path, problems))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Everything that is wrong, in the order of the file.
        problems: Vec<Problem>,
    },
}

impl ErrorExit for ConfigError {
    fn exit_kind(&self) -> ExitKind {
        ExitKind::Usage
    }
}

/// Most problems that are shown; whoever has more mends some and asks again.
const MOST_SHOWN: usize = 50;

/// Most characters of a dotted path that are shown.
const LONGEST_PATH: usize = 200;

fn describe(path: &Path, problems: &[Problem]) -> String {
    let mut lines: Vec<String> = problems
        .iter()
        .take(MOST_SHOWN)
        .map(|problem| match problem.path.as_str() {
            "" => format!("{}: {}", path.display(), problem.message),
            // A key may hold a line break; the message must not.
            key => {
                let key: String = key.chars().take(LONGEST_PATH).collect();
                format!(
                    "{}: {}: {}",
                    path.display(),
                    key.escape_debug(),
                    problem.message
                )
            }
        })
        .collect();
    let more = problems.len().saturating_sub(MOST_SHOWN);
    if more > 0 {
        lines.push(format!("{}: and {more} more problems", path.display()));
    }
    lines.join("\n")
}

/// A config file is a page of text; anything larger is not one.
const MAX_CONFIG_BYTES: u64 = 1 << 20;

/// Reads a config file, applies the overrides, checks everything and fills in what was left open.
pub fn load(path: &Path, overrides: &[String]) -> Result<Experiment, ConfigError> {
    parse(&read(path)?, path, overrides)
}

/// The text of a config file, whatever it says.
pub fn read(path: &Path) -> Result<String, ConfigError> {
    let io_error = |source| ConfigError::Io {
        path: path.to_path_buf(),
        source,
    };
    let file = std::fs::File::open(path).map_err(io_error)?;
    let mut text = String::new();
    // Not by the file's size: devices and pipes have none.
    file.take(MAX_CONFIG_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(io_error)?;
    if text.len() as u64 > MAX_CONFIG_BYTES {
        return Err(io_error(std::io::Error::other(
            "this is too long for a config",
        )));
    }
    Ok(text)
}

/// [`load`] for text in memory; `path` names it in errors and gives the run its default name.
pub fn parse(text: &str, path: &Path, overrides: &[String]) -> Result<Experiment, ConfigError> {
    let text = without_mark(text);
    let mut value = strict_json::parse(text).map_err(|source| ConfigError::Json {
        path: path.to_path_buf(),
        source,
    })?;
    overrides::apply_all(&mut value, overrides).map_err(|(assignment, message)| {
        ConfigError::Override {
            assignment,
            message,
        }
    })?;
    let mut experiment = resolve(value).map_err(|problems| ConfigError::Invalid {
        path: path.to_path_buf(),
        problems,
    })?;
    if experiment.name.is_empty() {
        experiment.name = default_name(path);
    }
    Ok(experiment)
}

/// Checks a JSON value against the schema and the rules between sections.
pub fn resolve(value: Value) -> Result<Experiment, Vec<Problem>> {
    let problems = schema::problems(&schema::experiment(), &value);
    if !problems.is_empty() {
        return Err(problems);
    }
    // The schema is made from the same types, so this only fails where a number does not fit its Rust type.
    let experiment: Experiment = serde_path_to_error::deserialize(value).map_err(|error| {
        let path = match error.path().to_string() {
            path if path == "." => String::new(),
            path => path,
        };
        vec![Problem::new(path, error.into_inner().to_string())]
    })?;
    let problems = checks::problems(&experiment);
    match problems.is_empty() {
        true => Ok(experiment),
        false => Err(problems),
    }
}

fn default_name(path: &Path) -> String {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let name: String = stem
        .unwrap_or("run")
        .chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() || "._-".contains(c) => c,
            _ => '-',
        })
        .collect();
    name
}
