//! Names of classes in a text file, one in each line.

use std::collections::HashMap;
use std::path::Path;

use crate::error::FileError;
use crate::files;

/// The names, in their order. Empty lines are allowed only at the end: within the list, one would shift all names behind it.
///
/// # Errors
/// The file can't be read, or has an empty line before its last name.
pub fn read(file: &Path) -> Result<Vec<String>, FileError> {
    let names = files::read_lines(file)?;
    match names.iter().position(String::is_empty) {
        None => Ok(names),
        Some(index) => Err(FileError::new(
            file,
            format!(
                "line {} is empty, and has to be the name of a class",
                index + 1
            ),
        )
        .advise("remove the line, or write the name there")
        .usage()),
    }
}

/// Refuses two classes of one name, of which no answer of a model could be told apart.
pub fn validate_distinct(names: &[String], file: &Path) -> Result<(), FileError> {
    let mut lines: HashMap<&str, usize> = HashMap::new();
    for (line, name) in (1..).zip(names) {
        if let Some(before) = lines.insert(name, line) {
            let problem = format!("lines {before} and {line} have the same name {name:?}");
            return Err(FileError::new(file, problem)
                .advise("classes need names of their own")
                .usage());
        }
    }
    Ok(())
}
