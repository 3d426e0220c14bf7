//! Reading a config: JSON and `--set` overrides become a checked experiment with every default filled in.

use std::path::Path;

use serde_json::Value;

use super::error::ConfigError;
use super::experiment::Experiment;
use super::{checks, overrides, schema};
use crate::error::{FileError, Problem};
use crate::{files, strict_json};

/// Maximum length of a config file in bytes: 1 MiB.
const MAX_CONFIG_BYTES: u64 = 1 << 20;

/// Reads a config file, applies the overrides in order, checks everything and fills in the defaults.
pub fn load(path: &Path, overrides: &[String]) -> Result<Experiment, ConfigError> {
    parse(&read(path)?, path, overrides)
}

/// The text of a config file, unchecked. Fails for files over 1 MiB and for text that is not UTF-8.
pub fn read(path: &Path) -> Result<String, ConfigError> {
    let advise = |error: FileError| {
        let advice = "use a config file such as configs/glyphs_mlp.json";
        error.advise(advice).usage()
    };
    let bytes = files::read_up_to(path, MAX_CONFIG_BYTES)
        .map_err(|error| advise(FileError::io(path, error)))?
        .ok_or_else(|| advise(FileError::new(path, "too long for a config (over 1 MiB)")))?;
    let text = String::from_utf8(bytes);
    Ok(text.map_err(|_| advise(FileError::new(path, "not valid UTF-8 text")))?)
}

/// [`load`] for text in memory; `path` names it in errors and gives the run its default name.
pub fn parse(text: &str, path: &Path, overrides: &[String]) -> Result<Experiment, ConfigError> {
    let mut value = strict_json::parse(files::without_mark(text))
        .map_err(|error| FileError::new(path, format!("not valid JSON: {error}")).usage())?;
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

/// Checks a JSON value against the schema and then against the rules between keys, and fills in the defaults.
pub fn resolve(value: Value) -> Result<Experiment, Vec<Problem>> {
    let problems = schema::problems(&schema::of::<Experiment>(), &value);
    if !problems.is_empty() {
        return Err(problems);
    }
    // The schema is generated from the same types, so this fails only where a number does not fit its Rust type.
    let experiment: Experiment = serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        vec![Problem::new(path, error.into_inner().to_string())]
    })?;
    let problems = checks::problems(&experiment);
    if problems.is_empty() {
        Ok(experiment)
    } else {
        Err(problems)
    }
}

/// The name of the config file without its extension, with `-` for characters that a run's name can't hold; `run` if nothing but dots is
/// left.
fn default_name(path: &Path) -> String {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let stem = stem.filter(|stem| !checks::names_no_run(stem));
    stem.unwrap_or("run")
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "._-".contains(c) {
                c
            } else {
                '-'
            }
        })
        .collect()
}
