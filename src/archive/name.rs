//! Names of entries.

use std::path::PathBuf;

use super::error::{UnpackError, outside};

/// The parts of an entry's name, its folders first; none for the archive's own folder.
///
/// # Errors
/// A name that points outside the archive's folder, or that no program shows as it is.
pub fn parts(name: &str) -> Result<Vec<&str>, UnpackError> {
    if name.contains(char::is_control) {
        return Err(outside(name, "has control characters in its name"));
    }
    // Both separators and drives, whatever this system makes of them.
    let is_separator = |letter: char| matches!(letter, '/' | '\\');
    let leads_out = name.starts_with(is_separator)
        || name.as_bytes().get(1) == Some(&b':')
        || name.split(is_separator).any(|part| part == "..");
    if leads_out {
        return Err(outside(name, "points outside the target folder"));
    }
    let parts = name.split(is_separator);
    Ok(parts.filter(|part| !matches!(*part, "" | ".")).collect())
}

/// The parts as a path below the target folder.
pub fn path(parts: &[&str]) -> PathBuf {
    parts.iter().collect()
}
